"""No audit, no secret: every fault of the audit's disk, met by every operation that the road records.

For each pair: no value leaves and nothing is changed without a record on disk, and the caller hears of it within the
audit's patience. Controls show that the same checks catch a journal that swallows its errors.
"""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path as FilePath
from typing import Any

import pytest
from wardgate.context import Context
from wardgate.pipeline import compose
from wardgate.pipeline.audit import Audit, Journal, trouble, verify
from wardgate.pipeline.audit.sink import Disk
from wardgate.pipeline.begin import Begin
from wardgate.spi.errors import PermissionDenied, Unavailable, WardgateError
from wardgate.spi.frontend import Outcome
from wardgate.spi.operations.base import Batch, Operation
from wardgate.spi.operations.secrets import (
    DeleteSecret,
    ListSecrets,
    ReadSecret,
    WriteSecret,
)
from wardgate.spi.operations.system import ReadHealth, ReadSealStatus
from wardgate.spi.operations.tokens import LookupSelf
from wardgate.spi.values import Value

from tests.faults.audit_world import (
    FAULTS,
    PATIENCE,
    SECRET,
    FaultyDisk,
    World,
    broken_promises,
    context_of,
    meet,
    patience_for,
    run_for_each,
    run_with,
)
from tests.faults.every_operation import EVERY, PATH, kinds

WRITING = WriteSecret(path=PATH, value=Value(b"new"))
ASKING = (ReadSecret(path=PATH), ListSecrets(path=PATH), LookupSelf(), ReadSealStatus())


def test_no_operation_is_left_out() -> None:
    """Of all classes there are, only the batches' common base is no request, and only health is not recorded."""

    def below(kind: type[Operation[Any]]) -> set[str]:
        ours = [each for each in kind.__subclasses__() if each.__module__.startswith("wardgate")]
        return {each.__name__ for each in ours}.union(*map(below, ours))

    assert below(Operation) == {kind.__name__ for kind in kinds()} | {Batch.__name__}
    assert {type(operation) for operation in EVERY} == kinds() - {ReadHealth}
    assert len(EVERY) == len(kinds()) - 1


@pytest.mark.parametrize("fault", FAULTS)
def test_no_audit_no_secret(tmp_path: FilePath, fault: str) -> None:
    """Twelve faults, each there before the requests, for every operation; health alone is served."""

    async def scene(world: World) -> None:
        road = compose([Audit(world.journal), Begin(world.journal)], world.store)
        world.disk.begin(fault)
        for number, operation in enumerate(EVERY):
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

    run_for_each(tmp_path, scene, patience_for(fault))


@pytest.mark.parametrize("fault", ["sync error", "full disk at the sync", "half written, cannot be cut back"])
def test_a_retired_sink_stays_retired(tmp_path: FilePath, fault: str) -> None:
    """A failed sync is never tried again, not even when the disk says that all is well."""

    async def scene(world: World) -> None:
        road = compose([Audit(world.journal), Begin(world.journal)], world.store)
        world.disk.begin(fault)
        await meet(world, road, ReadSecret(path=PATH), 1)
        world.disk.fault = ""
        assert world.journal.fault
        for number, operation in enumerate(EVERY):
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
        for number, operation in enumerate([*ASKING, WRITING, DeleteSecret(path=PATH)]):
            await meet(world, road, operation, number)
        world.disk.fault = ""
        world.disk.ended.set()
        world.folder.mkdir(exist_ok=True, mode=0o700)
        while True:
            context, answer, _ = await meet(world, road, WRITING, 99)
            if not isinstance(answer, Unavailable):
                break
            await asyncio.sleep(0.01)
        assert SECRET is answer
        assert ["request", "closing"] == [record.kind for record in world.records_of(context)]

    run_with(tmp_path, scene, patience=patience_for(fault))
    if "deleted" not in fault:
        report = verify(tmp_path / "audit")
        assert (True, ()) == (report.ok, report.shards[0].open)


CAUSES = {
    "full disk": "the audit's disk is full; free some space",
    "full disk, half written": "the audit's disk is full; free some space",
    "quota": "the audit's quota on its disk is used up; free some space",
    "write error": "the audit cannot be written: Input/output error; check its folder and the disk",
    "read-only": "the audit cannot be written: Read-only file system; check its folder and the disk",
    "deleted folder": "the audit cannot be written: No such file or directory; check its folder and the disk",
    "hanging write": "the audit's disk does not answer; check the disk and the system's log",
    "hanging sync": "the audit's disk does not answer; check the disk and the system's log",
    "sync error": "the audit can no longer be written; the gateway's log says why",
}


@pytest.mark.parametrize("fault", CAUSES)
def test_every_caller_hears_the_cause_and_what_to_do(tmp_path: FilePath, fault: str) -> None:
    """The first as the later ones, of reads and of changes."""

    async def scene(world: World) -> None:
        road = compose([Audit(world.journal), Begin(world.journal)], world.store)
        world.disk.begin(fault)
        for number, operation in enumerate([ReadSecret(path=PATH), DeleteSecret(path=PATH)] * 2):
            _, answer, _ = await meet(world, road, operation, number)
            assert isinstance(answer, Unavailable)
            assert CAUSES[fault] == answer.message

    run_with(tmp_path, scene, patience=patience_for(fault))


@pytest.mark.parametrize("fault", [fault for fault in CAUSES if fault not in {"sync error", "quota"}])
def test_the_log_has_a_line_at_the_beginning_and_one_at_the_end(
    tmp_path: FilePath, fault: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """However many requests were refused between."""
    monkeypatch.setattr(trouble, "QUIET", 0.0)

    def lines() -> list[tuple[str, str]]:
        ours = [record for record in caplog.records if record.name == trouble.__name__]
        return [(vars(record)["event"], record.getMessage()) for record in ours]

    async def scene(world: World) -> None:
        road = compose([Audit(world.journal), Begin(world.journal)], world.store)
        await meet(world, road, ReadSecret(path=PATH), 0)
        assert [] == lines()
        world.disk.begin(fault)
        for number in range(20):
            await meet(world, road, (DeleteSecret if number % 2 else ReadSecret)(path=PATH), number)
        refused = "audit records cannot be written and requests are refused"
        assert [("audit_unwritten", f"{refused}: {CAUSES[fault]}")] == lines()
        world.disk.fault = ""
        world.disk.ended.set()
        world.folder.mkdir(exist_ok=True, mode=0o700)
        while len(lines()) < 2:
            await meet(world, road, ReadSecret(path=PATH), 99)
            await asyncio.sleep(0.01)
        for number in range(20):
            await meet(world, road, ReadSecret(path=PATH), number)
        assert ["audit_unwritten", "audit_written"] == [event for event, _ in lines()]

    with caplog.at_level("INFO", trouble.__name__):
        run_with(tmp_path, scene, patience=patience_for(fault))


@pytest.mark.parametrize("fault", ["hanging write", "hanging sync"])
def test_everyone_who_waits_for_a_hanging_disk_is_answered(tmp_path: FilePath, fault: str) -> None:
    """Within the patience, together, and who comes later at once."""

    async def scene(world: World) -> None:
        road = compose([Audit(world.journal), Begin(world.journal)], world.store)
        world.disk.begin(fault)
        met = await asyncio.gather(*(meet(world, road, EVERY[n % len(EVERY)], n) for n in range(100)))
        assert [] == [broken for each in met for broken in broken_promises(world, *each)]
        _, answer, seconds = await meet(world, road, ASKING[0], 1)
        assert isinstance(answer, Unavailable)
        assert seconds < PATIENCE

    run_with(tmp_path, scene, patience=PATIENCE)


def test_denials_wait_for_their_record_too(tmp_path: FilePath) -> None:
    """A denial that could not be recorded is answered as Unavailable."""

    async def denied(context: Context) -> Outcome[Any]:
        raise PermissionDenied("no rule allows it")

    async def scene(world: World) -> None:
        world.disk.begin("write error")
        _, answer, _ = await meet(world, compose([Audit(world.journal)], denied), ASKING[0], 1)
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
        for number, operation in enumerate(EVERY, start=2):
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
    """The checks of this file can fail: of every operation they name the answer that left and the change made."""

    async def scene(world: World) -> None:
        road = compose([Audit(world.journal), Begin(world.journal)], world.store)
        world.disk.begin(fault)
        met = await asyncio.gather(*(meet(world, road, operation, n) for n, operation in enumerate(EVERY)))
        for each in met:
            broken = broken_promises(world, *each)
            operation = each[0].operation
            assert "an answer left without its record" in broken, operation.name()
            assert operation.mutates is ("something was changed without its record" in broken), operation.name()

    run_with(tmp_path, scene, Swallowing, patience_for(fault))
