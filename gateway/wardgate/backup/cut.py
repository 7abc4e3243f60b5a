"""One moment of all files of a data folder, copied while others write.

Every file's writers wait while a read transaction is opened on each: no file then shows what another does not. The
copies are made from those transactions, with the writers at work again.
"""

from __future__ import annotations

import contextlib
import resource
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import BinaryIO
from urllib.parse import quote

from wardgate.backup.archive import CHUNK, NAME, STATE, Tick, new_file
from wardgate.clock import SystemClock
from wardgate.pipeline.audit.sink import files_of
from wardgate.spi.errors import Unavailable
from wardgate.state.failures import missing, plainly
from wardgate.state.files import BUSY_SECONDS, text, writers_lock

STORES = "namespaces"
AUDIT = "audit"
_PAGES = 256
"""Pages copied between two looks at the progress: 1 MiB."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What was copied: when (Unix nanoseconds), the root key as the seal wrapped it, and the names of the copies."""

    at: int
    root: bytes
    names: tuple[str, ...]


def take(
    data: FilePath, into: FilePath, *, audit: FilePath | None, foreign: Callable[[str], bool], tick: Tick
) -> Taken:
    """Copy one moment of ``data``, and of the audit's folder, into a new folder.

    ``foreign``: whether backends of a type keep what they hold elsewhere; asked only where a store's file is missing.

    Raises:
        Unavailable: a file is missing, damaged, or locked by a foreign program.
        OSError: a file cannot be read or written, or there are more than this process may open.
    """
    _many_files()
    (into / STORES).mkdir(mode=0o700)
    with contextlib.ExitStack() as opened:
        with contextlib.ExitStack() as locks:
            at, databases, logs = _moment(data, audit, foreign, opened, locks)
        (row,) = databases[STATE].execute("SELECT root FROM installation").fetchall()
        for name, source in databases.items():
            with plainly(data / name):
                _copy_database(source, into / name, tick)
        if logs:
            (into / AUDIT).mkdir(mode=0o700)
        for name, (log, size) in logs.items():
            _copy_log(log, size, into / name, tick)
    return Taken(at, bytes(row[0]), (*databases, *logs))


def _moment(
    data: FilePath,
    audit: FilePath | None,
    foreign: Callable[[str], bool],
    opened: contextlib.ExitStack,
    locks: contextlib.ExitStack,
) -> tuple[int, dict[str, sqlite3.Connection], dict[str, tuple[BinaryIO, int]]]:
    """Lock every file, open a read transaction on each, and note how long the audit is.

    ``gateway.db`` comes first: with its writers at rest no namespace comes or goes. A change has its request record
    before it is made and its closing record after: with all writers at rest, the audit's files of this moment open
    every change that the copies hold, and close none that they lack.
    """
    state = _reading(data / STATE, opened, locks)
    databases = {STATE: state} | {name: _reading(data / name, opened, locks) for name in _stores(data, state, foreign)}
    logs: dict[str, tuple[BinaryIO, int]] = {}
    for shard in files_of(audit).values() if audit is not None and audit.is_dir() else ():
        for file in shard.values():
            log = opened.enter_context(file.open("rb"))
            logs[f"{AUDIT}/{file.name}"] = log, file.stat().st_size
    return SystemClock().now(), databases, logs


def _stores(data: FilePath, state: sqlite3.Connection, foreign: Callable[[str], bool]) -> Iterator[str]:
    """The files of the namespaces' stores. Raises Unavailable for one in which a mount's secrets were."""
    names = {row[0]: f"{STORES}/{row[0]}.db" for row in state.execute("SELECT id FROM namespaces ORDER BY id")}
    for namespace, name in names.items():
        if not NAME.fullmatch(name):
            continue
        if (data / name).exists():
            yield name
            continue
        kinds = state.execute("SELECT DISTINCT type FROM mounts WHERE namespace = ?", (namespace,))
        if not all(foreign(kind) for (kind,) in kinds):
            raise Unavailable(
                f"{missing(data / name).message}, and no backup is made without it; where no older one has it, "
                "remove the mounts whose secrets were in it first (wardgate doctor names them)"
            )


def _reading(file: FilePath, opened: contextlib.ExitStack, locks: contextlib.ExitStack) -> sqlite3.Connection:
    """A connection in a read transaction of this moment; the file's writers wait until ``locks`` are given back."""
    locks.enter_context(writers_lock(file))
    with plainly(file):
        address = f"file:{quote(str(file))}?mode=rw"
        connection = sqlite3.connect(address, uri=True, isolation_level=None, timeout=BUSY_SECONDS)
        opened.callback(connection.close)
        connection.text_factory = text
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    return connection


def _copy_database(source: sqlite3.Connection, target: FilePath, tick: Tick) -> None:
    new_file(target).close()
    copy = sqlite3.connect(target, isolation_level=None)
    before = 0

    def progress(_status: int, remaining: int, total: int) -> None:
        nonlocal before
        tick((total - remaining - before) * page)
        before = total - remaining

    with contextlib.closing(copy):
        (page,) = source.execute("PRAGMA page_size").fetchone()
        copy.execute("PRAGMA journal_mode = OFF")
        copy.execute("PRAGMA synchronous = OFF")  # nothing counts before the archive is synced
        source.backup(copy, pages=_PAGES, progress=progress)


def _copy_log(log: BinaryIO, size: int, target: FilePath, tick: Tick) -> None:
    with new_file(target) as copy:
        while size and (chunk := log.read(min(size, CHUNK))):
            copy.write(chunk)
            tick(len(chunk))
            size -= len(chunk)


def _many_files() -> None:
    """Each namespace takes four open files at once: a soft limit made for others is raised."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
