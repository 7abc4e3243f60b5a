"""The one row that says whose data this is, and holds the root key wrapped by the seal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection, insert, select

from wardgate.crypto import RootKey
from wardgate.spi.errors import InvalidValue, Sealed
from wardgate.spi.services import Clock
from wardgate.state.codes import Codes
from wardgate.state.database import Database
from wardgate.state.tables import installation
from wardgate.state.tokens import new_id


class Seal(Protocol):
    """What guards the root key."""

    def wrap(self, root: bytes) -> bytes:
        """Wrap it."""

    def unwrap(self, blob: bytes) -> bytes:
        """Unwrap it. Raises Sealed with a plain sentence."""


@dataclass(frozen=True, slots=True)
class Installation:
    """Whose data this is."""

    id: str
    root: RootKey


def found(connection: Connection, root: RootKey, seal: Seal, clock: Clock) -> Installation:
    """Write the row of a new installation."""
    row: dict[str, Any] = {"id": new_id(), "root": seal.wrap(root.exposed()), "created_at": clock.now()}
    connection.execute(insert(installation).values(Codes(root).signed(installation, row)))
    return Installation(row["id"], root)


def unseal(database: Database, seal: Seal) -> Installation:
    """Read the row and unwrap the root key.

    Raises:
        InvalidValue: the file was never completely initialised.
        Sealed: the seal does not fit, or the row was changed.
    """
    with database.reading() as connection:
        rows = [dict(row) for row in connection.execute(select(installation)).mappings()]
    if len(rows) != 1:
        raise InvalidValue(
            f"{database.file} was never completely initialised; remove its folder and run: wardgate init"
        )
    row = rows[0]
    # SQLite keeps any type in any column.
    root = RootKey(seal.unwrap(row["root"] if isinstance(row["root"], bytes) else b""))
    if not Codes(root).vouch(installation, row):
        raise Sealed("the record of this installation was changed; restore gateway.db from a backup")
    return Installation(row["id"], root)
