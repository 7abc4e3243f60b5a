"""What workers may remember, and how they learn that it changed: epochs at once, counters in the file for the rest."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.sqlite import insert

from wardgate.server.epochs import Epochs
from wardgate.state import tables
from wardgate.state.database import Database

T = TypeVar("T")
Kind = tuple[str, str]
"""What changed: ``("policies", namespace id)``; for ``namespaces`` the id is empty."""

NAMESPACES: Kind = ("namespaces", "")
REMEMBERED = 10_000
"""Namespaces whose rows one worker keeps in memory, a kind."""


class Grants:
    """Counts changes in the same transaction, and bumps the epoch before the change is acknowledged."""

    def __init__(self, database: Database, epochs: Epochs) -> None:
        self._database = database
        self.epochs = epochs
        self._data_version = -1
        self._seen = self._sequence_now()
        self._lock = threading.Lock()
        self._any = epochs.slot("state")

    async def change(self, kinds: Sequence[Kind], work: Callable[[Connection], T]) -> T:
        """Do ``work`` in a group commit; every worker of the host forgets these kinds before this returns."""

        def counted(connection: Connection) -> T:
            result = work(connection)
            for kind in kinds:
                count(connection, kind)
            return result

        try:
            return await self._database.write(counted)
        finally:
            # Bumped when it failed, too: a commit whose outcome is unknown may have happened.
            for kind in kinds:
                self.bump(kind)

    def bump(self, kind: Kind) -> None:
        """Make every worker of the host forget."""
        self.epochs.bump(self.slot(kind))
        self.epochs.bump(self._any)

    def slot(self, kind: Kind) -> int:
        """Where the epoch of this kind lives."""
        return self.epochs.slot(*kind) if kind[1] else self.epochs.slot(kind[0])

    def reconcile(self) -> list[Kind]:
        """Bump what was committed by a process that died before it could; cheap when nothing was committed.

        Call it every 250 ms, always from the same thread.
        """
        version = self._database.data_version()
        if version == self._data_version:
            return []
        # Read before the rows: what is committed in between is found the next time.
        self._data_version = version
        with self._lock, self._database.reading() as connection:
            rows = connection.execute(
                select(tables.grants).where(tables.grants.c.sequence > self._seen).order_by(tables.grants.c.sequence)
            ).all()
            for row in rows:
                self.bump((row.kind, row.namespace))
                self._seen = row.sequence
        return [(row.kind, row.namespace) for row in rows]

    def _sequence_now(self) -> int:
        with self._database.reading() as connection:
            return int(connection.execute(select(func.coalesce(func.max(tables.grants.c.sequence), 0))).scalar_one())


def count(connection: Connection, kind: Kind) -> None:
    """Note in this transaction that ``kind`` changes with it."""
    following = select(func.coalesce(func.max(tables.grants.c.sequence), 0) + 1).scalar_subquery()
    row = {"kind": kind[0], "namespace": kind[1], "sequence": following}
    connection.execute(
        insert(tables.grants).values(row).on_conflict_do_update(index_elements=["kind", "namespace"], set_=row)
    )


class Memo(Generic[T]):
    """What was read of each namespace, until its epoch moves. Equal readings stay the same object."""

    def __init__(self, kind: str, grants: Grants, load: Callable[[str], T]) -> None:
        self._kind = kind
        self._grants = grants
        self._read = grants.epochs.read
        self._load = load
        self._kept: dict[str, tuple[int, int, T]] = {}

    def of(self, namespace: str) -> T:
        """The reading as committed now. What ``load`` raises is not remembered."""
        kept = self._kept.get(namespace)
        if kept is not None and self._read(kept[0]) == kept[1]:
            return kept[2]
        return self._reload(namespace, kept)

    def _reload(self, namespace: str, kept: tuple[int, int, T] | None) -> T:
        slot = kept[0] if kept else self._grants.slot((self._kind, namespace))
        epoch = self._read(slot)
        value = self._load(namespace)
        if kept and kept[2] == value:
            value = kept[2]
        if len(self._kept) >= REMEMBERED:
            self._kept.clear()
        self._kept[namespace] = (slot, epoch, value)
        return value


def rows_of(database: Database, statement: Any) -> list[dict[str, Any]]:
    """All rows of a SELECT, as dictionaries."""
    with database.reading() as connection:
        return [dict(row) for row in connection.execute(statement).mappings()]
