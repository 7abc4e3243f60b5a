"""Wardgate: one endpoint, one tree of paths, one policy and one audit over every secret manager."""

__version__ = "0.1.0"
