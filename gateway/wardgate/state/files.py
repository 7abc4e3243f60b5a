"""Opening one SQLite file: its modes, its settings, and the lock its writers in all processes share."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path as FilePath
from typing import Any, cast
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event

BUSY_SECONDS = 5
"""How long a foreign program (a backup, an SQL shell) may hold the file before a write is refused."""

_SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA secure_delete = ON",
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
)

text: Callable[[bytes], str] = partial(str, encoding="utf-8", errors="replace")
"""What a TEXT column holds. One that another hand filled with bytes that are none is a row of other words, which its
code does not vouch for, and not a failure of the driver, which would be that of all rows read with it."""


def _configure(connection: Any, _record: object) -> None:
    connection.text_factory = text
    for setting in _SETTINGS:
        connection.execute(setting)


def engine(file: FilePath) -> Engine:
    """An engine on ``file`` whose connections see each statement's newest committed data.

    Parameters never show in its errors. A file that is gone is not made anew.
    """
    made = create_engine(
        URL.create(
            "sqlite+pysqlite", database=f"file:{quote(str(file.absolute()))}", query={"mode": "rw", "uri": "true"}
        ),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        # Connections are kept by thread; only closing them may happen from another one.
        connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
    )
    event.listen(made, "connect", _configure)
    return made


def make(file: FilePath) -> None:
    """Make an empty file readable by its owner alone; SQLite gives its log the same mode."""
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return
    # SQLite syncs the folder for its log, not for a file it did not make: a power cut must not lose the name.
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def writers_lock(file: FilePath) -> Iterator[None]:
    """Wait until no other process writes ``file``.

    SQLite's own busy handler polls; a queue in the kernel keeps the slowest writers fast.
    """
    handle = os.open(f"{file}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def raw_of(connection: Connection) -> sqlite3.Connection:
    """The driver's own connection, for statements where SQLAlchemy's 20 µs would show."""
    return cast("sqlite3.Connection", cast("Any", connection.connection).dbapi_connection)
