"""The suite that any Wardgate backend is held to: start at ``harness``, then subclass ``suite.BackendConformance``."""
