"""Looks for what other hands changed in all of the state, before somebody asks for it and is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Table, select

from wardgate.spi.errors import WardgateError
from wardgate.state import tables
from wardgate.state.codes import Codes
from wardgate.state.database import Database

SETS = frozenset({tables.policy_sets.name, tables.label_sets.name, tables.auth_method_sets.name})
"""Tables whose codes vouch for other tables' rows too: looked at through the part of the state that reads them."""
_PAGE = 1_000
_LONGEST = 64


@dataclass(frozen=True, slots=True)
class Forged:
    """Something that is refused. ``namespace``: its id, as the row says; ``table`` is empty where it is no one row."""

    namespace: str
    table: str
    what: str


def rows(database: Database, codes: Codes) -> Iterator[Forged]:
    """Every row that carries a code of its own, and is not what was signed."""
    for table in tables.metadata.sorted_tables:
        if "mac" in table.columns and table.name not in SETS:
            yield from _of_table(database, codes, table)


def _of_table(database: Database, codes: Codes, table: Table) -> Iterator[Forged]:
    key = next(iter(table.primary_key.columns)).name
    of = "namespace" if "namespace" in table.columns else "id"
    with database.reading() as connection:
        for row in connection.execute(select(table)).mappings().yield_per(_PAGE):
            if not codes.vouch(table, dict(row)):
                told = f"the row {str(row[key])[:_LONGEST]!r} of {table.name} was changed outside the gateway"
                yield Forged(str(row[of]), table.name, told)


def sets(namespaces: Sequence[str], asks: Sequence[Callable[[str], object]]) -> Iterator[Forged]:
    """What is vouched for as a whole, of each namespace: everything that ``asks`` cannot be told."""
    for namespace in namespaces:
        for ask in asks:
            try:
                ask(namespace)
            except WardgateError as error:
                yield Forged(namespace, "", error.message)
