"""The writer thread of one file: group commit, a savepoint for each write, answers after the sync."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future as ThreadFuture
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from sqlalchemy import Connection, Engine

from wardgate.spi.errors import RateLimited, Unavailable
from wardgate.state import files
from wardgate.state.failures import of_commit, reason, translate
from wardgate.state.files import raw_of

GROUP = 256
"""Writes of one commit at most, so that the first of a long queue need not wait for the last."""
WAITING = 10_000
"""Writes that may wait; more are refused."""
KEPT_OPERATIONS = 250_000
"""Operation ids a file keeps, newest last: enough to close what a crash left open, and never more than about 30 MB."""
IDLE_SECONDS = 2.0
"""After this long without a write the log is emptied: deleted rows must not live on in it."""

_OPERATIONS = "CREATE TABLE IF NOT EXISTS wardgate_operations (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE)"


@dataclass(slots=True)
class Pending:
    """A write that waits, and where its answer goes."""

    work: Callable[[Connection], Any]
    operation: str | None
    answer: asyncio.Future[Any] | ThreadFuture[Any]
    loop: asyncio.AbstractEventLoop | None
    result: Any = None
    error: BaseException | None = None

    def settle(self) -> None:
        """Give the answer, unless nobody waits any more."""
        if self.answer.done():
            return
        if self.error is None:
            self.answer.set_result(self.result)
        else:
            self.answer.set_exception(self.error)


class GroupLost(Exception):
    """The whole transaction is gone, not one savepoint alone."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__()
        self.cause = cause


class Writer:
    """A thread with its own connection; ``put`` from any thread."""

    def __init__(self, engine: Engine, file: FilePath) -> None:
        self._engine = engine
        self._file = file
        self._queue: queue.SimpleQueue[Pending | None] = queue.SimpleQueue()
        self._one_at_a_time = threading.Lock()
        self._connection: Connection | None = None
        self._thread = threading.Thread(target=self._run, name=f"writer of {file.name}", daemon=True)
        self._thread.start()

    def put(self, pending: Pending) -> None:
        """Queue a write. Raises RateLimited when too many wait."""
        if self._queue.qsize() >= WAITING:
            raise RateLimited("too many writes wait for the disk; try again later", retry_after=1)
        self._queue.put(pending)

    def close(self) -> None:
        """Finish what waits, then end the thread; blocks."""
        self._queue.put(None)
        self._thread.join()

    def truncate_log(self) -> bool:
        """Move the log's pages into the file and empty it; False when a reader holds it back.

        Nobody waits for that reader meanwhile: the next idle time tries again.
        """
        with self._one_at_a_time:
            raw = raw_of(self._open())
            with files.writers_lock(self._file):
                raw.execute("PRAGMA busy_timeout = 0")
                try:
                    held_back = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
                finally:
                    raw.execute(f"PRAGMA busy_timeout = {files.BUSY_SECONDS * 1_000}")
        return not held_back

    def _run(self) -> None:
        dirty = False
        while True:
            try:
                first = self._queue.get(timeout=IDLE_SECONDS if dirty else None)
            except queue.Empty:
                with contextlib.suppress(Exception):  # a log that cannot be emptied now can be later
                    dirty = not self.truncate_log()
                continue
            if first is None:
                break
            dirty = True
            if not self._do([first]):
                break
        if self._connection:
            self._connection.close()
        self._refuse_the_rest()

    def _do(self, group: list[Pending]) -> bool:
        """Commit one group, which grows while the lock is waited for; False when the end was met in the queue."""
        goes_on = True
        with self._one_at_a_time:
            try:
                connection = self._open()
                with files.writers_lock(self._file):
                    goes_on = self._gather(group)
                    self._transaction(connection, group)
            except BaseException as error:  # noqa: BLE001  # whoever waits must hear of it; the thread must live
                failure = error.cause if isinstance(error, GroupLost) else translate(error, self._file) or error
                for pending in group:
                    pending.error = failure
                self._forget_connection()
        self._answer(group)
        return goes_on

    def _gather(self, group: list[Pending]) -> bool:
        while len(group) < GROUP:
            try:
                following = self._queue.get_nowait()
            except queue.Empty:
                return True
            if following is None:
                return False
            group.append(following)
        return True

    def _transaction(self, connection: Connection, group: list[Pending]) -> None:
        raw = raw_of(connection)
        raw.execute("BEGIN IMMEDIATE")
        for pending in group:
            self._savepoint(connection, raw, pending)
        try:
            raw.execute("COMMIT")
        except sqlite3.Error as error:
            raise GroupLost(of_commit(error, self._file)) from None

    def _savepoint(self, connection: Connection, raw: sqlite3.Connection, pending: Pending) -> None:
        if pending.answer.cancelled():
            return
        raw.execute("SAVEPOINT one")
        try:
            pending.result = pending.work(connection)
            if pending.operation is not None:
                number = raw.execute(
                    "INSERT OR IGNORE INTO wardgate_operations (id) VALUES (?)", (pending.operation,)
                ).lastrowid
                if number and number % 1_000 == 0:
                    raw.execute("DELETE FROM wardgate_operations WHERE number <= ?", (number - KEPT_OPERATIONS,))
        except BaseException as error:  # noqa: BLE001  # it is the caller's, and reaches him
            failure = translate(error, self._file) if reason(error) is not None else None
            if failure is not None or not raw.in_transaction:
                raise GroupLost(failure or Unavailable("the write ended its own transaction")) from None
            raw.execute("ROLLBACK TO one")
            pending.error = error
        raw.execute("RELEASE one")

    def _refuse_the_rest(self) -> None:
        """Answer those who came after the end."""
        late: list[Pending] = []
        while not self._queue.empty():
            pending = self._queue.get()
            if pending is not None:
                pending.error = Unavailable("the gateway is stopping")
                late.append(pending)
        self._answer(late)

    def _answer(self, group: list[Pending]) -> None:
        loops = {pending.loop for pending in group}
        for loop in loops:
            mine = group if len(loops) == 1 else [pending for pending in group if pending.loop is loop]
            if loop is None:
                _settle(mine)
            else:
                with contextlib.suppress(RuntimeError):  # that loop was closed: nobody waits
                    loop.call_soon_threadsafe(_settle, mine)

    def _open(self) -> Connection:
        if self._connection is None:
            with files.writers_lock(self._file):
                self._connection = self._engine.connect()
                raw_of(self._connection).execute(_OPERATIONS)
        return self._connection

    def _forget_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):  # closing rolls back; a broken one is left to the collector
                connection.close()


def _settle(group: list[Pending]) -> None:
    for pending in group:
        pending.settle()
