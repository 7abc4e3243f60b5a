"""The real clock; everything that needs time is handed one, so that tests can hand in another."""

from __future__ import annotations

import time


class SystemClock:
    """Time of this machine."""

    now = staticmethod(time.time_ns)
    """Unix time in nanoseconds, UTC."""

    monotonic = staticmethod(time.monotonic)
    """Seconds that only grow."""
