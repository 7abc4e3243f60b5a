"""How far long work has come: one line on a terminal that rewrites itself, and nothing into a pipe or a file."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from wardgate.cli import terminal

EVERY = 0.1
"""Seconds between two pictures."""
_UNITS = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))
_CLEAR = "\r\x1b[K"


@contextlib.contextmanager
def shown(
    doing: str, *, total: int = 0, unit: str, aside: bool = True, now: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[int], None]]:
    """Lend a function that is told how much was done since the last time, and shows the sum on stderr.

    Args:
        doing: what is done, as one word.
        total: how much there is, where that is known; a share is shown then.
        unit: ``B`` for bytes, or what is counted, in the plural.
        aside: what is found is not shown on the terminal meanwhile, or only once it is complete.
        now: a clock, in seconds.
    """
    if not terminal.somebody_watches() or (terminal.somebody_reads() and not aside):
        yield _unseen
        return
    done = 0
    drawn = now()

    def tick(more: int) -> None:
        nonlocal done, drawn
        done += more
        if now() - drawn >= EVERY:
            drawn = now()
            sys.stderr.write(f"{_CLEAR}{doing} … {_amount(done, unit)}{_share(done, total)}")
            sys.stderr.flush()

    try:
        yield tick
    finally:
        sys.stderr.write(_CLEAR)
        sys.stderr.flush()


def _unseen(more: int) -> None:
    pass


def _amount(done: int, unit: str) -> str:
    if unit != "B":
        return f"{done:,} {unit}".rstrip()
    for size, name in _UNITS:
        if done >= size:
            return f"{done / size:.1f} {name}"
    return f"{done} B"


def _share(done: int, total: int) -> str:
    return f", {min(99, 100 * done // total)} %" if total else ""
