"""A disk with faults, a store that counts what is done to it, and what the audit promises between the two."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from wardgate.clock import SystemClock
from wardgate.context import Context
from wardgate.pipeline import Handler
from wardgate.pipeline.audit import Journal, Record
from wardgate.pipeline.audit.record import read
from wardgate.pipeline.audit.sink import Disk, files_of
from wardgate.spi.errors import OutcomeUnknown, Unavailable
from wardgate.spi.frontend import Arrival, Outcome
from wardgate.spi.identity import Principal
from wardgate.spi.operations.base import Batch, Operation
from wardgate.spi.values import SecretVersion, Value, VersionInfo

from tests.faults.every_operation import EVERY
from tests.support.audit_settings import kept

PATIENCE = 0.2
SLACK = 0.8
SECRET = Outcome(SecretVersion(VersionInfo("1", 1), Value(b"the secret")))
SIDE_BY_SIDE = 20
"""Worlds at once; those that wait for a hanging disk wait together."""


class FaultyDisk(Disk):
    """Does what ``Disk`` does until a fault is switched on. ``durable``: bytes synced, by the file's inode."""

    def __init__(self, folder: FilePath) -> None:
        self.folder = folder
        self.fault = ""
        self.syncs_while_faulty = 0
        self.durable: dict[int, int] = {}
        self.ended = threading.Event()

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        match self.fault:
            case "full disk":
                raise OSError(errno.ENOSPC, "No space left on device")
            case "full disk, half written":
                if len(data) > 10:
                    return super().write(descriptor, memoryview(data)[: len(data) // 2])
                raise OSError(errno.ENOSPC, "No space left on device")
            case "quota":
                raise OSError(errno.EDQUOT, "Disk quota exceeded")
            case "write error":
                raise OSError(errno.EIO, "Input/output error")
            case "read-only":
                raise OSError(errno.EROFS, "Read-only file system")
            case "hanging write":
                self.ended.wait()
        return super().write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        if self.fault:
            self.syncs_while_faulty += 1
        match self.fault:
            case "sync error":
                raise OSError(errno.EIO, "Input/output error")
            case "full disk at the sync":
                raise OSError(errno.ENOSPC, "No space left on device")
            case "hanging sync":
                self.ended.wait()
        super().sync(descriptor)
        status = os.fstat(descriptor)
        self.durable[status.st_ino] = status.st_size

    def truncate(self, descriptor: int, size: int) -> None:
        if self.fault == "half written, cannot be cut back":
            raise OSError(errno.EIO, "Input/output error")
        super().truncate(descriptor, size)

    def allocate(self, descriptor: int, size: int) -> None:
        if "full" in self.fault:
            raise OSError(errno.ENOSPC, "No space left on device")
        if self.fault == "quota":
            raise OSError(errno.EDQUOT, "Disk quota exceeded")
        super().allocate(descriptor, size)

    def begin(self, fault: str) -> None:
        """Switch a fault on."""
        self.fault = fault
        if fault == "half written, cannot be cut back":
            self.write = self._half  # type: ignore[method-assign]
        if fault == "deleted file":
            for file in self.folder.glob("*.jsonl"):
                file.unlink()
        if fault == "deleted folder":
            for file in self.folder.iterdir():
                file.unlink()
            self.folder.rmdir()

    def _half(self, descriptor: int, data: bytes | memoryview) -> int:
        if len(data) < 10:
            raise OSError(errno.EIO, "Input/output error")
        return super().write(descriptor, memoryview(data)[: len(data) // 2])


FAULTS = (
    "full disk", "full disk, half written", "full disk at the sync", "quota", "write error", "read-only",
    "half written, cannot be cut back", "sync error", "hanging write", "hanging sync", "deleted file", "deleted folder",
)  # fmt: skip


@dataclass
class World:
    """A store that counts what is done to it, behind audit and begin."""

    folder: FilePath
    disk: FaultyDisk
    journal: Journal
    changed: list[Context] = field(default_factory=list)
    unrecorded: list[Context] = field(default_factory=list)

    async def store(self, context: Context) -> Outcome[Any]:
        if context.operation.mutates:
            self.changed.append(context)
            if not any(record.kind == "request" for record in self.records_of(context)):
                self.unrecorded.append(context)
        return answer_to(context.operation)

    def records_of(self, context: Context) -> list[Record]:
        """The request's records that a power cut would leave."""
        if not self.folder.exists():
            return []
        files = [file for files in files_of(self.folder).values() for file in files.values()]
        kept = [file.read_bytes()[: self.disk.durable.get(file.stat().st_ino, 0)] for file in files]
        records = [read(line) for text in kept for line in text.splitlines(keepends=True) if line.endswith(b"\n")]
        return [record for record in records if record.request == context.arrival.id]


def answer_to(operation: Operation[Any]) -> Outcome[Any]:
    """What leaks when it leaves: the secret, or of a batch as many as it asks for."""
    if isinstance(operation, Batch):
        return Outcome((SECRET.result,) * len(operation.items))
    return SECRET


def context_of(operation: Operation[Any], number: int = 1) -> Context:
    context = Context(Arrival(f"request-{number}", time.time_ns(), 0.0, "192.0.2.1"), operation, None, "root")
    context.principal = Principal("p", "root", "n", "key", (), "a")
    return context


def broken_promises(world: World, context: Context, answer: object, seconds: float) -> list[str]:
    """What P3 forbids; empty when it was kept."""
    broken = []
    if not isinstance(answer, BaseException) and not any(record.code == "ok" for record in world.records_of(context)):
        broken.append("an answer left without its record")
    if context in world.unrecorded:
        broken.append("something was changed without its record")
    if isinstance(answer, BaseException) and not isinstance(answer, Unavailable | OutcomeUnknown):
        broken.append(f"the caller got {answer!r}")
    if isinstance(answer, Unavailable) and context in world.changed:
        broken.append("the caller was told that nothing was changed")
    if seconds > PATIENCE + SLACK:
        broken.append("the caller waited too long")
    return broken


async def meet(world: World, road: Handler, operation: Operation[Any], number: int) -> tuple[Context, object, float]:
    context = context_of(operation, number)
    start = time.monotonic()
    (answer,) = await asyncio.gather(road(context), return_exceptions=True)
    return context, answer, time.monotonic() - start


def patience_for(fault: str) -> float:
    """Only a hang is to end by itself; every other fault is known at once."""
    return PATIENCE if "hanging" in fault else 30


async def _opened(place: FilePath, journal: type[Journal], patience: float) -> World:
    folder = place / "audit"
    disk = FaultyDisk(folder)
    settings = kept(patience=patience, reserve_bytes=4_096)
    world = World(folder, disk, journal(folder, 0, bytes(32), SystemClock(), settings=settings, disk=disk))
    await world.journal.open(lambda record: "unknown")
    return world


async def _close(world: World) -> None:
    world.disk.fault = ""
    world.disk.ended.set()
    await world.journal.close(1)


def run_with(
    place: FilePath, scene: Callable[[World], Any], journal: type[Journal] = Journal, patience: float = 30
) -> None:
    """Play the scene in a world of its own."""

    async def run() -> None:
        world = await _opened(place, journal, patience)
        try:
            await scene(world)
        finally:
            await _close(world)

    asyncio.run(run())


def run_for_each(place: FilePath, scene: Callable[[World, Operation[Any]], Any], patience: float) -> None:
    """Play the scene with every operation, each in a world of its own."""

    async def run(numbers: range) -> None:
        worlds = [await _opened(place / str(number), Journal, patience) for number in numbers]
        try:
            await asyncio.gather(*(scene(world, EVERY[number]) for world, number in zip(worlds, numbers, strict=True)))
        finally:
            await asyncio.gather(*map(_close, worlds))

    for first in range(0, len(EVERY), SIDE_BY_SIDE):
        asyncio.run(run(range(first, min(first + SIDE_BY_SIDE, len(EVERY)))))
