"""Checks an audit folder offline: reads only, needs no key, and names the first bad record of each shard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path as FilePath

from wardgate.pipeline.audit.record import FORMAT, Broken, Chain, Record, half, lines_of, read
from wardgate.pipeline.audit.sink import files_of, name_of

_TICK = 1_000
"""Records between two words about the progress."""


@dataclass(frozen=True, slots=True)
class Bad:
    """The first record that does not hold: its file's name, its line (0: the file itself), and what is wrong."""

    file: str
    line: int
    what: str


@dataclass(slots=True)
class ShardReport:
    """One shard. ``open``: pairs without a closing record: changes under way, or left by a crash since the last boot.

    ``starts_at``: number of the first file kept. ``unfinished``: the last line is half written (a crash, or this very
    moment); the next boot cuts it off. ``faults``: what the gateway itself noticed about its files, and went on behind.
    """

    shard: int
    starts_at: int = 1
    files: int = 0
    records: int = 0
    boots: int = 0
    open: tuple[str, ...] = ()
    unfinished: bool = False
    faults: tuple[str, ...] = ()
    bad: Bad | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What ``verify`` found."""

    folder: str
    shards: tuple[ShardReport, ...]

    @property
    def ok(self) -> bool:
        """Whether every chain holds."""
        return not any(shard.bad for shard in self.shards)

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"folder": self.folder, "ok": self.ok, "shards": [asdict(shard) for shard in self.shards]}

    def sentences(self) -> tuple[str, ...]:
        """For people, a sentence a shard."""
        if not self.shards:
            return (f"There is no audit in {self.folder}.",)
        return tuple(_sentence(shard) for shard in self.shards)


def verify(folder: FilePath, tick: Callable[[int], None] = lambda _: None) -> Report:
    """Check every shard in ``folder``: chains, sequence, boot links, links between files, pairs.

    ``tick`` is told now and then of the records read since.

    A chain alone cannot show that its last records, or a whole shard, were taken away; that needs a copy elsewhere.

    Raises:
        OSError: the folder or a file in it cannot be read.
    """
    shards = files_of(folder).items()
    return Report(str(folder), tuple(_Walk(slot, tick).through(files) for slot, files in shards))


def _sentence(shard: ShardReport) -> str:
    if shard.bad:
        place = f"{shard.bad.file}, line {shard.bad.line}" if shard.bad.line else shard.bad.file
        return f"Shard {shard.shard} is BROKEN: {place}: {shard.bad.what}."
    text = f"Shard {shard.shard} holds: {shard.records} records of {shard.boots} boots in {shard.files} files"
    if shard.starts_at > 1:
        text += f", from file {shard.starts_at} on (retention removed the ones before)"
    if shard.open:
        text += f"; {len(shard.open)} changes without a closing record"
    for fault in shard.faults:
        text += f"; the gateway noticed that {fault}"
    if shard.unfinished:
        text += "; the last line is unfinished"
    return text + "."


class _Walk:
    """The way through one shard."""

    def __init__(self, shard: int, tick: Callable[[int], None]) -> None:
        self._tick = tick
        self._report = ShardReport(shard)
        self._chain = Chain()
        self._boot = ""
        self._removed = 0
        self._open: set[str] = set()

    def through(self, files: dict[int, FilePath]) -> ShardReport:
        report = self._report
        report.starts_at = expected = min(files)
        for number, file in files.items():
            if number != expected:
                report.bad = Bad(name_of(report.shard, expected), 0, "is missing")
            else:
                report.bad = self._read(file, number, last=number == max(files))
            if report.bad:
                break
            expected += 1
        if not report.bad and report.starts_at > self._removed + 1:
            report.bad = Bad(name_of(report.shard, report.starts_at - 1), 0, "is missing, and retention did not do it")
        report.open = tuple(sorted(self._open))
        return report

    def _read(self, file: FilePath, number: int, *, last: bool) -> Bad | None:
        report = self._report
        line = 0
        report.files += 1
        try:
            for line, text in enumerate(lines_of(file), start=1):
                if last and half(text):
                    report.unfinished = True
                    return None
                if line == 1:
                    self._begin(text, number)
                else:
                    self._take(self._chain.follow(text))
                report.records += 1
                if not report.records % _TICK:
                    self._tick(_TICK)
        except Broken as broken:
            return Bad(file.name, line, str(broken))
        return None if line or last else Bad(file.name, 0, "is empty")

    def _begin(self, text: bytes, number: int) -> None:
        """Read a file's first record, which says where the chain stood."""
        header = read(text)
        if (header.kind, header.number, header.shard, header.format) != ("file", number, self._report.shard, FORMAT):
            raise Broken(f"is not the first record of file {number} of shard {self._report.shard}")
        if number == self._report.starts_at > 1:
            self._start(header)
        if header.previous != self._chain.head.hex():
            raise Broken("does not link to the record before it")
        self._chain.follow(text)
        self._removed = max(self._removed, header.removed)
        if header.fault:
            self._report.faults += (header.fault,)

    def _start(self, header: Record) -> None:
        try:
            self._chain = Chain(header.sequence - 1, bytes.fromhex(header.previous))
        except ValueError:
            raise Broken("is not a record of this format") from None
        self._boot = header.boot
        self._open = {read(bytes(body)).pair for body in header.open}

    def _take(self, record: Record) -> None:
        if record.kind == "boot":
            self._boot = record.boot
            self._report.boots += 1
        elif record.kind == "file":
            raise Broken("is a file's first record, inside a file")
        if record.shard != self._report.shard or record.boot != self._boot:
            raise Broken("belongs to another shard or boot")
        if record.kind == "request":
            self._open.add(record.pair)
        elif record.pair:
            if record.pair not in self._open:
                raise Broken("closes a change that has no request record")
            self._open.discard(record.pair)
