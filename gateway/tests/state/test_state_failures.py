"""Failures of the file and the disk, each one plain sentence that says what to do."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection
from wardgate.crypto import RootKey
from wardgate.spi.errors import OutcomeUnknown, RateLimited, Unavailable
from wardgate.state import tables, writer
from wardgate.state.codes import Codes
from wardgate.state.database import Database
from wardgate.state.failures import of_commit, translate

FILE = Path("/somewhere/gateway.db")


class FixedClock:
    """A clock that stands still."""

    def now(self) -> int:
        return 1

    def monotonic(self) -> float:
        return 1.0


def failure(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("canary: what the driver says is not passed on")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (sqlite3.SQLITE_FULL, "free some space"),
        (sqlite3.SQLITE_IOERR, "check the disk"),
        (sqlite3.SQLITE_IOERR_WRITE, "check the disk"),
        (sqlite3.SQLITE_BUSY, "locked by another program"),
        (sqlite3.SQLITE_CORRUPT, "restore it from a backup"),
        (sqlite3.SQLITE_NOTADB, "restore it from a backup"),
        (sqlite3.SQLITE_CANTOPEN, "check that its folder exists"),
        (sqlite3.SQLITE_READONLY, "cannot be written"),
    ],
)
def test_each_failure_of_the_file_says_what_to_do(code: int, words: str) -> None:
    """With the file's name and nothing the driver said; extended codes count as their family."""
    error = translate(failure(code), FILE)
    assert isinstance(error, Unavailable)
    assert words in str(error)
    assert "gateway.db" in str(error)
    assert "canary" not in str(error)


@pytest.mark.parametrize(
    ("room", "names", "words"),
    [(15, (100, 50), "is full"), (100, (100, 0), "is full"), (16, (0, 0), "answers with an error")],
)
def test_a_full_disk_that_fails_otherwise_is_called_full(
    monkeypatch: pytest.MonkeyPatch, room: int, names: tuple[int, int], words: str
) -> None:
    """SQLite cannot make its log's index there, and calls that I/O; some file systems count no names at all."""
    told = SimpleNamespace(f_bavail=room, f_frsize=4_096, f_files=names[0], f_favail=names[1])
    monkeypatch.setattr("wardgate.state.failures.os.statvfs", lambda _: told)
    assert f"the disk of gateway.db {words}" in str(translate(failure(sqlite3.SQLITE_IOERR_WRITE), FILE))
    assert "restore it from a backup" in str(translate(failure(sqlite3.SQLITE_CORRUPT), FILE))


@pytest.mark.parametrize(("number", "words"), [(errno.ENOSPC, "is full"), (errno.EACCES, "cannot be used: Perm")])
def test_what_the_system_refuses_is_said(number: int, words: str) -> None:
    """A file beside the database, such as its lock, finds no room either."""
    assert words in str(translate(OSError(number, os.strerror(number)), FILE))


def test_a_callers_own_mistake_is_not_the_files() -> None:
    """A broken constraint stays what it is."""
    assert translate(failure(sqlite3.SQLITE_CONSTRAINT), FILE) is None
    assert translate(LookupError(), FILE) is None


def test_a_commit_that_could_not_be_synced_is_unknown() -> None:
    """Its last frame may be on the disk; a full disk, on the other hand, keeps nothing."""
    assert isinstance(of_commit(failure(sqlite3.SQLITE_IOERR_FSYNC), FILE), OutcomeUnknown)
    assert isinstance(of_commit(failure(sqlite3.SQLITE_FULL), FILE), Unavailable)


def test_after_a_failed_group_the_writer_goes_on(tmp_path: Path) -> None:
    """A lost connection is replaced, and what the group did is undone."""
    database = Database(tmp_path / "a.db", FixedClock())
    database.write_and_wait(lambda connection: connection.exec_driver_sql("CREATE TABLE t (x)"))

    def broken(connection: Connection) -> None:
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
        raise failure(sqlite3.SQLITE_IOERR)

    with pytest.raises(Unavailable, match="check the disk"):
        asyncio.run(database.write(broken))
    count = asyncio.run(database.write(lambda c: c.exec_driver_sql("SELECT count(*) FROM t").scalar_one()))
    database.close_and_wait()
    assert 0 == count


def test_work_that_ends_its_own_transaction_is_refused(tmp_path: Path) -> None:
    """A plugin that commits by itself cannot break up the group in silence."""
    database = Database(tmp_path / "a.db", FixedClock())
    with pytest.raises(Exception, match=r"savepoint|transaction"):  # whichever notices first
        database.write_and_wait(lambda connection: connection.exec_driver_sql("COMMIT"))
    assert "again" == database.write_and_wait(lambda _: "again")
    database.close_and_wait()


def test_too_many_waiting_writes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue is bounded."""
    database = Database(tmp_path / "a.db", FixedClock())
    monkeypatch.setattr(writer, "WAITING", 0)
    with pytest.raises(RateLimited):
        asyncio.run(database.write(lambda _: None))
    database.close_and_wait()


VALUES = st.one_of(st.none(), st.integers(), st.text(max_size=4), st.binary(max_size=4))
ROWS = st.fixed_dictionaries({column.name: VALUES for column in tables.keks.columns})
CODES = Codes(RootKey(bytes(range(32))))


@given(ROWS, ROWS)
def test_a_code_vouches_for_one_row_alone(row: dict[str, object], other: dict[str, object]) -> None:
    """Two rows that differ in any value, or only in a value's type, never have the same code."""
    same = {name: (type(value), value) for name, value in row.items()} == {
        name: (type(value), value) for name, value in other.items()
    }
    assert same == (CODES.signed(tables.keks, row)["mac"] == CODES.signed(tables.keks, other)["mac"])


@given(ROWS)
def test_a_code_of_one_table_says_nothing_in_another(row: dict[str, object]) -> None:
    """The tables have keys of their own."""
    moved = {column.name: value for column, value in zip(tables.policies.columns, row.values(), strict=True)}
    assert CODES.signed(tables.keks, row)["mac"] != CODES.signed(tables.policies, moved)["mac"]


@given(st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3)), max_size=4), st.data())
def test_a_sets_code_sees_every_row(rows: list[tuple[str, str]], data: st.DataObject) -> None:
    """Dropping, doubling or reordering rows changes it, unless the list stays the same."""
    other = data.draw(st.permutations(rows + rows[:1]) | st.just(rows[1:]) | st.just(rows))
    same = list(other) == rows
    assert same == (CODES.of_set("policies", ("n", 1), rows) == CODES.of_set("policies", ("n", 1), other))
