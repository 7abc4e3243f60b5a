"""No audit, no secret: every fault of the audit's disk, met by every kind of operation.

For each pair: no value leaves and nothing is changed without a record on disk, and the caller hears of it within the
audit's patience. Controls show that the same checks catch a journal that swallows its errors.
"""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path as FilePath
from typing import Any

import pytest
from wardgate.clock import SystemClock
from wardgate.context import Context
from wardgate.pipeline import Handler, compose
from wardgate.pipeline.audit import Audit, Journal, Record, Settings, verify
from wardgate.pipeline.audit.record import read
from wardgate.pipeline.audit.sink import Disk, files_of
from wardgate.pipeline.begin import Begin
from wardgate.spi.errors import OutcomeUnknown, PermissionDenied, Unavailable, WardgateError
from wardgate.spi.frontend import Arrival, Outcome
from wardgate.spi.identity import Principal
from wardgate.spi.operations.approle import Login
from wardgate.spi.operations.base import Operation
from wardgate.spi.operations.keys import CreateKey
from wardgate.spi.operations.mounts import CreateMount
from wardgate.spi.operations.policies import DeletePolicy
from wardgate.spi.operations.secrets import (
    AnnotateSecret,
    DeleteSecret,
    DestroySecret,
    ListSecrets,
    MoveStage,
    Ordinal,
    ReadSecret,
    UndeleteSecret,
    WriteSecret,
)
from wardgate.spi.operations.system import ReadHealth, ReadSealStatus
from wardgate.spi.operations.tokens import LookupSelf, RevokeSelf
from wardgate.spi.path import Path
from wardgate.spi.values import SecretVersion, Value, VersionInfo

PATIENCE = 0.2
SLACK = 0.8
SECRET = Outcome(SecretVersion(VersionInfo("1", 1), Value(b"the secret")))
PATH = Path(("secret", "db"))

OPERATIONS: tuple[Operation[Any], ...] = (
    ReadSecret(path=PATH),
    ListSecrets(path=PATH),
    LookupSelf(),
    ReadSealStatus(),
    WriteSecret(path=PATH, value=Value(b"new")),
    AnnotateSecret(path=PATH, labels={}),
    DeleteSecret(path=PATH),
    UndeleteSecret(path=PATH, versions=(Ordinal(1),)),
    DestroySecret(path=PATH),
    MoveStage(path=PATH, stage="previous", version=None),
    RevokeSelf(),
    CreateKey(key_name="k", policies=()),
    CreateMount(path=Path(("sys", "mounts", "m")), type="native"),
    DeletePolicy(path=Path(("sys", "policies", "p"))),
    Login(role_id="r", secret_id="s"),
)


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
        return SECRET

    def records_of(self, context: Context) -> list[Record]:
        """The request's records that a power cut would leave."""
        if not self.folder.exists():
            return []
        files = [file for files in files_of(self.folder).values() for file in files.values()]
        kept = [file.read_bytes()[: self.disk.durable.get(file.stat().st_ino, 0)] for file in files]
        records = [read(line) for text in kept for line in text.splitlines(keepends=True) if line.endswith(b"\n")]
        return [record for record in records if record.request == context.arrival.id]


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


def run_with(
    place: FilePath, scene: Callable[[World], Any], journal: type[Journal] = Journal, patience: float = 30
) -> None:
    async def run() -> None:
        folder = place / "audit"
        disk = FaultyDisk(folder)
        settings = Settings(patience=patience, reserve_bytes=4_096)
        world = World(folder, disk, journal(folder, 0, bytes(32), SystemClock(), settings=settings, disk=disk))
        await world.journal.open(lambda record: "unknown")
        try:
            await scene(world)
        finally:
            disk.fault = ""
            disk.ended.set()
            await world.journal.close(1)

    asyncio.run(run())


@pytest.mark.parametrize("fault", FAULTS)
def test_no_audit_no_secret(tmp_path: FilePath, fault: str) -> None:
    """Twelve faults, each there before the requests, for every operation; health alone is served."""

    async def scene(world: World) -> None:
        road = compose([Audit(world.journal), Begin(world.journal)], world.store)
        world.disk.begin(fault)
        for number, operation in enumerate(OPERATIONS):
            assert [] == broken_promises(world, *await meet(world, road, operation, number)), operation.name()
        assert not fault.endswith(("sync", "sync error")) or world.disk.syncs_while_faulty == 1
        assert SECRET is await road(context_of(ReadHealth()))

    run_with(tmp_path, scene, patience=patience_for(fault))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_between_the_change_and_its_closing_record(tmp_path: FilePath, fault: str) -> None:
    """No value leaves, and of a change that was made the caller never hears that it was not."""

    async def scene(world: World, operation: Operation[Any]) -> None:
        async def store(context: Context) -> Outcome[Any]:
            answer = await world.store(context)
            world.disk.begin(fault)
            return answer

        road = compose([Audit(world.journal), Begin(world.journal)], store)
        assert [] == broken_promises(world, *await meet(world, road, operation, 1)), operation.name()

    for number, operation in enumerate(OPERATIONS):
        run_with(tmp_path / str(number), partial(scene, operation=operation), patience=patience_for(fault))


@pytest.mark.parametrize("fault", ["sync error", "full disk at the sync", "half written, cannot be cut back"])
def test_a_retired_sink_stays_retired(tmp_path: FilePath, fault: str) -> None:
    """A failed sync is never tried again, not even when the disk says that all is well."""

    async def scene(world: World) -> None:
        road = compose([Audit(world.journal), Begin(world.journal)], world.store)
        world.disk.begin(fault)
        await meet(world, road, ReadSecret(path=PATH), 1)
        world.disk.fault = ""
        assert world.journal.fault
        for number, operation in enumerate(OPERATIONS):
            _, answer, _ = await meet(world, road, operation, number)
            assert isinstance(answer, Unavailable)
        assert [] == world.changed

    run_with(tmp_path, scene)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if "sync" not in fault and "cut back" not in fault])
def test_service_returns_with_the_disk(tmp_path: FilePath, fault: str) -> None:
    """A full disk, a write error or a hang is over when it is over, and the chain holds."""

    async def scene(world: World) -> None:
        road = compose([Audit(world.journal), Begin(world.journal)], world.store)
        world.disk.begin(fault)
        for number, operation in enumerate(OPERATIONS[:6]):
            await meet(world, road, operation, number)
        world.disk.fault = ""
        world.disk.ended.set()
        world.folder.mkdir(exist_ok=True, mode=0o700)
        while True:
            context, answer, _ = await meet(world, road, OPERATIONS[4], 99)
            if not isinstance(answer, Unavailable):
                break
            await asyncio.sleep(0.01)
        assert SECRET is answer
        assert ["request", "closing"] == [record.kind for record in world.records_of(context)]

    run_with(tmp_path, scene, patience=patience_for(fault))
    if "deleted" not in fault:
        report = verify(tmp_path / "audit")
        assert (True, ()) == (report.ok, report.shards[0].open)


@pytest.mark.parametrize("fault", ["hanging write", "hanging sync"])
def test_everyone_who_waits_for_a_hanging_disk_is_answered(tmp_path: FilePath, fault: str) -> None:
    """Within the patience, together, and who comes later at once."""

    async def scene(world: World) -> None:
        road = compose([Audit(world.journal), Begin(world.journal)], world.store)
        world.disk.begin(fault)
        met = await asyncio.gather(*(meet(world, road, OPERATIONS[n % len(OPERATIONS)], n) for n in range(100)))
        assert [] == [broken for each in met for broken in broken_promises(world, *each)]
        _, answer, seconds = await meet(world, road, OPERATIONS[0], 1)
        assert isinstance(answer, Unavailable)
        assert seconds < PATIENCE

    run_with(tmp_path, scene, patience=PATIENCE)


def test_denials_wait_for_their_record_too(tmp_path: FilePath) -> None:
    """A denial that could not be recorded is answered as Unavailable."""

    async def denied(context: Context) -> Outcome[Any]:
        raise PermissionDenied("no rule allows it")

    async def scene(world: World) -> None:
        world.disk.begin("write error")
        _, answer, _ = await meet(world, compose([Audit(world.journal)], denied), OPERATIONS[0], 1)
        assert isinstance(answer, Unavailable)

    run_with(tmp_path, scene)


def test_the_reserve_lets_changes_under_way_be_closed(tmp_path: FilePath) -> None:
    """On a full disk what was begun gets its closing record from the reserve's room; nothing new begins."""

    class Reserved(FaultyDisk):
        def write(self, descriptor: int, data: bytes | memoryview) -> int:
            if self.fault and (self.folder / "shard-0.reserve").exists():
                raise OSError(errno.ENOSPC, "No space left on device")
            return Disk.write(self, descriptor, data)

    async def scene(world: World) -> None:
        world.disk.__class__ = Reserved

        async def store(context: Context) -> Outcome[Any]:
            world.disk.begin("full disk")
            return await world.store(context)

        road = compose([Audit(world.journal), Begin(world.journal)], store)
        _, answer, _ = await meet(world, road, WriteSecret(path=PATH, value=Value(b"new")), 1)
        assert SECRET is answer
        for number, operation in enumerate(OPERATIONS, start=2):
            _, refused, _ = await meet(world, road, operation, number)
            assert isinstance(refused, Unavailable)
        assert 1 == len(world.changed)

    run_with(tmp_path, scene)
    report = verify(tmp_path / "audit")
    assert (True, ()) == (report.ok, report.shards[0].open)


class Swallowing(Journal):
    """The control: says that all is well whatever the disk says."""

    async def request(self, context: Context) -> str:
        """Pretend."""
        try:
            return await super().request(context)
        except Unavailable:
            return "pretended"

    async def closing(self, context: Context, code: str, outcome: Outcome[Any] | None = None) -> None:
        """Pretend."""
        try:
            await super().closing(context, code, outcome)
        except WardgateError:
            return

    def check(self) -> None:
        """Pretend."""


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "deleted file"])
def test_a_journal_that_swallows_errors_is_caught(tmp_path: FilePath, fault: str) -> None:
    """The checks of this file can fail: they name the answer that left and the change that was made."""

    async def scene(world: World) -> None:
        road = compose([Audit(world.journal), Begin(world.journal)], world.store)
        world.disk.begin(fault)
        read_ = broken_promises(world, *await meet(world, road, ReadSecret(path=PATH), 1))
        written = broken_promises(world, *await meet(world, road, DeleteSecret(path=PATH), 2))
        assert "an answer left without its record" in read_
        assert "something was changed without its record" in written

    run_with(tmp_path, scene, Swallowing, patience_for(fault))


REAL = """
import asyncio, pathlib, resource, sys
from wardgate.clock import SystemClock
from wardgate.context import Context
from wardgate.pipeline import compose
from wardgate.pipeline.audit import Audit, Journal, Settings
from wardgate.pipeline.begin import Begin
from wardgate.spi.errors import OutcomeUnknown, Unavailable
from wardgate.spi.frontend import Arrival, Outcome
from wardgate.spi.identity import Principal
from wardgate.spi.operations.secrets import DeleteSecret
from wardgate.spi.path import Path

changed = []

async def store(context):
    changed.append(context.arrival.id)
    return Outcome(None)

async def main():
    folder, limit = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    clock = SystemClock()
    journal = Journal(folder, 0, bytes(32), clock, settings=Settings(reserve_bytes=65_536))
    await journal.open(lambda record: "unknown")
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    road = compose([Audit(journal), Begin(journal)], store)
    refused = 0
    for number in range(1_000):
        arrival = Arrival(f"r-{number}", clock.now(), 0.0, "192.0.2.1")
        context = Context(arrival, DeleteSecret(path=Path(("a",))), None, "root")
        context.principal = Principal("p", "root", "n", "key", (), "a")
        try:
            await road(context)
        except (OutcomeUnknown, Unavailable):
            refused += 1
    await journal.close()
    print(refused, *changed)

asyncio.run(main())
"""


def refused_and_changed(folder: FilePath, limit: int) -> tuple[int, set[str]]:
    command = [sys.executable, "-c", REAL, str(folder), str(limit)]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    refused, *changed = ended.stdout.split()
    return int(refused), set(changed)


def assert_recorded(folder: FilePath, refused: int, changed: set[str]) -> None:
    assert refused > 0
    assert changed
    assert verify(folder).ok
    lines = [line for file in files_of(folder)[0].values() for line in file.read_bytes().splitlines(keepends=True)]
    records = [read(line) for line in lines]
    assert set() == changed - {record.request for record in records if record.kind == "request"}


def test_a_file_that_may_not_grow(tmp_path: FilePath) -> None:
    """The kernel's own refusal, through RLIMIT_FSIZE: every change that was made is on record, the rest was refused."""
    folder = tmp_path / "audit"
    assert_recorded(folder, *refused_and_changed(folder, 100_000))


@pytest.fixture
def small_disk(tmp_path: FilePath) -> Iterator[FilePath]:
    """A file system of 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounting = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if mounting.returncode or os.statvfs(place).f_blocks * os.statvfs(place).f_frsize > 1_000_000:
        pytest.skip(f"a small file system cannot be mounted here: {mounting.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_real_full_disk(small_disk: FilePath) -> None:
    """Every change that was made is on record with its end; the reserve gave the last ones their room."""
    folder = small_disk / "audit"
    refused, changed = refused_and_changed(folder, 0)
    assert_recorded(folder, refused, changed)
    assert () == verify(folder).shards[0].open
