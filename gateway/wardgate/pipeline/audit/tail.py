"""Follows the audit's files while they grow: each shard from its newest file on, every record checked as it is read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import NamedTuple

from wardgate.pipeline.audit.record import FORMAT, MAX_LINE, Broken, Chain, Record, read
from wardgate.pipeline.audit.sink import files_of


class Seen(NamedTuple):
    """A record and its line, or (``record`` None) what is wrong at a line of a file."""

    record: Record | None
    line: bytes
    file: str
    number: int
    wrong: str = ""


class Tail:
    """Every shard of a folder. What stands before the newest file of a shard is not looked at."""

    def __init__(self, folder: FilePath) -> None:
        self._folder = folder
        self._shards: dict[int, _Shard] = {}

    def new(self) -> Iterator[Seen]:
        """What was written since the last call, shard by shard; a half-written line waits for its end.

        Raises:
            OSError: the folder or a file in it cannot be read.
        """
        for slot, files in files_of(self._folder).items():
            shard = self._shards.setdefault(slot, _Shard(slot, max(files)))
            yield from shard.new(files)


class _Shard:
    def __init__(self, slot: int, number: int) -> None:
        self._slot = slot
        self._number = number
        self._offset = 0
        self._line = 0
        self._chain: Chain | None = None
        self._broken = False

    def new(self, files: dict[int, FilePath]) -> Iterator[Seen]:
        """Read to the end of the newest file. A shard that is broken is not followed any further."""
        while not self._broken:
            file = files.get(self._number)
            if file is not None:
                yield from self._read(file)
            if self._broken or self._number >= max(files):
                return
            if file is None:
                yield self._wrong("was removed before it was read", f"file {self._number} of shard {self._slot}")
                return
            # The next file was there before this one was read to its end, so that nothing can follow in it.
            self._number, self._offset, self._line = self._number + 1, 0, 0

    def _read(self, file: FilePath) -> Iterator[Seen]:
        with file.open("rb") as stream:
            stream.seek(self._offset)
            while (line := stream.readline(MAX_LINE)).endswith(b"\n"):
                self._offset += len(line)
                self._line += 1
                try:
                    record = self._follow(line)
                except Broken as broken:
                    yield self._wrong(str(broken), file.name)
                    return
                yield Seen(record, line, file.name, self._line)

    def _follow(self, line: bytes) -> Record:
        if self._line > 1 and self._chain is not None:
            return self._chain.follow(line)
        header = read(line)
        if (header.kind, header.number, header.shard, header.format) != ("file", self._number, self._slot, FORMAT):
            raise Broken(f"is not the first record of file {self._number} of shard {self._slot}")
        if self._chain is None:
            try:
                self._chain = Chain(header.sequence - 1, bytes.fromhex(header.previous))
            except ValueError:
                raise Broken("is not a record of this format") from None
        elif header.previous != self._chain.head.hex():
            raise Broken("does not link to the record before it")
        return self._chain.follow(line)

    def _wrong(self, what: str, file: str) -> Seen:
        self._broken = True
        return Seen(None, b"", file, self._line, what)
