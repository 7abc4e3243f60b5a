"""Named texts of a namespace, vouched for as one set: an edited, added or removed row, or an old set, is refused."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import Column, Connection, Table, select
from sqlalchemy.dialects.sqlite import insert

from wardgate.spi.errors import SecretNotFound, Unavailable
from wardgate.state.codes import Codes
from wardgate.state.database import Database, snapshot
from wardgate.state.grants import Grants, Kind, Memo
from wardgate.state.tables import namespaces

T = TypeVar("T")
R = TypeVar("R")

Rows = list[tuple[str, str]]
"""Names and texts, by name."""


class VouchedSets(Generic[T]):
    """The sets of one kind.

    Args:
        kind: what they are, in the plural, as epochs, codes and messages call it.
        heads: one row a namespace: a generation that only grows, and the ``mac`` of the set.
        name: column of a row's name; its table has the namespace too.
        text: column of what is kept under the name.
        founded: every namespace has a head from its first day; otherwise one that never had a row needs none.
        made: what is handed out, from a set's rows.
    """

    def __init__(
        self,
        kind: str,
        heads: Table,
        name: Column[Any],
        text: Column[Any],
        database: Database,
        codes: Codes,
        grants: Grants,
        made: Callable[[Rows], T],
        *,
        founded: bool,
    ) -> None:
        self._kind = kind
        self._heads = heads
        self._name = name
        self._text = text
        self._database = database
        self._codes = codes
        self._grants = grants
        self._made = made
        self._founded = founded
        self._memo = Memo(kind, grants, self._load)
        self._newest: dict[str, int] = {}

    def of(self, namespace: str) -> T:
        """The set of a namespace, as committed now.

        Raises:
            Unavailable: it was changed outside the gateway: a row edited, added, removed, or an old set put back.
                Or the namespace is gone.
        """
        return self._memo.of(namespace)

    def seen(self, connection: Connection, namespace: str) -> T:
        """The set as this transaction sees it. Raises as ``change`` does."""
        return self._made(self._there(connection, namespace)[1])

    async def change(
        self, namespace: str, change: Callable[[Connection, dict[str, str]], R], *, also: Sequence[Kind] = ()
    ) -> R:
        """Change rows and vouch for the set anew, in one transaction; ``change`` is given the texts before, by name.

        ``also``: what else it changes. Returns what ``change`` does.

        Raises:
            SecretNotFound: the namespace was deleted meanwhile.
            Unavailable: as of ``of``: a set that does not verify must not be blessed by the next change.
        """

        def work(connection: Connection) -> R:
            generation, before = self._there(connection, namespace)
            changed = change(connection, dict(before))
            head = head_of(self._codes, self._kind, namespace, generation + 1, self._rows(connection, namespace))
            connection.execute(
                insert(self._heads).values(head).on_conflict_do_update(index_elements=["namespace"], set_=head)
            )
            return changed

        return await self._grants.change([(self._kind, namespace), *also], work)

    def _load(self, namespace: str) -> T:
        with self._database.reading() as connection, snapshot(connection):
            generation, rows = self._verified(connection, namespace)
        self._newest[namespace] = generation
        return self._made(rows)

    def _there(self, connection: Connection, namespace: str) -> tuple[int, Rows]:
        if not _is_there(connection, namespace):
            raise SecretNotFound("there is no such namespace")
        return self._verified(connection, namespace)

    def _verified(self, connection: Connection, namespace: str) -> tuple[int, Rows]:
        heads = self._heads.c
        head = connection.execute(select(heads.generation, heads.mac).where(heads.namespace == namespace)).first()
        rows = self._rows(connection, namespace)
        newest = self._newest.get(namespace, 0)
        if head is None and not rows and not newest and not self._founded:
            return 0, rows
        if head is not None and isinstance(head.mac, bytes) and isinstance(head.generation, int):
            expected = head_of(self._codes, self._kind, namespace, head.generation, rows)["mac"]
            if hmac.compare_digest(head.mac, expected) and head.generation >= newest:
                return head.generation, rows
        if head is None and not rows and not _is_there(connection, namespace):
            raise Unavailable("this namespace was deleted meanwhile")
        self._codes.report(f"the {self._kind} of namespace", namespace)
        raise Unavailable(f"the {self._kind} of this namespace were changed outside the gateway; restore a backup")

    def _rows(self, connection: Connection, namespace: str) -> Rows:
        of_namespace = self._name.table.c.namespace == namespace
        found = connection.execute(select(self._name, self._text).where(of_namespace).order_by(self._name))
        return [(name, text) for name, text in found]


def _is_there(connection: Connection, namespace: str) -> bool:
    return connection.execute(select(namespaces.c.id).where(namespaces.c.id == namespace)).first() is not None


def head_of(
    codes: Codes, kind: str, namespace: str, generation: int, rows: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """The row that vouches for a set."""
    mac = codes.of_set(kind, (namespace, generation), rows)
    return {"namespace": namespace, "generation": generation, "mac": mac}
