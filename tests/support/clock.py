"""Time for tests."""

from __future__ import annotations


class SetClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.time = 1_700_000_000 * 10**9

    def now(self) -> int:
        """Unix nanoseconds."""
        return self.time

    def monotonic(self) -> float:
        """Seconds."""
        return self.time / 10**9

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass."""
        self.time += int(seconds * 10**9)
