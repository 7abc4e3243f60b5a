"""Namespaces: the hard boundaries of mounts, policies, principals and keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from wardgate.crypto import NamespaceKeyring, RootKey
from wardgate.spi.errors import AlreadyExists, Conflict, InvalidValue, Sealed, SecretNotFound
from wardgate.spi.operations.namespaces import NamespaceInfo
from wardgate.spi.path import MAX_SEGMENTS, ROOT, Path
from wardgate.spi.services import Clock
from wardgate.state import tables
from wardgate.state.auth_methods import KIND as AUTH_METHODS
from wardgate.state.codes import Codes
from wardgate.state.database import Database
from wardgate.state.grants import NAMESPACES, Grants, Memo, count, rows_of
from wardgate.state.policies import empty_set
from wardgate.state.prefixes import check_prefix

ROOT_NAMESPACE = "root"
"""Id of the root namespace; all other ids are random and never used again."""
MAX_NAMESPACES = 10_000
"""Of one installation: each change of the tree is read again, whole, by every worker."""
_OF_NAMESPACES = tuple(
    table for table in tables.metadata.sorted_tables if "namespace" in table.c and table is not tables.grants
)
"""What ends with a namespace: all but when it did."""


@dataclass(frozen=True, slots=True)
class _Tree:
    """All genuine namespaces, by path and by id."""

    ids: Mapping[str, str]
    infos: Mapping[str, NamespaceInfo]
    children: Mapping[str, tuple[NamespaceInfo, ...]]


class Namespaces:
    """The tree of namespaces and their keyrings."""

    def __init__(self, database: Database, codes: Codes, clock: Clock, grants: Grants, root: RootKey) -> None:
        self._database = database
        self._codes = codes
        self._clock = clock
        self._grants = grants
        self._root = root
        self._memo: Memo[_Tree] = Memo("namespaces", grants, lambda _: self._load())
        self._keys: dict[str, NamespaceKeyring] = {}
        self._keys_of: _Tree | None = None

    def resolve(self, path: str) -> str:
        """The id of the namespace of this path (``""`` or ``root``: the root), or ``""`` when there is none."""
        ids = self._memo.of("").ids
        found = ids.get(path)
        return ids.get(path.strip("/"), "") if found is None else found

    def info(self, namespace: str) -> NamespaceInfo:
        """One namespace by its id. Raises SecretNotFound."""
        try:
            return self._memo.of("").infos[namespace]
        except KeyError:
            raise SecretNotFound("there is no such namespace") from None

    def ids(self) -> frozenset[str]:
        """The ids of all namespaces."""
        return frozenset(self._memo.of("").infos)

    def children(self, namespace: str) -> tuple[NamespaceInfo, ...]:
        """The direct children, by name."""
        return self._memo.of("").children.get(namespace, ())

    def child(self, namespace: str, name: str) -> NamespaceInfo:
        """The direct child of this name. Raises SecretNotFound."""
        for info in self.children(namespace):
            if info.path.segments[-1] == name:
                return info
        raise SecretNotFound(f"there is no namespace {name!r} here")

    def keyring(self, namespace: str) -> NamespaceKeyring:
        """The namespace's keys. Raises Sealed when they are gone or were changed."""
        tree = self._memo.of("")
        if tree is not self._keys_of:
            for gone in self._keys.keys() - tree.infos.keys():
                self._keys.pop(gone).wipe()
            self._keys_of = tree
        kept = self._keys.get(namespace)
        if kept is None:
            kept = self._keys[namespace] = self._open_keys(namespace, tree)
        return kept

    async def create(
        self, parent: str, name: str, *, namespace: str, along: Callable[[Connection], object]
    ) -> NamespaceInfo:
        """Create a child with a key of its own, and do ``along`` in the same transaction.

        Args:
            parent: id of the namespace above.
            name: one segment.
            namespace: the new id, from :func:`wardgate.state.tokens.new_id`.
            along: writes what belongs to it from the start: its first administrator.

        Raises:
            AlreadyExists: a child or a mount has that name, in any spelling of its case.
            InvalidValue: the name is reserved, or the tree would be too deep.
        """
        above = self.info(parent)
        if len(above.path.segments) >= MAX_SEGMENTS - 1:
            raise InvalidValue("namespaces cannot be nested any deeper")
        now = self._clock.now()
        row = {"id": namespace, "parent": parent, "name": name, "created_at": now}

        def work(connection: Connection) -> None:
            if (
                connection.execute(select(tables.namespaces.c.id).where(tables.namespaces.c.id == parent)).first()
                is None
            ):
                raise SecretNotFound("the namespace above was deleted")
            _check_name(connection, parent, name)
            insert_namespace(connection, self._codes, self._root, row)
            along(connection)

        await self._grants.change([NAMESPACES], work)
        return NamespaceInfo(namespace, above.path.child(name), now)

    async def delete(self, namespace: str) -> None:
        """Delete an empty namespace: whatever is remembered of it ends with it, its keys are shredded.

        Raises:
            Conflict: it has mounts or children.
            InvalidValue: it is the root.
        """
        if namespace == ROOT_NAMESPACE:
            raise InvalidValue("the root namespace cannot be deleted")

        def work(connection: Connection) -> None:
            _check_empty(connection, namespace)
            connection.execute(delete(tables.namespaces).where(tables.namespaces.c.id == namespace))
            for table in _OF_NAMESPACES:
                connection.execute(delete(table).where(table.c.namespace == namespace))

        told = ("principals", "policies", "mounts", "labels", AUTH_METHODS)
        kinds = [NAMESPACES, *((kind, namespace) for kind in told)]
        await self._grants.change(kinds, work)
        await self._database.shred()

    def _load(self) -> _Tree:
        rows = {
            row["id"]: row
            for row in rows_of(self._database, select(tables.namespaces).order_by(tables.namespaces.c.name))
            if self._codes.vouch(tables.namespaces, row)
        }
        infos: dict[str, NamespaceInfo] = {}
        children: dict[str, list[NamespaceInfo]] = {}
        for namespace, row in rows.items():
            path = _path(row, rows)
            if path is None:
                continue
            infos[namespace] = info = NamespaceInfo(namespace, path, row["created_at"])
            if row["parent"] is not None:
                children.setdefault(row["parent"], []).append(info)
        ids = {str(info.path): namespace for namespace, info in infos.items()}
        if ROOT_NAMESPACE in ids.values():
            ids[ROOT_NAMESPACE] = ROOT_NAMESPACE
        return _Tree(ids, infos, {parent: tuple(below) for parent, below in children.items()})

    def _open_keys(self, namespace: str, tree: _Tree) -> NamespaceKeyring:
        table = tables.keks
        rows = rows_of(self._database, select(table).where(table.c.namespace == namespace).order_by(table.c.version))
        if namespace not in tree.infos or not rows:
            raise Sealed("the keys of this namespace are gone")
        try:
            keks = {row["version"]: self._root.unwrap_kek(namespace, row["version"], row["wrapped"]) for row in rows}
        except (InvalidValue, TypeError, AttributeError, OverflowError):
            self._codes.report("the keys of namespace", namespace)
            raise Sealed("the keys of this namespace were changed; restore gateway.db from a backup") from None
        return NamespaceKeyring(namespace, keks, max(keks))


def insert_namespace(connection: Connection, codes: Codes, root: RootKey, row: Mapping[str, Any]) -> None:
    """Insert a namespace with its first key and its empty set of policies."""
    connection.execute(insert(tables.namespaces).values(codes.signed(tables.namespaces, row)))
    wrapped = root.wrap_kek(row["id"], 1, root.new_kek())
    connection.execute(insert(tables.keks).values(namespace=row["id"], version=1, wrapped=wrapped))
    connection.execute(insert(tables.policy_sets).values(empty_set(codes, row["id"])))
    for kind in (NAMESPACES, ("policies", row["id"])):
        count(connection, kind)


def _path(row: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]]) -> Path | None:
    """From the root, or None when one above is missing: a forged or broken branch is unreachable."""
    names: list[str] = []
    while row["parent"] is not None:
        names.append(row["name"])
        if row["parent"] not in rows or len(names) >= MAX_SEGMENTS:
            return None
        row = rows[row["parent"]]
    return Path(tuple(reversed(names))) if row["id"] == ROOT_NAMESPACE else None


def _check_name(connection: Connection, parent: str, name: str) -> None:
    siblings = connection.execute(select(tables.namespaces.c.name).where(tables.namespaces.c.parent == parent))
    total = connection.execute(select(func.count()).select_from(tables.namespaces)).scalar_one()
    if total >= MAX_NAMESPACES:
        raise Conflict(f"there are {MAX_NAMESPACES} namespaces already; delete one that is not needed")
    if name.casefold() in {str(sibling).casefold() for sibling in siblings.scalars()}:
        raise AlreadyExists(f"there is a namespace {name!r} here already")
    prefixes = connection.execute(select(tables.mounts.c.prefix).where(tables.mounts.c.namespace == parent)).scalars()
    for prefix in prefixes:
        if str(prefix).split("/")[0].casefold() == name.casefold():
            raise AlreadyExists(f"there is a mount at {prefix}/; choose another name")
    if name.casefold() == ROOT_NAMESPACE:
        raise InvalidValue("the name 'root' is the root namespace's; choose another")
    check_prefix(ROOT.child(name), mounts=(), children=())


def _check_empty(connection: Connection, namespace: str) -> None:
    children = select(tables.namespaces.c.name).where(tables.namespaces.c.parent == namespace)
    if connection.execute(children).first():
        raise Conflict("the namespace has child namespaces; delete them first")
    mounts = select(tables.mounts.c.prefix).where(tables.mounts.c.namespace == namespace)
    if connection.execute(mounts).first():
        raise Conflict("the namespace has mounts; remove them first, with a key of that namespace")
    if not connection.execute(select(tables.namespaces.c.id).where(tables.namespaces.c.id == namespace)).first():
        raise SecretNotFound("there is no such namespace")
