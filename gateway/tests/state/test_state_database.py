"""The database of one file: group commit, isolation of its writers, and its plain failures."""

from __future__ import annotations

import asyncio
import multiprocessing
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from wardgate.spi.errors import Unavailable
from wardgate.state.database import Database, operation_id

REVISION = """
from alembic import op
revision = "1"
down_revision = None
def upgrade():
    op.execute("CREATE TABLE numbers (n INTEGER PRIMARY KEY)")
"""


class FixedClock:
    """A clock that stands still."""

    def now(self) -> int:
        return 1

    def monotonic(self) -> float:
        return 1.0


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    folder = tmp_path / "scripts"
    (folder / "versions").mkdir(parents=True)
    (folder / "versions" / "0001.py").write_text(REVISION)
    return folder


@pytest.fixture
def database(tmp_path: Path, scripts: Path) -> Iterator[Database]:
    made = Database(tmp_path / "numbers.db", FixedClock())
    made.migrate(scripts, version_table="numbers_version")
    yield made
    made.close_and_wait()


def insert(number: int) -> Callable[[Connection], int]:
    return lambda connection: connection.execute(text("INSERT INTO numbers VALUES (:n)"), {"n": number}).rowcount


def count(database: Database) -> int:
    with database.reading() as connection:
        return int(connection.execute(text("SELECT count(*) FROM numbers")).scalar_one())


def test_a_write_is_seen_by_every_reader_once_it_is_acknowledged(database: Database) -> None:
    """Reading after the acknowledgement sees the write."""

    async def run() -> list[int]:
        seen = []
        for number in range(5):
            await database.write(insert(number))
            seen.append(count(database))
        return seen

    assert [1, 2, 3, 4, 5] == asyncio.run(run())


def test_a_failed_write_undoes_itself_alone(database: Database) -> None:
    """Of a group, the one that raises is rolled back and hears its own error; the others stand."""

    def failing(connection: Connection) -> None:
        connection.execute(text("INSERT INTO numbers VALUES (1000)"))
        raise LookupError("mine")

    async def run() -> list[object]:
        writes = [database.write(insert(n)) for n in range(20)]
        return await asyncio.gather(database.write(failing), *writes, return_exceptions=True)

    answers = asyncio.run(run())
    assert isinstance(answers[0], LookupError)
    assert [1] * 20 == answers[1:]
    assert 20 == count(database)


def test_writes_that_arrive_together_share_a_transaction(database: Database) -> None:
    """Many concurrent writes need far fewer commits than writes."""

    async def run() -> int:
        await database.write(insert(-1))
        before = database.data_version()
        versions = set()

        async def one(number: int) -> None:
            await database.write(insert(number))
            versions.add(database.data_version())

        await asyncio.gather(*(one(n) for n in range(200)))
        return len(versions | {before})

    assert asyncio.run(run()) <= 20


def test_the_operation_of_the_caller_is_committed_with_its_write(database: Database) -> None:
    """The id is the one of the context in which write() was called, and is absent when the write failed."""

    async def one(name: str, number: int) -> None:
        operation_id.set(name)
        await database.write(insert(number))

    async def run() -> None:
        await asyncio.gather(one("a", 1), one("b", 2))
        await asyncio.gather(one("c", 1), return_exceptions=True)

    asyncio.run(run())
    assert (True, True, False) == tuple(database.committed(name) for name in "abc")


def test_an_operation_that_was_never_written_is_not_committed(tmp_path: Path) -> None:
    """A file that no write ever reached answers, too."""
    database = Database(tmp_path / "empty.db", FixedClock())
    assert database.committed("x") is False
    database.close_and_wait()


def test_a_file_is_its_owners_alone(database: Database, tmp_path: Path) -> None:
    """The file, its log and its lock are 0600."""
    asyncio.run(database.write(insert(1)))
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("numbers.db*")}
    assert {0o600} == modes


def test_the_settings_that_durability_and_shredding_need_are_on(database: Database) -> None:
    """WAL, FULL, secure_delete and foreign keys, on the writer's own connection."""

    def settings(connection: Connection) -> tuple[object, ...]:
        names = ("journal_mode", "synchronous", "secure_delete", "foreign_keys")
        return tuple(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names)

    assert ("wal", 2, 1, 1) == asyncio.run(database.write(settings))


def test_a_reader_cannot_write(database: Database) -> None:
    """The connection lent for reading refuses to change anything."""
    with pytest.raises(Unavailable, match=r"numbers.db cannot be written"), database.reading() as connection:
        connection.execute(text("INSERT INTO numbers VALUES (1)"))


def test_a_deleted_row_is_in_no_file_after_shredding(database: Database, tmp_path: Path) -> None:
    """secure_delete and an emptied log leave nothing to find."""
    canary = 0x5A5A_1234_C0DE_5A5A

    async def run() -> None:
        await database.write(insert(canary))
        await database.write(lambda connection: connection.execute(text("DELETE FROM numbers")).rowcount)
        await database.shred()

    asyncio.run(run())
    found = [path.name for path in tmp_path.glob("numbers.db*") if canary.to_bytes(8, "big") in path.read_bytes()]
    assert [] == found


def test_a_cancelled_waiter_harms_nobody(database: Database) -> None:
    """A caller that goes away leaves the others of its group their answers."""

    async def run() -> int:
        gone = asyncio.ensure_future(database.write(insert(1)))
        stays = asyncio.ensure_future(database.write(insert(2)))
        await asyncio.sleep(0)
        gone.cancel()
        return await stays

    assert 1 == asyncio.run(run())


def test_a_full_disk_is_one_plain_sentence_and_nothing_is_kept(database: Database) -> None:
    """The whole group hears Unavailable; afterwards the file works again."""

    def fill(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
        connection.execute(text("CREATE TABLE big (b BLOB)"))
        connection.execute(text("INSERT INTO big VALUES (zeroblob(10000000))"))

    async def run() -> list[object]:
        return list(await asyncio.gather(database.write(insert(1)), database.write(fill), return_exceptions=True))

    answers = asyncio.run(run())
    assert [Unavailable, Unavailable] == [type(answer) for answer in answers]
    assert "the disk of numbers.db is full; free some space" == str(answers[1])
    assert 1 == asyncio.run(database.write(insert(1)))
    assert 1 == count(database)


def test_a_damaged_file_says_what_to_do(tmp_path: Path, scripts: Path) -> None:
    """A file that is no database is Unavailable, for readers, writers and migrations."""
    (tmp_path / "bad.db").write_bytes(b"no database at all" * 500)
    for attempt in (
        lambda database: database.migrate(scripts, version_table="v"),
        count,
        lambda database: asyncio.run(database.write(insert(1))),
    ):
        database = Database(tmp_path / "bad.db", FixedClock())
        with pytest.raises(Unavailable, match="restore it from a backup"):
            attempt(database)
        database.close_and_wait()


def test_a_file_locked_by_a_foreign_program_is_unavailable(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A foreign writer that never ends does not hang the gateway's writers."""
    monkeypatch.setattr("wardgate.state.files.BUSY_SECONDS", 0)
    asyncio.run(database.close())
    again = Database(tmp_path / "numbers.db", FixedClock())
    assert 1 == asyncio.run(again.write(insert(7)))
    foreign = sqlite3.connect(tmp_path / "numbers.db", isolation_level=None)
    foreign.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="locked by another program"):
        asyncio.run(again.write(insert(8)))
    foreign.close()
    assert 1 == asyncio.run(again.write(insert(8)))
    again.close_and_wait()


def test_a_file_of_a_newer_program_is_refused(database: Database, scripts: Path) -> None:
    """An unknown revision stops with a sentence instead of running old code on a new schema."""
    asyncio.run(database.write(lambda c: c.execute(text("UPDATE numbers_version SET version_num = '99'")).rowcount))
    again = Database(database.file, FixedClock())
    with pytest.raises(Unavailable, match="newer version"):
        again.migrate(scripts, version_table="numbers_version")
    again.close_and_wait()


def test_a_closed_database_refuses(database: Database) -> None:
    """After close() reads and writes are Unavailable, and closing again is harmless."""
    asyncio.run(database.close())
    with pytest.raises(Unavailable):
        asyncio.run(database.write(insert(1)))
    with pytest.raises(Unavailable):
        count(database)
    asyncio.run(database.close())


def _migrate_and_write(folder: Path, scripts: Path, first: int) -> None:
    database = Database(folder / "shared.db", FixedClock())
    database.migrate(scripts, version_table="v")

    async def run() -> None:
        await asyncio.gather(*(database.write(insert(first + n)) for n in range(50)))

    asyncio.run(run())
    database.close_and_wait()


def test_workers_that_start_together_migrate_once_and_lose_no_write(tmp_path: Path, scripts: Path) -> None:
    """Three processes on one new file: one schema, and every write of each."""
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=_migrate_and_write, args=(tmp_path, scripts, 100 * n), daemon=True) for n in range(3)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [0, 0, 0] == [worker.exitcode for worker in workers]
    database = Database(tmp_path / "shared.db", FixedClock())
    assert 150 == count(database)
    database.close_and_wait()


HOLDER = """
import fcntl, sys
lock = open(sys.argv[1], "r+")
fcntl.flock(lock, getattr(fcntl, sys.argv[2]))
print("held", flush=True)
sys.stdin.read()
"""


def _waited_for(lock: Path) -> bool:
    """Whether somebody is in the kernel's queue for this file's lock."""
    node = f":{lock.stat().st_ino} "
    return any(" -> FLOCK " in line and node in line for line in Path("/proc/locks").read_text().splitlines())


@pytest.mark.parametrize("how", ["LOCK_EX", "LOCK_SH"])
def test_a_write_waits_for_another_process_that_writes(database: Database, how: str) -> None:
    """While it holds the lock, which nobody shares, nothing is committed; once it lets go, the write is done."""
    database.write_and_wait(insert(1))
    assert 1 == count(database)  # its first connection of a thread waits for the lock, too
    lock = database.file.with_name("numbers.db.lock")
    command = (sys.executable, "-c", HOLDER, str(lock), how)
    with (
        ThreadPoolExecutor(1) as threads,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder,
    ):
        assert holder.stdin
        assert holder.stdout
        assert b"held\n" == holder.stdout.readline()
        writing = threads.submit(database.write_and_wait, insert(2))
        while not _waited_for(lock):
            assert not wait([writing], timeout=0.01).done, "it was written while another process held the lock"
        assert 1 == count(database)
        holder.stdin.close()
        assert 1 == writing.result()
    assert 2 == count(database)


def test_threads_have_connections_of_their_own(database: Database) -> None:
    """Readers in several threads never share a connection."""
    asyncio.run(database.write(insert(1)))
    seen: list[int] = []

    def look() -> None:
        with database.reading() as connection:
            seen.append(id(connection))

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    look()
    assert 4 == len(set(seen))
