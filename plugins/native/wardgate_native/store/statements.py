"""Every SQL statement of the store, built once; each is compiled once and then runs on the driver's own cursor."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.sql.expression import Executable

from wardgate_native.store.schema import secrets, versions


class Prepared:
    """A statement with its parameters in the order they are given.

    SQLAlchemy builds the text for the database at hand, once; executing through it would cost more than the query.
    """

    def __init__(self, statement: Executable, *names: str) -> None:
        self._statement: Any = statement
        self._names = list(names)
        self._text = ""

    def run(self, connection: Connection, *values: Any) -> Any:
        """Execute with these values; returns the driver's cursor."""
        driver: Any = connection.connection.dbapi_connection
        cursor = driver.cursor()
        cursor.execute(self._text or self._compiled(connection), values)
        return cursor

    def _compiled(self, connection: Connection) -> str:
        compiled = self._statement.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
        if compiled.positiontup != self._names:
            raise TypeError(f"this statement takes {compiled.positiontup}")
        self._text = str(compiled)
        return self._text


_at_place = (secrets.c.store == bindparam("store")) & (secrets.c.place == bindparam("place"))
_sealed = (
    secrets.c.current,
    secrets.c.head,
    secrets.c.mac,
    versions.c.ordinal,
    versions.c.media_type,
    versions.c.wrapped_key,
    versions.c.ciphertext,
)


def _read(ordinal: Any) -> Executable:
    of_secret = (versions.c.secret == secrets.c.number) & (versions.c.ordinal == ordinal)
    return select(*_sealed).select_from(secrets.outerjoin(versions, of_secret)).where(_at_place)


READ_CURRENT = Prepared(_read(secrets.c.current), "store", "place")
READ_VERSION = Prepared(_read(bindparam("ordinal")), "ordinal", "store", "place")
FIND = Prepared(
    select(secrets.c.number, secrets.c.current, secrets.c.head, secrets.c.mac).where(_at_place), "store", "place"
)
LIST = Prepared(
    select(secrets.c.place)
    .where(secrets.c.store == bindparam("store"))
    .where(secrets.c.place >= bindparam("start"), secrets.c.place < bindparam("end"))
    .order_by(secrets.c.place),
    "store",
    "start",
    "end",
)
ADD_SECRET = Prepared(
    insert(secrets)
    .values({name: bindparam(f"its_{name}") for name in ("store", "place", "current", "head", "mac")})
    .returning(secrets.c.number),
    "its_store",
    "its_place",
    "its_current",
    "its_head",
    "its_mac",
)
CHANGE_SECRET = Prepared(
    update(secrets)
    .values({name: bindparam(f"new_{name}") for name in ("current", "head", "mac")})
    .where(secrets.c.number == bindparam("number")),
    "new_current",
    "new_head",
    "new_mac",
    "number",
)
REMOVE_SECRET = Prepared(delete(secrets).where(_at_place), "store", "place")
ADD_VERSION = Prepared(insert(versions), "secret", "ordinal", "media_type", "wrapped_key", "ciphertext")
REMOVE_VERSION = Prepared(
    delete(versions).where((versions.c.secret == bindparam("number")) & (versions.c.ordinal == bindparam("ordinal"))),
    "number",
    "ordinal",
)
