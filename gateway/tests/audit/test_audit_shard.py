"""Files and boots: rotation, retention, what a crash leaves, what somebody else did to the files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from wardgate.pipeline.audit import Found, Journal, Record, Settings, verify
from wardgate.pipeline.audit.sink import Disk
from wardgate.spi.errors import Unavailable

from tests.support.audit_settings import kept


def reads(audited: Any, count: int) -> Callable[[Journal], Awaitable[None]]:
    async def work(journal: Journal) -> None:
        for _ in range(count):
            await journal.closing(audited.context(), "ok")

    return work


def with_settings(audited: Any, **changes: Any) -> Settings:
    return kept(**{"max_file_bytes": 2_000, "reserve_bytes": 0, **changes})


def test_full_files_are_followed_by_the_next(audited: Any) -> None:
    """Each file begins with a record that links it to the one before; nothing is lost between."""
    asyncio.run(audited.run(reads(audited, 20)))
    shard = verify(audited.folder).shards[0]
    assert (len(audited.files()), None) == (shard.files, shard.bad)
    assert shard.files > 3
    assert list(range(1, shard.records + 1)) == [record["sequence"] for record in audited.lines()]


def test_retention_removes_the_oldest_and_says_so(audited: Any) -> None:
    """The files left verify by themselves; one that went without a word does not."""
    asyncio.run(audited.run(reads(audited, 40), with_settings(audited, retention_files=3)))
    names = [file.name for file in audited.files()]
    report = verify(audited.folder)
    assert (3, None) == (len(names), report.shards[0].bad)
    assert report.shards[0].starts_at > 3
    audited.files()[0].unlink()
    bad = verify(audited.folder).shards[0].bad
    assert bad is not None
    assert (names[0], "is missing, and retention did not do it") == (bad.file, bad.what)


def test_a_boot_links_to_the_boot_before(audited: Any) -> None:
    """The chain and the sequence run on over boots."""
    for _ in range(3):
        asyncio.run(audited.run(reads(audited, 4)))
    records = audited.lines()
    boots = [index for index, record in enumerate(records) if record["kind"] == "boot"]
    assert [records[index - 1]["hash"] for index in boots] == [records[index]["previous"] for index in boots]
    assert 3 == len({record["boot"] for record in records})
    assert verify(audited.folder).ok


@pytest.mark.parametrize("kept", [1, 40, -2, -1])
def test_a_half_written_line_is_cut_off_and_recorded(audited: Any, kept: int) -> None:
    """Whatever a crash left of the last line goes, and the boot record says how many bytes."""
    asyncio.run(audited.run(reads(audited, 2), with_settings(audited, max_file_bytes=10_000)))
    file = audited.files()[-1]
    whole = file.read_bytes()
    half = whole.splitlines(keepends=True)[-1][:kept]
    file.write_bytes(whole + half)
    assert verify(audited.folder).shards[0].unfinished
    asyncio.run(audited.run(reads(audited, 1), with_settings(audited, max_file_bytes=10_000)))
    assert len(half) == next(record["cut"] for record in reversed(audited.lines()) if record["kind"] == "boot")
    assert verify(audited.folder).ok


@pytest.mark.parametrize("left", [b"", b'{"shard":0,"boot":"x'])
def test_a_crash_between_two_files_is_mended(audited: Any, left: bytes) -> None:
    """A new file without a whole record is removed; the one before goes on."""
    asyncio.run(audited.run(reads(audited, 1), with_settings(audited, max_file_bytes=10_000)))
    (audited.folder / "shard-0-000002.jsonl").write_bytes(left)
    asyncio.run(audited.run(reads(audited, 1), with_settings(audited, max_file_bytes=10_000)))
    assert ["shard-0-000001.jsonl"] == [file.name for file in audited.files()]
    assert verify(audited.folder).ok


@pytest.mark.parametrize(
    ("found", "code"), [("committed", "ok"), ("absent", "unavailable"), ("unknown", "outcome_unknown")]
)
def test_what_a_crash_left_open_is_closed_at_boot(audited: Any, found: Found, code: str) -> None:
    """Also when files turned since: the file carries the request record. The store is asked with all it needs."""
    asked: list[Record] = []

    def resolve(record: Record) -> Found:
        asked.append(record)
        return found

    async def crash(journal: Journal) -> None:
        await journal.request(audited.write())
        await reads(audited, 10)(journal)
        journal._pairs.clear()  # as if the process were gone: nobody will close it

    async def boot() -> None:
        journal = audited.journal()
        await journal.open(resolve)
        await journal.close()

    asyncio.run(audited.run(crash))
    assert len(audited.files()) > 2
    pair = next(record["pair"] for record in audited.lines() if record["kind"] == "request")
    assert (pair,) == verify(audited.folder).shards[0].open
    asyncio.run(boot())
    assert [(pair, "root", "WriteSecret", "secret/team/db")] == [
        (record.pair, record.namespace, record.operation, record.path) for record in asked
    ]
    closed = audited.lines()[-1]
    assert (pair, found, code) == (closed["pair"], closed["recovered"], closed["code"])
    assert () == verify(audited.folder).shards[0].open


def test_what_cannot_be_asked_is_unknown(audited: Any) -> None:
    """A store that is down at boot does not keep the gateway from starting."""

    def down(record: Record) -> Found:
        raise Unavailable("the store does not answer")

    async def crash(journal: Journal) -> None:
        await journal.request(audited.write())
        journal._pairs.clear()

    async def boot() -> None:
        journal = audited.journal()
        await journal.open(down)
        await journal.close()

    asyncio.run(audited.run(crash))
    asyncio.run(boot())
    assert ("unknown", "outcome_unknown") == (audited.lines()[-1]["recovered"], audited.lines()[-1]["code"])


def test_a_broken_file_is_left_as_it_is_and_a_new_one_begun(audited: Any) -> None:
    """Nothing is repaired: the evidence stays, the gateway serves, and verify keeps naming the bad record."""
    asyncio.run(audited.run(reads(audited, 6), with_settings(audited, max_file_bytes=10_000)))
    file = audited.files()[0]
    lines = file.read_bytes().splitlines(keepends=True)
    lines[4] = lines[4].replace(b"secret/team/db", b"secret/team/dc")
    broken = b"".join(lines)
    file.write_bytes(broken)
    asyncio.run(audited.run(reads(audited, 1), with_settings(audited, max_file_bytes=10_000)))
    assert broken == file.read_bytes()
    header = next(record for record in audited.lines() if record.get("fault"))
    assert ("file", 2) == (header["kind"], header["number"])
    bad = verify(audited.folder).shards[0].bad
    assert bad is not None
    assert (file.name, 5) == (bad.file, bad.line)


def test_a_file_with_a_broken_beginning_does_not_restart_the_chain(audited: Any) -> None:
    """The chain goes on from the last record that holds, in the file before."""
    asyncio.run(audited.run(reads(audited, 5)))
    last = audited.files()[-1]
    count = len(audited.files())
    before = sum(len(file.read_bytes().splitlines()) for file in audited.files()[:-1])
    last.write_bytes(b"junk\n")
    asyncio.run(audited.run(reads(audited, 1)))
    header = next(record for file in audited.files()[count:] for record in _lines(file))
    assert (before + 1, count + 1) == (header["sequence"], header["number"])


def _lines(file: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.mark.parametrize("what", ["removed", "replaced", "changed in size"])
def test_a_file_that_is_touched_behind_the_gateways_back_is_noticed(audited: Any, what: str) -> None:
    """The record that noticed it, and all later ones, stand in the next file, which says what happened."""

    async def work(journal: Journal) -> None:
        await reads(audited, 1)(journal)
        file = audited.files()[-1]
        text = file.read_bytes()
        if what != "changed in size":
            file.unlink()
        if what == "replaced":
            file.write_bytes(text)
        if what == "changed in size":
            file.write_bytes(text[:-10])
        await reads(audited, 2)(journal)

    asyncio.run(audited.run(work, with_settings(audited, max_file_bytes=10_000)))
    file = audited.files()[-1]
    header, *records = _lines(file)
    assert ("shard-0-000002.jsonl", 2) == (file.name, len(records))
    assert f"shard-0-000001.jsonl was {what}" == header["fault"]
    shard = verify(audited.folder).shards[0]
    # An exact copy loses nothing; it is told all the same.
    assert (what == "replaced") == (shard.bad is None)


def test_a_reserve_is_kept_on_the_disk(audited: Any) -> None:
    """Its size is the setting's, claimed and not only promised."""
    asyncio.run(audited.run(reads(audited, 1), with_settings(audited, reserve_bytes=65_536)))
    kept = (audited.folder / "shard-0.reserve").stat()
    assert (65_536, True) == (kept.st_size, kept.st_blocks * 512 >= 65_536)


def test_the_folders_name_is_durable_before_a_record_is(audited: Any) -> None:
    """Else a power cut after the first start could take the folder away, and every record in it."""
    synced: list[Any] = []

    class Watched(Disk):
        def sync_folder(self, folder: Any) -> None:
            super().sync_folder(folder)
            synced.append(folder)

        def sync(self, descriptor: int) -> None:
            super().sync(descriptor)
            synced.append("a record")

    above = audited.folder.parent
    audited.folder = above / "log" / "audit"
    asyncio.run(audited.run(reads(audited, 1), disk=Watched()))
    assert [above, above / "log", audited.folder, "a record"] == synced[:4]


def test_a_file_system_that_cannot_allocate_still_serves(audited: Any) -> None:
    """The reserve is a help, not a condition."""

    class Plain(Disk):
        def allocate(self, descriptor: int, size: int) -> None:
            raise OSError(95, "not supported")

    asyncio.run(audited.run(reads(audited, 2), with_settings(audited, reserve_bytes=65_536), disk=Plain()))
    assert 4 == len(audited.lines())
