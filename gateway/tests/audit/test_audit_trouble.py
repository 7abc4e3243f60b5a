"""What callers and the operator hear of a disk that does not take records."""

from __future__ import annotations

import asyncio
import errno
import os
from typing import Any

import pytest
from wardgate.pipeline import compose
from wardgate.pipeline.audit import Audit, Journal
from wardgate.pipeline.audit.sink import Disk
from wardgate.pipeline.audit.trouble import DISK_FULL, QUIET, sentence_for
from wardgate.pipeline.begin import Begin
from wardgate.spi.errors import OutcomeUnknown, Unavailable
from wardgate.spi.frontend import Outcome

from tests.support.audit_settings import kept


class Moody(Disk):
    """Fails with ``error`` while that is set; ``room``: whether the reserve fits."""

    error = 0
    room = True

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        if self.error:
            raise OSError(self.error, os.strerror(self.error))
        return super().write(descriptor, data)

    def allocate(self, descriptor: int, size: int) -> None:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().allocate(descriptor, size)


def events(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [vars(record)["event"] for record in caplog.records]


def test_a_disk_that_fails_now_and_then_does_not_fill_the_log(audited: Any, caplog: pytest.LogCaptureFixture) -> None:
    """It is well again once nothing failed for a while, and only that begins a new line."""
    disk = Moody()

    async def one(journal: Journal, error: int) -> None:
        disk.error = error
        await asyncio.gather(journal.closing(audited.context(), "ok"), return_exceptions=True)

    async def work(journal: Journal) -> None:
        for _ in range(10):
            await one(journal, errno.EIO)
            audited.clock.seconds += QUIET - 1
            await one(journal, 0)
        assert ["audit_unwritten"] == events(caplog)
        audited.clock.seconds += 1
        await one(journal, 0)
        assert ["audit_unwritten", "audit_written"] == events(caplog)
        await one(journal, errno.EIO)
        assert ["audit_unwritten", "audit_written", "audit_unwritten"] == events(caplog)

    with caplog.at_level("INFO"):
        asyncio.run(audited.run(work, disk=disk))


def test_a_disk_without_room_for_the_reserve_is_called_full(audited: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Also from the start, where no write failed yet."""
    disk = Moody()
    disk.room = False

    async def work(journal: Journal) -> None:
        for _ in range(3):
            with pytest.raises(Unavailable) as refused:
                await journal.closing(audited.context(), "ok")
            assert DISK_FULL == refused.value.message
        assert ["audit_unwritten"] == events(caplog)
        disk.room = True
        await journal.closing(audited.context(), "ok")

    asyncio.run(audited.run(work, disk=disk))


def test_a_change_that_was_made_is_told_with_the_cause(audited: Any) -> None:
    """Its caller learns both: that it was made, and why nothing confirms it."""
    disk = Moody()

    async def innermost(context: Any) -> Outcome[Any]:
        disk.error = errno.ENOSPC
        return Outcome(None)

    async def work(journal: Journal) -> None:
        with pytest.raises(OutcomeUnknown) as unknown:
            await compose([Audit(journal), Begin(journal)], innermost)(audited.write())
        assert f"the change was made, but the audit could not confirm it: {DISK_FULL}" == unknown.value.message
        disk.error = 0

    asyncio.run(audited.run(work, kept(reserve_bytes=0), disk=disk))


def test_no_sentence_has_a_path() -> None:
    """Callers are told it too."""
    error = FileNotFoundError(errno.ENOENT, "No such file or directory", "/var/log/wardgate/audit")
    assert "/" not in sentence_for(error)
