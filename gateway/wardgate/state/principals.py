"""Principals and their tokens: API keys, the tokens that logins bring, and those that tokens make."""

from __future__ import annotations

import dataclasses
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from wardgate.crypto import RootKey
from wardgate.spi.errors import REFUSED, AlreadyExists, InvalidValue, SecretNotFound, Unauthenticated
from wardgate.spi.identity import Principal
from wardgate.spi.operations.methods import MethodInfo
from wardgate.spi.operations.tokens import TokenInfo, TokenIssued
from wardgate.spi.services import Clock
from wardgate.state import trees
from wardgate.state.auth_methods import AuthMethods
from wardgate.state.codes import Codes
from wardgate.state.database import Database
from wardgate.state.grants import Grants, count, rows_of
from wardgate.state.lives import NEVER, Life, renewed_until
from wardgate.state.principal_rows import info_of, principal_of
from wardgate.state.tables import principals
from wardgate.state.tokens import new_id, new_token

KEY = "key"
MAX_LISTED = 100_000
"""Accessors of one answer."""

_ALL = 2**31
_BY_LOOKUP = select(principals).where(principals.c.lookup == bindparam("lookup"))
_BY_ACCESSOR = select(principals).where(
    (principals.c.namespace == bindparam("namespace")) & (principals.c.accessor == bindparam("accessor"))
)
_BY_ID = select(principals).where(
    (principals.c.namespace == bindparam("namespace")) & (principals.c.id == bindparam("id"))
)
# Built once: SQLAlchemy takes longer to build a statement than SQLite to run it.
_INSERT = insert(principals)
_RENEW = (
    update(principals)
    .where(principals.c.id == bindparam("known"))
    .values(expires_at=bindparam("expires_at"), renewed_at=bindparam("renewed_at"), mac=bindparam("mac"))
)
_USE = (
    update(principals)
    .where((principals.c.id == bindparam("known")) & (principals.c.mac == bindparam("known_mac")))
    .values(uses_left=bindparam("uses_left"), mac=bindparam("mac"))
    .returning(principals.c.id)
)
_ORPHAN = update(principals).where(principals.c.id == bindparam("known")).values(parent=None, mac=bindparam("mac"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a token comes from, and what it has from there.

    ``role``: id and name of the AppRole role it comes from. ``parent``: id of the token it ends with. ``method`` and
    ``attributes``: of the giver, so that a condition which holds for it holds for what it makes. ``networks``: where
    the token may be used; empty: anywhere. ``meta``: what its maker wrote on it. ``login``: the login
    method that brings it, with which it ends; None: none does.
    """

    kind: str = KEY
    role: tuple[str, str] | None = None
    parent: str | None = None
    method: str | None = None
    attributes: Mapping[str, str] | None = None
    networks: tuple[str, ...] = ()
    meta: Mapping[str, str] = field(default_factory=dict)
    login: MethodInfo | None = None


AN_ORPHAN_KEY = Origin()


@dataclass(frozen=True, slots=True)
class Draft:
    """A token made and not kept yet; ``insert`` keeps it, in whatever transaction it belongs to."""

    issued: TokenIssued
    insert: Callable[[Connection], None]


class Principals:
    """Issues, finds, counts, renews and ends tokens."""

    def __init__(
        self,
        database: Database,
        codes: Codes,
        clock: Clock,
        grants: Grants,
        root: RootKey,
        methods: AuthMethods,
    ) -> None:
        self._database = database
        self._codes = codes
        self._clock = clock
        self._grants = grants
        self._methods = methods
        self._lookup_key = root.derive("token-lookup")

    def draft(
        self,
        namespace: str,
        name: str,
        policies: Sequence[str],
        life: Life,
        *,
        origin: Origin = AN_ORPHAN_KEY,
        token: str | None = None,
    ) -> Draft:
        """Make a token.

        Args:
            namespace: its id.
            name: for people; need not be unique.
            policies: names, as the caller has checked them.
            life: how long.
            origin: where it comes from.
            token: its text, where the operator chose one (``dev --token``).
        """
        token = token or new_token()
        now = self._clock.now()
        of_it = {"namespace": namespace, "lookup": self._lookup(token), "name": origin.role[1] if origin.role else name}
        carried = {"policies": json.dumps(list(dict.fromkeys(policies)))}
        row = self._codes.signed(principals, {**of_it, **carried, **_new(life, origin, now)})

        def keep(connection: Connection) -> None:
            trees.sweep(connection, now)
            if origin.login is not None:
                # Or a token could come after its method's end.
                self._methods.check(connection, namespace, origin.login)
            if origin.parent is not None:
                self._check_parent(connection, namespace, origin.parent)
            try:
                connection.execute(_INSERT, row)
            except IntegrityError:
                raise AlreadyExists("that token is in use already; choose another") from None

        return Draft(TokenIssued(info_of(row, now), token, life.cut), keep)

    async def issue(
        self,
        namespace: str,
        name: str,
        policies: Sequence[str],
        life: Life,
        *,
        origin: Origin = AN_ORPHAN_KEY,
        token: str | None = None,
    ) -> TokenIssued:
        """Make a token and keep it.

        Raises:
            AlreadyExists: the chosen ``token`` is in use.
            Unauthenticated: its parent ended a moment ago.
            InvalidValue: its parent has too many.
            SecretNotFound: its login method was disabled a moment ago.
        """
        draft = self.draft(namespace, name, policies, life, origin=origin, token=token)
        await self._database.write(draft.insert)
        return draft.issued

    def authenticated(self, token: str, namespace: str) -> Principal:
        """Who shows this token; ``expires_at`` is the earliest end of the token and of those above it.

        Raises:
            Unauthenticated: unknown, forged, expired, used up, or another namespace's; the message does not say which.
        """
        with self._database.reading() as connection:
            row, until = self._living(connection, _BY_LOOKUP, {"lookup": self._lookup(token)})
        if row is None or row["namespace"] != namespace:
            raise Unauthenticated(REFUSED)
        principal = principal_of(row)
        return principal if until in (NEVER, row["expires_at"]) else dataclasses.replace(principal, expires_at=until)

    async def use(self, namespace: str, token_id: str) -> None:
        """Consume one use of a counted token, synced before this returns. Raises Unauthenticated: none is left."""

        def work(connection: Connection) -> None:
            row, _ = self._living(connection, _BY_ID, {"namespace": namespace, "id": token_id})
            if row is None or row["uses_left"] is None:
                raise Unauthenticated(REFUSED)
            used = self._codes.signed(principals, {**row, "uses_left": row["uses_left"] - 1})
            seen = {"known": row["id"], "known_mac": row["mac"]}
            if connection.execute(_USE, {**seen, "uses_left": used["uses_left"], "mac": used["mac"]}).scalar() is None:
                raise Unauthenticated(REFUSED)

        await self._database.write(work)

    def lookup(self, token: str, namespace: str) -> TokenInfo:
        """The token's facts. Raises Unauthenticated, as ``authenticated`` does."""
        with self._database.reading() as connection:
            row, _ = self._living(connection, _BY_LOOKUP, {"lookup": self._lookup(token)})
        if row is None or row["namespace"] != namespace:
            raise Unauthenticated(REFUSED)
        return info_of(row, self._clock.now())

    def info(self, namespace: str, token_id: str, *, used_up: bool = False) -> TokenInfo:
        """The facts of a token by its id (``Principal.id``); ``used_up``: also of one whose last use this is.

        Raises:
            SecretNotFound: there is none, or it has ended.
        """
        return self._info_of(_BY_ID, {"namespace": namespace, "id": token_id}, used_up=used_up)

    def by_accessor(self, namespace: str, accessor: str) -> TokenInfo:
        """The facts of a token by its accessor. Raises SecretNotFound, also when it has ended."""
        return self._info_of(_BY_ACCESSOR, {"namespace": namespace, "accessor": accessor})

    def keys(self, namespace: str) -> tuple[TokenInfo, ...]:
        """All API keys of the namespace that have not expired, oldest first."""
        now = self._clock.now()
        mine = (principals.c.namespace == namespace) & (principals.c.kind == KEY)
        rows = rows_of(
            self._database, select(principals).where(mine).order_by(principals.c.created_at, principals.c.id)
        )
        return tuple(info_of(row, now) for row in rows if self._holds(row, now))

    def accessors(self, namespace: str) -> tuple[str, ...]:
        """The accessors of all tokens that have not ended, oldest first. Raises InvalidValue when they are too many."""
        table = principals.c
        living = or_(table.expires_at.is_(None), table.expires_at > self._clock.now())
        unused = or_(table.uses_left.is_(None), table.uses_left > 0)
        statement = select(table.accessor).where((table.namespace == namespace) & living & unused)
        with self._database.reading() as connection:
            ordered = statement.order_by(table.created_at, table.id).limit(MAX_LISTED + 1)
            found = tuple(connection.execute(ordered).scalars())
        if len(found) > MAX_LISTED:
            raise InvalidValue(f"there are more than {MAX_LISTED} tokens; they cannot be listed")
        return found

    async def renew(self, namespace: str, token_id: str, increment: int | None) -> TokenInfo:
        """Let a token live ``increment`` nanoseconds from now (None: its first TTL), never past its bounds.

        Raises:
            Unauthenticated: it is not there, or has ended.
            InvalidValue: it is not renewable, or the increment is not positive.
        """
        if increment is not None and increment <= 0:
            raise InvalidValue("the increment must be more than zero")
        now = self._clock.now()

        def work(connection: Connection) -> tuple[dict[str, Any], bool]:
            row, _ = self._living(connection, _BY_ID, {"namespace": namespace, "id": token_id})
            if row is None:
                raise Unauthenticated(REFUSED)
            until = renewed_until(row, now, increment)
            renewed = self._codes.signed(principals, {**row, "expires_at": until, "renewed_at": now})
            kept = {"known": row["id"], "expires_at": until, "renewed_at": now, "mac": renewed["mac"]}
            connection.execute(_RENEW, kept)
            shorter: bool = until < row["expires_at"]
            if shorter:
                count(connection, ("principals", namespace))
            return renewed, shorter

        renewed, shorter = await self._database.write(work)
        if shorter:
            # What is remembered of a longer-lived token expires too early: no harm, and no worker need forget.
            self._grants.bump(("principals", namespace))
        return info_of(renewed, now)

    async def revoke(self, namespace: str, token_id: str, *, kind: str | None = None) -> None:
        """End a token and all below it in every worker, before this returns. Raises SecretNotFound."""

        def work(connection: Connection) -> None:
            row = _one(connection, _BY_ID, {"namespace": namespace, "id": token_id})
            if row is None or kind not in (None, row["kind"]):
                raise SecretNotFound("there is no such token")
            trees.end(connection, namespace, token_id)

        await self._grants.change([("principals", namespace)], work)

    async def revoke_alone(self, namespace: str, token_id: str) -> None:
        """End a token in every worker; those it made become orphans. Raises SecretNotFound."""

        def work(connection: Connection) -> None:
            row, _ = self._living(connection, _BY_ID, {"namespace": namespace, "id": token_id})
            if row is None:
                raise SecretNotFound("there is no such token")
            children = connection.execute(select(principals).where(principals.c.parent == token_id)).mappings().all()
            for child in map(dict, children):
                if self._codes.vouch(principals, child):
                    free = self._codes.signed(principals, {**child, "parent": None})
                    connection.execute(_ORPHAN, {"known": child["id"], "mac": free["mac"]})
            connection.execute(delete(principals).where(principals.c.id == token_id))

        await self._grants.change([("principals", namespace)], work)

    async def tidy(self) -> None:
        """Delete all that has ended, of every namespace."""
        now = self._clock.now()
        await self._database.write(lambda connection: trees.sweep(connection, now, few=_ALL))

    def _check_parent(self, connection: Connection, namespace: str, parent: str) -> None:
        row, _ = self._living(connection, _BY_ID, {"namespace": namespace, "id": parent})
        if row is None:
            raise Unauthenticated(REFUSED)
        trees.check_room(connection, namespace, parent)

    def _lookup(self, token: str) -> bytes:
        return hmac.digest(self._lookup_key, token.encode("utf-8", "surrogatepass"), "sha256")

    def _info_of(self, statement: Select[Any], key: Mapping[str, object], *, used_up: bool = False) -> TokenInfo:
        with self._database.reading() as connection:
            row, _ = self._living(connection, statement, key, used_up=used_up)
        if row is None:
            raise SecretNotFound("there is no such token")
        return info_of(row, self._clock.now())

    def _living(
        self, connection: Connection, statement: Select[Any], key: Mapping[str, object], *, used_up: bool = False
    ) -> tuple[dict[str, Any] | None, int | None]:
        """The row, if it and all above it hold, and when the first of them ends (``NEVER``: none does)."""
        now = self._clock.now()
        row = _one(connection, statement, key)
        if row is None or not self._holds(row, now, used_up=used_up):
            return None, None
        until = trees.ends_at(connection, row, lambda above: self._holds(above, now))
        return (None, None) if until is None else (row, until)

    def _holds(self, row: Mapping[str, Any], now: int, *, used_up: bool = False) -> bool:
        return (
            self._codes.vouch(principals, row)
            and (row["expires_at"] is None or row["expires_at"] > now)
            and (used_up or row["uses_left"] != 0)
        )


def _one(connection: Connection, statement: Select[Any], parameters: Mapping[str, object]) -> dict[str, Any] | None:
    row = connection.execute(statement, parameters).mappings().first()
    return None if row is None else dict(row)


def _new(life: Life, origin: Origin, now: int) -> dict[str, Any]:
    """What a new row holds of its life and its origin."""
    ttl = life.first
    return {
        "id": new_id(),
        "kind": origin.kind,
        "accessor": new_id(),
        "created_at": now,
        "expires_at": None if ttl is None else now + ttl,
        "ttl": ttl,
        "max_ttl": life.max_ttl,
        "renewable": int(life.renewable),
        "role": origin.role[0] if origin.role else None,
        "parent": origin.parent,
        "method": origin.method,
        "attributes": _json(origin.attributes),
        "meta": _json(origin.meta),
        "networks": _json(origin.networks),
        "period": life.period,
        "explicit_max_ttl": life.explicit_max_ttl,
        "uses_left": life.uses,
        "renewed_at": None,
        "login_method_id": origin.login.id if origin.login else None,
        "login_method_name": origin.login.name if origin.login else None,
    }


def _json(value: object) -> str | None:
    return json.dumps(value) if value else None
