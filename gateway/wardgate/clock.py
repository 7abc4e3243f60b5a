"""The real clock; everything that needs time is handed one, so that tests can hand in another."""

from __future__ import annotations

import time


class SystemClock:
    """Time of this machine."""

    def now(self) -> int:
        """Unix time in nanoseconds, UTC."""
        return time.time_ns()

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()
