"""What the gateway itself remembers: SQL, its migrations, and the codes that make a forged row show."""

from wardgate.state.state import State

__all__ = ["State"]
