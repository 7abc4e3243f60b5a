"""One SQLite file: cheap reads of the calling thread, and a writer thread that commits what arrives together."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future as ThreadFuture
from contextvars import ContextVar
from pathlib import Path as FilePath
from types import TracebackType
from typing import TypeVar, cast

from sqlalchemy import Connection, Engine

from wardgate.spi.errors import Unavailable
from wardgate.spi.services import Clock
from wardgate.state import files
from wardgate.state.failures import missing, plainly, translate
from wardgate.state.files import raw_of
from wardgate.state.migrate import upgrade
from wardgate.state.writer import Pending, Writer

T = TypeVar("T")

operation_id: ContextVar[str | None] = ContextVar("operation_id", default=None)
"""Audit id of the operation being done; each write is committed together with it."""


class Database:
    """One file, opened at its first use. Implements :class:`wardgate.spi.services.Storage`.

    Failures of the disk, the file or a foreign lock are Unavailable, with a sentence that says what to do; what
    cannot be told from a failed commit is OutcomeUnknown.

    Args:
        file: where it is.
        clock: for what is kept with a time.
        new: whether it may be made where it is not there; otherwise a missing one is Unavailable.
    """

    def __init__(self, file: FilePath, clock: Clock, *, new: bool = True) -> None:
        self.file = file
        self._new = new
        self._clock = clock
        self._threads = threading.local()
        self._guard = threading.Lock()
        self._kept: list[Connection] = []
        self._engine: Engine | None = None
        self._writer: Writer | None = None
        self._closed = False
        self._migrated: set[tuple[FilePath, str]] = set()

    def migrate(self, scripts: FilePath, *, version_table: str) -> None:
        """Bring the schema to the newest Alembic revision in ``scripts``; processes that start together take turns.

        Done once for each ``scripts``, however many mounts of a namespace ask for it.

        Raises:
            Unavailable: the file cannot be used, or a newer program wrote it.
        """
        if (scripts, version_table) in self._migrated:
            return
        with plainly(self.file):
            opened = self._opened()
            with files.writers_lock(self.file), opened.connect() as connection:
                upgrade(connection, scripts, version_table=version_table, name=self.file.name)
        self._migrated.add((scripts, version_table))

    def reading(self) -> Reading:
        """A connection of the calling thread for reads; each statement sees every committed write."""
        try:
            return cast("Reading", self._threads.reading)
        except AttributeError:
            return self._reading_of_this_thread()

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a savepoint of the next group commit; return its result once it is synced."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._writing().put(Pending(work, operation_id.get(), answer, loop))
        return await answer

    def write_and_wait(self, work: Callable[[Connection], T]) -> T:
        """As ``write``, for tools and threads without an event loop; blocks."""
        answer: ThreadFuture[T] = ThreadFuture()
        self._writing().put(Pending(work, operation_id.get(), answer, None))
        return answer.result()

    def committed(self, operation_id: str) -> bool:
        """Whether a write of this operation was committed; known for the last ``KEPT_OPERATIONS`` of them."""
        with self.reading() as connection:
            raw = raw_of(connection)
            if not raw.execute("SELECT 1 FROM sqlite_schema WHERE name = 'wardgate_operations'").fetchone():
                return False
            found = raw.execute("SELECT 1 FROM wardgate_operations WHERE id = ?", (operation_id,)).fetchone()
            return found is not None

    def check(self) -> None:
        """Read something. Raises Unavailable when that cannot be done."""
        with self.reading() as connection:
            raw_of(connection).execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()

    def data_version(self) -> int:
        """A number that changes when any other connection, of this process or another, has committed."""
        with self.reading() as connection:
            return int(raw_of(connection).execute("PRAGMA data_version").fetchone()[0])

    async def shred(self) -> None:
        """Empty the write-ahead log, so that what was deleted is not in it either."""
        writer = self._writing()
        await asyncio.to_thread(writer.truncate_log)

    async def close(self) -> None:
        """Finish the writes that wait, then close every connection. Safe to call twice."""
        await asyncio.to_thread(self.close_and_wait)

    def close_and_wait(self) -> None:
        """As ``close``, for tools and threads without an event loop; blocks."""
        with self._guard:
            self._closed = True
            writer, self._writer = self._writer, None
            kept, self._kept = self._kept, []
            self._threads = threading.local()
        if writer:
            writer.close()
        for connection in kept:
            connection.close()
        if self._engine:
            self._engine.dispose()

    def _opened(self) -> Engine:
        with self._guard:
            if self._closed:
                raise Unavailable("the gateway is stopping")
            if self._engine is None:
                if self._new:
                    files.make(self.file)
                elif not self.file.exists():
                    raise missing(self.file)
                self._engine = files.engine(self.file)
            return self._engine

    def _writing(self) -> Writer:
        if self._writer is None:
            opened = self._opened()
            with self._guard:
                if self._writer is None:
                    self._writer = Writer(opened, self.file)
        return self._writer

    def _reading_of_this_thread(self) -> Reading:
        with plainly(self.file):
            opened = self._opened()
            # A file's first connection switches it to its log, which no other process may do at that moment.
            with files.writers_lock(self.file):
                connection = opened.connect()
            raw_of(connection).execute("PRAGMA query_only = ON")
        with self._guard:
            self._kept.append(connection)
        reading = self._threads.reading = Reading(connection, self.file)
        return reading


class Reading:
    """Lends the thread's connection; turns failures of the file into the closed list."""

    __slots__ = ("_connection", "_file")

    def __init__(self, connection: Connection, file: FilePath) -> None:
        self._connection = connection
        self._file = file

    def __enter__(self) -> Connection:
        return self._connection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and not isinstance(error, OSError):
            failure = translate(error, self._file)
            if failure is not None:
                raise failure from None


@contextlib.contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """Let several reads of a lent connection see one and the same moment."""
    raw = raw_of(connection)
    raw.execute("BEGIN")
    try:
        yield
    finally:
        raw.execute("COMMIT")
