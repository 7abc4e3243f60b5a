"""Waits for what another process does in its own time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TypeVar

from wardgate.spi.errors import Unavailable

T = TypeVar("T")


def until(what: Callable[[], T | None], seconds: float = 30.0) -> T:
    """Ask again and again; the other process has no clock of ours."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(Unavailable, OSError):
            if found := what():
                return found
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")
