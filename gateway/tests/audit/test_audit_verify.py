"""What verify says to people and to machines."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from wardgate.pipeline.audit import Journal, verify

from tests.support.audit_settings import kept

ONE_FILE = kept(reserve_bytes=0)


def test_a_good_audit_is_said_in_a_sentence(audited: Any) -> None:
    """With what was counted."""

    async def work(journal: Journal) -> None:
        await journal.closing(audited.context(), "ok")

    asyncio.run(audited.run(work, ONE_FILE))
    report = verify(audited.folder)
    assert ("Shard 0 holds: 3 records of 1 boots in 1 files.",) == report.sentences()
    assert report.ok


def test_the_first_bad_record_is_named(audited: Any) -> None:
    """File, line and what is wrong with it; the same as JSON."""

    async def work(journal: Journal) -> None:
        await journal.closing(audited.context(), "permission_denied")

    asyncio.run(audited.run(work, ONE_FILE))
    file = audited.files()[0]
    file.write_bytes(file.read_bytes().replace(b"permission_denied", b"ok"))
    report = verify(audited.folder)
    what = "does not match its hash: it, or what stood before it, was changed"
    assert (f"Shard 0 is BROKEN: shard-0-000001.jsonl, line 3: {what}.",) == report.sentences()
    assert not report.ok
    shards: Any = json.loads(json.dumps(report.as_dict()))["shards"]
    assert {"file": "shard-0-000001.jsonl", "line": 3, "what": what} == shards[0]["bad"]


def test_an_empty_folder_has_nothing_to_check(audited: Any) -> None:
    """Which is not the same as an audit that holds."""
    audited.folder.mkdir()
    report = verify(audited.folder)
    assert ((), (f"There is no audit in {audited.folder}.",)) == (report.shards, report.sentences())


def test_a_missing_folder_is_an_error(audited: Any) -> None:
    """The caller says so in its own words."""
    with pytest.raises(FileNotFoundError):
        verify(audited.folder)


def test_a_record_of_another_shard_is_found(audited: Any) -> None:
    """A whole file cannot be passed off as another shard's."""

    async def work(journal: Journal) -> None:
        await journal.closing(audited.context(), "ok")

    asyncio.run(audited.run(work, ONE_FILE))
    audited.files()[0].rename(audited.folder / "shard-1-000001.jsonl")
    assert (
        "Shard 1 is BROKEN: shard-1-000001.jsonl, line 1: is not the first record of file 1 of shard 1.",
    ) == verify(audited.folder).sentences()


def test_verify_changes_nothing(audited: Any) -> None:
    """It reads only, also when the gateway runs and the last line is half there."""

    async def work(journal: Journal) -> None:
        await journal.closing(audited.context(), "ok")
        file = audited.files()[0]
        before = file.read_bytes(), file.stat().st_mtime_ns
        assert verify(audited.folder).ok
        assert before == (file.read_bytes(), file.stat().st_mtime_ns)

    asyncio.run(audited.run(work, ONE_FILE))
