"""Epochs: numbers that change when something is written, so that every worker of a host knows its memory is old.

A reader reads the epoch *before* it fetches and keeps it beside what it remembers; a writer bumps it after the
commit and before the acknowledgement.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from typing import Final, Protocol

FIXED: Final = ("state", "namespaces", "caches")
"""Kinds with a slot of their own, so that no other key can share it. ``state`` moves with every kind of the state's."""

HASHED_SLOTS: Final = 64 * 1024
_SLOTS = len(FIXED) + HASHED_SLOTS


class Epochs(Protocol):
    """Numbered slots of 64 bits each."""

    def slot(self, kind: str, *key: str) -> int:
        """Where the epoch of ``key`` lives; callers keep it. Two keys may share a slot: both then look changed."""

    def read(self, slot: int) -> int:
        """The epoch now."""

    def bump(self, slot: int) -> None:
        """Change the epoch, for every worker at once."""


class LocalEpochs:
    """The epochs of one process, for tests and tools."""

    def __init__(self) -> None:
        self._slots: dict[tuple[str, ...], int] = {}
        self._values: list[int] = []

    def slot(self, kind: str, *key: str) -> int:
        """One slot each; they are never shared here."""
        slot = self._slots.setdefault((kind, *key), len(self._values))
        if slot == len(self._values):
            self._values.append(0)
        return slot

    def read(self, slot: int) -> int:
        """The epoch now."""
        return self._values[slot]

    def bump(self, slot: int) -> None:
        """Change the epoch."""
        self._values[slot] += 1


class SharedEpochs:
    """The epochs of one host: memory shared by the process that makes it and all that it forks."""

    def __init__(self) -> None:
        self._page = memoryview(mmap.mmap(-1, _SLOTS * 8)).cast("Q")
        # Keyed, so that a caller who chooses names cannot choose whose epoch they share.
        self._key = os.urandom(16)

    @classmethod
    def create(cls) -> SharedEpochs:
        """A fresh page. Make it before the fork."""
        return cls()

    def slot(self, kind: str, *key: str) -> int:
        """A fixed slot, or one of 64 Ki by a keyed hash of kind and key."""
        if kind in FIXED and not key:
            return FIXED.index(kind)
        digest = hashlib.blake2b(digest_size=8, key=self._key)
        for part in (kind, *key):
            encoded = part.encode("utf-8", "surrogatepass")
            digest.update(len(encoded).to_bytes(4, "big"))
            digest.update(encoded)
        return len(FIXED) + int.from_bytes(digest.digest(), "big") % HASHED_SLOTS

    def read(self, slot: int) -> int:
        """The epoch now: one aligned load of 8 bytes, which no store can tear."""
        return self._page[slot]

    def bump(self, slot: int) -> None:
        """Store a fresh random epoch.

        Random rather than one more, because two processes that both add one may store the same number: the
        second change would be lost to whoever read between them.
        """
        self._page[slot] = int.from_bytes(os.urandom(8), "big")
