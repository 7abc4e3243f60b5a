"""Ordinals of versions in stores that do not number them: assigned once, durable before the answer."""

from __future__ import annotations

from collections import OrderedDict

from sqlalchemy import Connection, func, insert, select

from wardgate.state.database import Database
from wardgate.state.tables import ledger

REMEMBERED = 10_000
"""Ordinals kept in memory; they never change."""


class Ledger:
    """Implements what the dispatch layer asks of a ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._memo: OrderedDict[tuple[str, str, str], int] = OrderedDict()

    async def ordinal(self, mount_id: str, path: str, store_version: str) -> int:
        """The ordinal of that version, counted from 1 for each secret; the next one is assigned at first sight."""
        key = (mount_id, path, store_version)
        known = self._memo.get(key)
        if known is None:
            known = self._find(*key)
        if known is None:
            known = await self._database.write(lambda connection: _assign(connection, *key))
        self._memo[key] = known
        if len(self._memo) > REMEMBERED:
            self._memo.popitem(last=False)
        return known

    def version(self, mount_id: str, path: str, ordinal: int) -> str | None:
        """The store's id of that ordinal, or None when it was never assigned."""
        if not 0 < ordinal < 2**63:
            return None
        of_secret = (ledger.c.mount == mount_id) & (ledger.c.path == path)
        with self._database.reading() as connection:
            return connection.execute(
                select(ledger.c.version).where(of_secret & (ledger.c.ordinal == ordinal))
            ).scalar()

    def known(self, mount_id: str, path: str) -> dict[str, int]:
        """All versions of one secret that have an ordinal."""
        of_secret = (ledger.c.mount == mount_id) & (ledger.c.path == path)
        with self._database.reading() as connection:
            rows = connection.execute(select(ledger.c.version, ledger.c.ordinal).where(of_secret)).all()
        return {row.version: row.ordinal for row in rows}

    def _find(self, mount_id: str, path: str, store_version: str) -> int | None:
        with self._database.reading() as connection:
            return _ordinal(connection, mount_id, path, store_version)


def _ordinal(connection: Connection, mount_id: str, path: str, store_version: str) -> int | None:
    of_version = (ledger.c.mount == mount_id) & (ledger.c.path == path) & (ledger.c.version == store_version)
    return connection.execute(select(ledger.c.ordinal).where(of_version)).scalar()


def _assign(connection: Connection, mount_id: str, path: str, store_version: str) -> int:
    known = _ordinal(connection, mount_id, path, store_version)
    if known is not None:
        return known
    of_secret = (ledger.c.mount == mount_id) & (ledger.c.path == path)
    newest = connection.execute(select(func.coalesce(func.max(ledger.c.ordinal), 0)).where(of_secret)).scalar_one()
    ordinal = int(newest) + 1
    connection.execute(insert(ledger), {"mount": mount_id, "path": path, "version": store_version, "ordinal": ordinal})
    return ordinal
