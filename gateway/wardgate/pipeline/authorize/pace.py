"""Long work in steps: others have the loop in between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

AT_A_STRETCH: Final = 0.005
"""Seconds that one request may decide before others have their turn."""


class Pace:
    """Of one piece of work. ``now``: monotonic seconds."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._since = now()

    async def step(self) -> None:
        """After each step of the work."""
        if self._now() - self._since >= AT_A_STRETCH:
            await asyncio.sleep(0)
            self._since = self._now()
