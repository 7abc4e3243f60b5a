"""Power cuts under the audit: a record that somebody was told of survives losing all that was not synced."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path as FilePath

import pytest
from wardgate.pipeline.audit import verify
from wardgate.pipeline.audit.record import Broken, lines_of, read
from wardgate.pipeline.audit.sink import files_of

from tests.faults import audit_writer
from tests.faults.killed import Writers
from tests.faults.power_cut import CUTS, cut, library


@pytest.fixture(scope="module")
def writers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writers]:
    """Writers on a disk that forgets."""
    made = Writers(audit_writer.__name__, preload=library(tmp_path_factory.mktemp("shim")))
    yield made
    made.close()


def lost(folder: FilePath, acknowledged: set[str]) -> set[str]:
    """Those acknowledged records that are not there."""
    found = set()
    for file in files_of(folder).get(0, {}).values():
        for line in lines_of(file):
            with suppress(Broken):
                record = read(line)
                found.add(f"{record.request} {record.kind}")
    return acknowledged - found


async def boot(folder: FilePath) -> None:
    """The next start."""
    journal = audit_writer.journal_in(folder)
    await journal.open(lambda record: "unknown")
    await journal.close()


@pytest.mark.slow
def test_no_acknowledged_record_is_lost(tmp_path: FilePath, writers: Writers) -> None:
    """Twenty cuts at random moments lose nothing; the chain holds, and the next start closes what was cut off."""
    moments = random.Random(400)
    files = 0
    for number in range(CUTS):
        kept, acknowledged = cut(tmp_path / str(number), writers, moments, mode="plain", WARDGATE_CUT_NAMES="1")
        assert set() == lost(kept, acknowledged)
        assert verify(kept).ok
        asyncio.run(boot(kept))
        (shard,) = verify(kept).shards
        assert (None, 2, ()) == (shard.bad, shard.boots, shard.open)
        assert set() == lost(kept, acknowledged)
        files += shard.files
    assert files > 2 * CUTS


@pytest.mark.slow
def test_control_without_the_sync_records_are_lost(tmp_path: FilePath, writers: Writers) -> None:
    """With ``synced`` off the same cuts lose acknowledged records; a shim that saw none would be blind."""
    moments = random.Random(400)
    assert any(lost(*cut(tmp_path / str(number), writers, moments, mode="unsynced")) for number in range(CUTS))
