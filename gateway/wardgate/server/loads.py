"""How many connections each worker has, for all to see: so that the one with fewer takes the next."""

from __future__ import annotations

import mmap

NOBODY = 2**62
"""The load of a slot without a worker: nobody waits for it."""

SLACK = 4
"""Connections one worker may be ahead of another; less would only delay clients."""


class Loads:
    """Shared by the process that makes it and all that it forks. Each slot is written by its own worker."""

    def __init__(self, slots: int) -> None:
        self._loads = memoryview(mmap.mmap(-1, slots * 8)).cast("Q")
        for slot in range(slots):
            self.tell(slot, NOBODY)

    def tell(self, slot: int, connections: int) -> None:
        """So many connections are open now."""
        self._loads[slot] = connections

    def ahead(self, slot: int) -> bool:
        """Whether this worker has clearly more than another."""
        return self._loads[slot] > min(self._loads) + SLACK
