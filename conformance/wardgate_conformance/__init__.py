"""The suite that any Wardgate backend is held to."""
