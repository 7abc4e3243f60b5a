"""Mounts as they are remembered: where, of which type, and with options that are sealed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from wardgate.crypto import NamespaceKeyring
from wardgate.spi.errors import InvalidValue, SecretNotFound, Unavailable, WardgateError
from wardgate.spi.path import Path
from wardgate.spi.services import Clock, SealedMessage
from wardgate.state import tables
from wardgate.state.codes import Codes
from wardgate.state.database import Database
from wardgate.state.grants import Grants, Memo, rows_of
from wardgate.state.prefixes import check_prefix
from wardgate.state.tokens import new_id

MAX_MOUNTS = 1_000
"""Mounts in one namespace."""
TAMPERED = (
    "what is stored of this mount was changed outside the gateway; "
    "delete the mount, or put it right or restore a backup, and start the gateway again"
)

_STORE = "mounts"


@dataclass(frozen=True, slots=True)
class MountRow:
    """One mount. ``options`` are opened, secrets and all, and never shown.

    ``fault``: why it must not be opened; it then has no options, and an id that no store knows.
    """

    id: str
    namespace: str
    prefix: Path
    type: str
    presentation: Mapping[str, str]
    options: Mapping[str, object] = field(repr=False)
    created_at: int
    description: str = ""
    fault: str = ""
    cache_ttl: int | None = None
    default_lease_ttl: int = 0
    max_lease_ttl: int = 0


class Mounts:
    """Reads and changes the mounts of every namespace."""

    def __init__(
        self,
        database: Database,
        codes: Codes,
        clock: Clock,
        grants: Grants,
        keyring: Callable[[str], NamespaceKeyring],
        make_store: Callable[[str], None],
    ) -> None:
        self._database = database
        self._codes = codes
        self._clock = clock
        self._grants = grants
        self._keyring = keyring
        self._make_store = make_store
        self._memo = Memo("mounts", grants, self._load)

    def of(self, namespace: str) -> tuple[MountRow, ...]:
        """All mounts of a namespace, by prefix; the same object as long as nothing changed."""
        return self._memo.of(namespace)

    def at(self, namespace: str, prefix: Path) -> MountRow:
        """The mount of exactly this prefix. Raises SecretNotFound."""
        for row in self.of(namespace):
            if row.prefix == prefix:
                return row
        raise _nothing_at(prefix)

    def draft(
        self,
        namespace: str,
        prefix: Path,
        kind: str,
        *,
        options: Mapping[str, object],
        presentation: Mapping[str, str],
        description: str,
        cache_ttl: int | None = None,
        default_lease_ttl: int = 0,
        max_lease_ttl: int = 0,
    ) -> MountRow:
        """A mount that is not kept yet."""
        return MountRow(
            new_id(),
            namespace,
            prefix,
            kind,
            dict(presentation),
            dict(options),
            self._clock.now(),
            description,
            cache_ttl=cache_ttl,
            default_lease_ttl=default_lease_ttl,
            max_lease_ttl=max_lease_ttl,
        )

    async def add(self, row: MountRow) -> None:
        """Keep a mount.

        Raises:
            AlreadyExists, InvalidValue: the prefix nests with another mount, is a child namespace's, or is reserved.
        """
        sealed = self._sealed(row)
        if not self.of(row.namespace):
            self._make_store(row.namespace)  # before the row: a mount whose file is not there cannot be opened

        def work(connection: Connection) -> None:
            self.check(connection, row.namespace, row.prefix)
            connection.execute(insert(tables.mounts).values(sealed))

        await self._grants.change([("mounts", row.namespace)], work)

    async def tune(self, namespace: str, prefix: Path, tuned: Callable[[MountRow], MountRow]) -> MountRow:
        """Keep what can change of a mount: its description, how it is shown, its TTLs.

        ``tuned`` is given the mount as it is when its turn has come: what others change at the same time stays.

        Raises:
            SecretNotFound: there is none.
            Unavailable: it was changed outside the gateway.
        """
        table = tables.mounts

        def work(connection: Connection) -> MountRow:
            found = connection.execute(select(table).where(_at(namespace, prefix))).mappings().first()
            if found is None:
                raise _nothing_at(prefix)
            # A row that does not verify must not be blessed by a change of it.
            if not self._codes.vouch(table, dict(found)):
                raise Unavailable(TAMPERED)
            row = tuned(self._opened(dict(found)))
            changed = self._codes.signed(table, {**found, **_tunable(row)})
            connection.execute(update(table).where(table.c.id == row.id).values(changed))
            return row

        return await self._grants.change([("mounts", namespace)], work)

    async def remove(self, namespace: str, prefix: Path) -> None:
        """Forget a mount, and the ordinals of its versions. Raises SecretNotFound."""
        table = tables.mounts

        def work(connection: Connection) -> None:
            removed = connection.execute(delete(table).where(_at(namespace, prefix)).returning(table.c.id)).scalar()
            if removed is None:
                raise _nothing_at(prefix)
            connection.execute(delete(tables.ledger).where(tables.ledger.c.mount == removed))

        await self._grants.change([("mounts", namespace)], work)

    def precheck(self, namespace: str, prefix: Path) -> None:
        """Raise what ``add`` would raise for this prefix now."""
        with self._database.reading() as connection:
            self.check(connection, namespace, prefix)

    def check(self, connection: Connection, namespace: str, prefix: Path) -> None:
        """Refuse a prefix that cannot be taken, as seen by this connection."""
        mounts, children = tables.mounts, tables.namespaces
        taken = connection.execute(select(mounts.c.prefix).where(mounts.c.namespace == namespace)).scalars().all()
        if len(taken) >= MAX_MOUNTS:
            raise InvalidValue(f"a namespace holds at most {MAX_MOUNTS} mounts")
        names = connection.execute(select(children.c.name).where(children.c.parent == namespace)).scalars().all()
        check_prefix(prefix, mounts=[Path(tuple(str(each).split("/"))) for each in taken], children=map(str, names))

    def _sealed(self, row: MountRow) -> dict[str, Any]:
        text = json.dumps(dict(row.options), separators=(",", ":")).encode()
        binding = [row.id.encode()]
        message = self._keyring(row.namespace).scoped(_STORE).seal(text, data=binding, key=binding)
        return self._codes.signed(
            tables.mounts,
            {
                "id": row.id,
                "namespace": row.namespace,
                "prefix": str(row.prefix),
                "type": row.type,
                "options_key": message.wrapped_key,
                "options": message.ciphertext,
                "created_at": row.created_at,
                **_tunable(row),
            },
        )

    def _load(self, namespace: str) -> tuple[MountRow, ...]:
        table = tables.mounts
        rows = rows_of(self._database, select(table).where(table.c.namespace == namespace).order_by(table.c.prefix))
        genuine = [row for row in rows if self._codes.vouch(table, row)]
        mounts = [self._opened(row) for row in genuine]
        for row in rows:
            if row not in genuine and (forged := _refused(row, mounts)) is not None:
                mounts.append(forged)
        return tuple(mounts)

    def _opened(self, row: Mapping[str, Any]) -> MountRow:
        options: Mapping[str, object] = {}
        fault = ""
        try:
            message = SealedMessage(row["options_key"], row["options"])
            binding = [row["id"].encode()]
            options = json.loads(
                self._keyring(row["namespace"]).scoped(_STORE).open(message, data=binding, key=binding)
            )
        except WardgateError as error:
            fault = error.message
        return MountRow(
            row["id"],
            row["namespace"],
            Path(tuple(row["prefix"].split("/"))),
            row["type"],
            json.loads(row["presentation"]),
            options,
            row["created_at"],
            row["description"],
            fault,
            row["cache_ttl"],
            row["default_lease_ttl"] or 0,
            row["max_lease_ttl"] or 0,
        )


def _at(namespace: str, prefix: Path) -> ColumnElement[bool]:
    return (tables.mounts.c.namespace == namespace) & (tables.mounts.c.prefix == str(prefix))


def _nothing_at(prefix: Path) -> SecretNotFound:
    return SecretNotFound(f"there is no mount at {prefix}/")


def _tunable(row: MountRow) -> dict[str, Any]:
    """The columns that can change. NULL where nothing is set, as in rows older than the column."""
    return {
        "presentation": json.dumps(dict(row.presentation), separators=(",", ":")),
        "description": row.description,
        "cache_ttl": row.cache_ttl,
        "default_lease_ttl": row.default_lease_ttl or None,
        "max_lease_ttl": row.max_lease_ttl or None,
    }


def _refused(row: Mapping[str, Any], genuine: list[MountRow]) -> MountRow | None:
    """A forged row, shown as a mount that cannot be opened; None where it would hide a genuine one."""
    try:
        prefix = Path.parse(str(row["prefix"]))
        check_prefix(prefix, mounts=[mount.prefix for mount in genuine], children=())
    except WardgateError:
        return None
    # An id of its own: were it opened by mistake, no store would find another mount's secrets under it.
    return MountRow(f"refused-{new_id()}", str(row["namespace"]), prefix, str(row["type"]), {}, {}, 0, "", TAMPERED)
