"""Wardgate's own wire API and its own encrypted store."""
