"""Message authentication codes: whoever writes a row without the root key cannot make it count."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Table

from wardgate.crypto import RootKey
from wardgate.crypto.envelope import pack
from wardgate.state.tables import BEFORE, LATER

_log = logging.getLogger(__name__)


class Codes:
    """Vouches for rows under keys derived from the root key, one a table."""

    def __init__(self, root: RootKey) -> None:
        self._root = root
        self._keys: dict[str, bytes] = {}
        self._columns: dict[str, tuple[tuple[str, ...], Mapping[str, str | None]]] = {}

    def signed(self, table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row with its ``mac``."""
        return {**row, "mac": self._code(table, row)}

    def vouch(self, table: Table, row: Mapping[str, Any]) -> bool:
        """Whether the row is exactly one that was signed; a refusal is logged by the row's key."""
        genuine = hmac.compare_digest(_bytes(row["mac"]), self._code(table, row))
        if not genuine:
            self.report(table.name, str(row[table.primary_key.columns[0].name]))
        return genuine

    def of_set(self, purpose: str, head: Iterable[object], rows: Iterable[Iterable[object]]) -> bytes:
        """One code over a head and all rows of a set, their number and order included."""
        packed = [pack([_tagged(value) for value in row]) for row in rows]
        return hmac.digest(self._key(purpose), pack([*map(_tagged, head), pack(packed)]), "sha256")

    @staticmethod
    def report(what: str, key: str) -> None:
        """Log that something stored was refused."""
        told = {"event": "state_tampered"}
        _log.error("%s %.64r: changed outside the gateway, and refused", what, key, extra=told)

    def _code(self, table: Table, row: Mapping[str, Any]) -> bytes:
        columns = self._columns.get(table.name)
        if columns is None:
            columns = self._columns[table.name] = _columns(table)
        first, later = columns
        packed = [_tagged(row[name]) for name in first]
        # By name and only where set: a row older than the column keeps its code, and no value can move to another.
        for name, before in later.items():
            if row.get(name, before) != before:
                packed += (name.encode(), _tagged(row[name]))
        return hmac.digest(self._key(table.name), pack(packed), "sha256")

    def _key(self, purpose: str) -> bytes:
        key = self._keys.get(purpose)
        if key is None:
            key = self._keys[purpose] = self._root.derive(f"state/{purpose}")
        return key


def _columns(table: Table) -> tuple[tuple[str, ...], Mapping[str, str | None]]:
    """The names of all columns but the code: those of the first schema, and the later ones with what is unset."""
    named = [column for column in table.columns if column.name != "mac"]
    return (
        tuple(column.name for column in named if not column.info.get(LATER)),
        {column.name: column.info.get(BEFORE) for column in named if column.info.get(LATER)},
    )


def _tagged(value: object) -> bytes:
    # SQLite keeps any type in any column: '5', 5 and x'35' must not give the same code.
    if value is None:
        return b"n"
    if isinstance(value, bytes):
        return b"b" + value
    if isinstance(value, str):
        return b"s" + value.encode("utf-8", "surrogatepass")
    return type(value).__name__.encode() + b":" + str(value).encode()


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""
