"""One shard: its chain and its sink together; recovers after a crash, commits batches, turns full files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Final, NamedTuple

import msgspec

from wardgate.pipeline.audit.record import FORMAT, Broken, Chain, Record, Stamps, body_of, encode, half, lines_of, read
from wardgate.pipeline.audit.sink import FULL, Disk, FileSink, files_of
from wardgate.pipeline.audit.trouble import DISK_FULL, sentence_for
from wardgate.spi.services import Clock

_ATTEMPTS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the audit is kept; the first three are the configuration's.

    ``synced``: each batch is synced before it counts. ``max_file_bytes``: a file that reached this is followed by the
    next. ``retention_files``: older ones of a shard are removed; 0 keeps all. ``patience``: seconds a request waits for
    its record. ``reserve_bytes``: kept back on the disk for each shard, so that changes under way can still
    be closed when the disk is full; 0 for none. ``anonymous_rate`` and ``anonymous_burst``: denials a second, and at
    once, that one source without a principal can make it write; those beyond are counted. Logins and principals have
    budgets of their own.
    """

    synced: bool
    max_file_bytes: int
    retention_files: int
    patience: float = 1.0
    reserve_bytes: int = 8 * 1024 * 1024
    anonymous_rate: float = 5.0
    anonymous_burst: float = 200.0


class Entry(NamedTuple):
    """A record on its way: its body, and the pair it opens (``opens``) or closes, if any."""

    body: bytes
    pair: str = ""
    opens: bool = False

    @property
    def needed(self) -> bool:
        """Whether it closes a change that was done: such records may use up the reserve."""
        return bool(self.pair) and not self.opens


class Shard:
    """Used by one thread at a time: by ``recover`` at boot, afterwards by the committer.

    ``trouble``: why records are not written just now, in a sentence; empty while they are.
    """

    def __init__(self, folder: FilePath, slot: int, boot: str, clock: Clock, settings: Settings, disk: Disk) -> None:
        self.slot = slot
        self._boot = boot
        self.low = False
        self.trouble = ""
        self._clock = clock
        self._stamps = Stamps()
        self._settings = settings
        self._chain = Chain()
        self._open: dict[str, bytes] = {}
        self._removed = 0
        self._sink = FileSink(folder, slot, disk, synced=settings.synced, reserve=settings.reserve_bytes)

    def recover(self, boot_record: Callable[[str, int], bytes]) -> tuple[Record, ...]:
        """Take the shard, mend its end, write the boot record; return the request records that a crash left open.

        ``boot_record`` gets the link to the boot before (hexadecimal) and the number of bytes that were cut off.

        Raises:
            Unavailable: another process has the shard, or the folder cannot be used.
            OSError, SinkRetired: the boot record cannot be written.
        """
        self._sink.claim()
        cut, fault = self._find_end()
        self.low = not self._sink.keep_back()
        if fault or not self._sink.number:
            self._turn(fault)
        self._append([Entry(boot_record(self._chain.head.hex(), cut))])
        return tuple(read(body) for body in self._open.values())

    def commit(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Write the batch and sync it; return those that are durable: all, or the needed ones, or none.

        Raises:
            SinkRetired: nothing can be written any more.
        """
        if self.low:
            self.low = not self._sink.keep_back()
        if self.low:
            self.trouble = self.trouble or DISK_FULL
        wanted = self._closable(entries)
        for _ in range(_ATTEMPTS):
            if self.low:
                wanted = [entry for entry in wanted if entry.needed]
            if not wanted:
                break
            try:
                self._append_turning(wanted)
            except OSError as error:
                self.trouble = sentence_for(error)
                if error.errno in FULL:
                    self.low = True
                    self._sink.give_up_reserve()
            else:
                # What took up the reserve says nothing of the requests to come.
                self.trouble = self.trouble if self.low else ""
                return wanted
        return ()

    def close(self) -> None:
        """Give back the file and the shard."""
        self._sink.close()

    def _append_turning(self, entries: Sequence[Entry]) -> None:
        if self._sink.size >= self._settings.max_file_bytes:
            self._turn()
        before = self._chain.sequence, self._chain.head
        self._append(entries)
        displaced = self._sink.displaced()
        if displaced:
            self._chain.sequence, self._chain.head = before
            self._turn(f"{self._sink.file.name} {displaced}")
            self._append(entries)
        for entry in entries:
            if entry.opens:
                self._open[entry.pair] = entry.body
            elif entry.pair:
                self._open.pop(entry.pair, None)

    def _append(self, entries: Iterable[Entry]) -> None:
        chain = self._chain
        before = chain.sequence, chain.head
        try:
            self._sink.append(b"".join([chain.link(entry.body) for entry in entries]))
        except OSError:
            chain.sequence, chain.head = before
            raise

    def _turn(self, fault: str = "") -> None:
        number = self._sink.number + 1
        keep = self._settings.retention_files
        removed = max(self._removed, number - keep) if keep else self._removed
        previous = self._chain.head.hex()
        opened = tuple(msgspec.Raw(body) for body in self._open.values())
        now = self._stamps(self._clock.now())
        header = Record(
            self.slot, self._boot, now, "file",
            format=FORMAT, number=number, previous=previous, removed=removed, open=opened, fault=fault,
        )  # fmt: skip
        before = self._chain.sequence, self._chain.head
        try:
            self._sink.turn(number, self._chain.link(encode(header)))
        except OSError:
            self._chain.sequence, self._chain.head = before
            raise
        for old in range(self._removed + 1, removed + 1):
            self._sink.remove(old)
        self._removed = removed

    def _closable(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Without the closings of changes whose request record never became durable: those were never begun."""
        if not any(entry.pair for entry in entries):
            return entries
        opened = {entry.pair for entry in entries if entry.opens} | self._open.keys()
        return [entry for entry in entries if not entry.pair or entry.pair in opened]

    def _find_end(self) -> tuple[int, str]:
        """Go to the end of the shard; return how many bytes of a half line were cut off, and what is wrong with it."""
        files = files_of(self._sink.folder).get(self.slot, {})
        cut, fault = 0, ""
        for number in reversed(files):
            size, rest, wrong = self._walk(files[number])
            cut += rest
            if wrong:
                fault = fault or f"{files[number].name} {wrong}"
            elif not size:
                # A crash came between making the file and writing its first record: it holds nothing.
                files[number].unlink()
            if size:
                if not fault:
                    self._sink.resume(number, size)
                break
        if fault:
            self._sink.number = max(files)
        return cut, fault

    def _walk(self, file: FilePath) -> tuple[int, int, str]:
        """Read a file to its end: the bytes that hold, those of a half-written line behind them, and what is wrong."""
        size = 0
        try:
            for line in lines_of(file):
                if half(line):
                    return size, len(line), ""
                if not size:
                    self._begin_at(read(line))
                self._remember(line, self._chain.follow(line))
                size += len(line)
        except (Broken, ValueError):
            return size, 0, f"does not hold behind byte {size}"
        return size, 0, ""

    def _begin_at(self, header: Record) -> None:
        self._chain = Chain(header.sequence - 1, bytes.fromhex(header.previous))
        self._removed = header.removed
        self._open = {read(body).pair: bytes(body) for body in header.open}

    def _remember(self, line: bytes, record: Record) -> None:
        if record.kind == "request":
            self._open[record.pair] = body_of(line)
        elif record.pair:
            self._open.pop(record.pair, None)
