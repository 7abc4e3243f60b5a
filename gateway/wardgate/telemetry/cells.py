"""The page of numbers that all processes of a host share: each counts in a part of its own, and any of them reads all.

A part holds named groups of numbers, one behind the other, and only ever grows::

    used: 8 bytes | spare: 32 numbers | group | group | …
    group: length of its name, 4 bytes | how many numbers, 4 bytes | the numbers, 8 bytes each | its name, padded to 8

A group is whole before ``used`` tells of it, and each number is one aligned store of 8 bytes, so readers need no lock.
A worker that replaces another goes on in its part: counters never fall.
"""

from __future__ import annotations

import mmap
import struct
import threading
from collections.abc import Iterator
from typing import Final

PART_BYTES: Final = 1024 * 1024
"""Of one process; memory is taken only as far as it is used."""

MOST_NUMBERS: Final = 32
"""Numbers of one group."""

_HEAD = struct.Struct("=II")
_FIRST = 8 + 8 * MOST_NUMBERS


class Part:
    """The numbers of one process. ``numbers`` is indexed by what ``group`` returns; its owner alone writes there."""

    def __init__(self, memory: memoryview) -> None:
        self._memory = memory
        self._used = memory[:8].cast("Q")
        self.numbers = memory.cast("d")
        self._guard = threading.Lock()
        self._known = {name: at for name, at, _ in self._groups()}

    def group(self, name: bytes, count: int = 1) -> int:
        """The index of the first of a group's numbers, which begin at 0. Safe in any thread.

        When the part is full it is that of spare numbers, which nobody reads.
        """
        with self._guard:
            at = self._known.get(name)
            if at is None:
                at = self._known[name] = self._append(name, count)
            return at

    def read(self) -> Iterator[tuple[bytes, list[float]]]:
        """Every group's name and numbers."""
        for name, at, count in self._groups():
            yield name, [*self.numbers[at : at + count]]

    def _append(self, name: bytes, count: int) -> int:
        start = self._used[0]
        numbers = start + _HEAD.size
        end = numbers + 8 * count + (len(name) + 7) // 8 * 8
        if end > len(self._memory):
            return 1
        # All of it anew: a process that was killed in here may have left half a group of another size.
        self._memory[start:end] = bytes(end - start)
        _HEAD.pack_into(self._memory, start, len(name), count)
        self._memory[numbers + 8 * count : numbers + 8 * count + len(name)] = name
        self._used[0] = end
        return numbers // 8

    def _groups(self) -> Iterator[tuple[bytes, int, int]]:
        at, end = _FIRST, self._used[0]
        while at < end:
            length, count = _HEAD.unpack_from(self._memory, at)
            numbers = at + _HEAD.size
            name = numbers + 8 * count
            yield bytes(self._memory[name : name + length]), numbers // 8, count
            at = name + (length + 7) // 8 * 8


class Page:
    """The parts of a host. Make it before the fork; ``parts`` is how many processes count."""

    def __init__(self, parts: int) -> None:
        self.parts = parts
        self._memory = memoryview(mmap.mmap(-1, parts * PART_BYTES))
        for number in range(parts):
            self._memory[number * PART_BYTES : number * PART_BYTES + 8].cast("Q")[0] = _FIRST

    def part(self, number: int) -> Part:
        """The part of one process, to count in or to read."""
        return Part(self._memory[number * PART_BYTES : (number + 1) * PART_BYTES])
