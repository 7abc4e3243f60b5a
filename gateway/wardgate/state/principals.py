"""Principals and their tokens: API keys, and the tokens that logins bring."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from wardgate.crypto import RootKey
from wardgate.spi.errors import AlreadyExists, InvalidValue, SecretNotFound, Unauthenticated
from wardgate.spi.identity import Principal
from wardgate.spi.operations.tokens import TokenInfo, TokenIssued
from wardgate.spi.services import Clock
from wardgate.state.codes import Codes
from wardgate.state.database import Database
from wardgate.state.grants import Grants, count, rows_of
from wardgate.state.tables import principals
from wardgate.state.tokens import new_id, new_token

KEY = "key"
APPROLE = "approle"
MAX_LIFE = 10 * 365 * 86_400 * 10**9
"""The longest any token may be asked to live, in nanoseconds: ten years."""
REFUSED = "permission denied"
"""The one answer to any token that does not hold, whatever is wrong with it."""

_SWEPT = 16
_BY_LOOKUP = select(principals).where(principals.c.lookup == bindparam("lookup"))
_BY_ID = select(principals).where(
    (principals.c.namespace == bindparam("namespace")) & (principals.c.id == bindparam("id"))
)
# Built once: SQLAlchemy takes longer to build a statement than SQLite to run it.
_INSERT = insert(principals)
_SWEEP = delete(principals).where(
    principals.c.id.in_(select(principals.c.id).where(principals.c.expires_at <= bindparam("now")).limit(_SWEPT))
)
_RENEW = (
    update(principals)
    .where(principals.c.id == bindparam("known"))
    .values(expires_at=bindparam("expires_at"), mac=bindparam("mac"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """How long a token lives, in nanoseconds. ``ttl`` None: for ever; ``max_ttl`` bounds every renewal."""

    ttl: int | None = None
    max_ttl: int | None = None
    renewable: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """A token made and not kept yet; ``insert`` keeps it, in whatever transaction it belongs to."""

    issued: TokenIssued
    insert: Callable[[Connection], None]


class Principals:
    """Issues, finds, renews and ends tokens."""

    def __init__(self, database: Database, codes: Codes, clock: Clock, grants: Grants, root: RootKey) -> None:
        self._database = database
        self._codes = codes
        self._clock = clock
        self._grants = grants
        self._lookup_key = root.derive("token-lookup")

    def draft(
        self,
        namespace: str,
        name: str,
        policies: Sequence[str],
        life: Life,
        *,
        role: tuple[str, str] | None = None,
        token: str | None = None,
    ) -> Draft:
        """Make a token.

        Args:
            namespace: its id.
            name: for people; need not be unique.
            policies: names, as the caller has checked them.
            life: how long.
            role: id and name of the AppRole role it comes from; None: it is an API key.
            token: its text, where the operator chose one (``dev --token``).
        """
        token = token or new_token()
        now = self._clock.now()
        row = self._codes.signed(
            principals,
            {
                "id": new_id(),
                "namespace": namespace,
                "kind": APPROLE if role else KEY,
                "lookup": self._lookup(token),
                "accessor": new_id(),
                "name": role[1] if role else name,
                "policies": json.dumps(list(dict.fromkeys(policies))),
                "created_at": now,
                "expires_at": None if life.ttl is None else now + life.ttl,
                "ttl": life.ttl,
                "max_ttl": life.max_ttl,
                "renewable": int(life.renewable),
                "role": role[0] if role else None,
            },
        )

        def keep(connection: Connection) -> None:
            _sweep(connection, now)
            try:
                connection.execute(_INSERT, row)
            except IntegrityError:
                raise AlreadyExists("that token is in use already; choose another") from None

        return Draft(TokenIssued(_info(row, now), token), keep)

    async def issue(
        self, namespace: str, name: str, policies: Sequence[str], life: Life, *, token: str | None = None
    ) -> TokenIssued:
        """Make an API key and keep it. Raises AlreadyExists when the chosen ``token`` is in use."""
        draft = self.draft(namespace, name, policies, life, token=token)
        await self._database.write(draft.insert)
        return draft.issued

    def lookup(self, token: str, namespace: str) -> TokenInfo:
        """The token's facts.

        Raises:
            Unauthenticated: unknown, forged, expired, or another namespace's; the message does not say which.
        """
        row = self._row(_BY_LOOKUP, {"lookup": self._lookup(token)})
        now = self._clock.now()
        if row is None or not self._holds(row, now) or row["namespace"] != namespace:
            raise Unauthenticated(REFUSED)
        return _info(row, now)

    def info(self, namespace: str, token_id: str) -> TokenInfo:
        """The facts of a token by its id (``Principal.id``). Raises SecretNotFound, also when it has expired."""
        now = self._clock.now()
        row = self._row(_BY_ID, {"namespace": namespace, "id": token_id})
        if row is None or not self._holds(row, now):
            raise SecretNotFound("there is no such token")
        return _info(row, now)

    def keys(self, namespace: str) -> tuple[TokenInfo, ...]:
        """All API keys of the namespace that have not expired, oldest first."""
        now = self._clock.now()
        mine = (principals.c.namespace == namespace) & (principals.c.kind == KEY)
        rows = rows_of(
            self._database, select(principals).where(mine).order_by(principals.c.created_at, principals.c.id)
        )
        return tuple(_info(row, now) for row in rows if self._holds(row, now))

    async def renew(self, namespace: str, token_id: str, increment: int | None) -> TokenInfo:
        """Let a token live ``increment`` nanoseconds from now (None: its first TTL), never past its ``max_ttl``.

        Raises:
            Unauthenticated: it is not there, or has expired.
            InvalidValue: it is not renewable, or the increment is not positive.
        """
        if increment is not None and increment <= 0:
            raise InvalidValue("the increment must be more than zero")
        now = self._clock.now()

        def work(connection: Connection) -> tuple[dict[str, Any], bool]:
            row = _one(connection, _BY_ID, {"namespace": namespace, "id": token_id})
            if row is None or not self._holds(row, now):
                raise Unauthenticated(REFUSED)
            renewed = self._codes.signed(principals, {**row, "expires_at": _renewed_until(row, now, increment)})
            connection.execute(_RENEW, {"known": row["id"], "expires_at": renewed["expires_at"], "mac": renewed["mac"]})
            shorter = renewed["expires_at"] < row["expires_at"]
            if shorter:
                count(connection, ("principals", namespace))
            return renewed, shorter

        renewed, shorter = await self._database.write(work)
        if shorter:
            # What is remembered of a longer-lived token expires too early: no harm, and no worker need forget.
            self._grants.bump(("principals", namespace))
        return _info(renewed, now)

    async def revoke(self, namespace: str, token_id: str, *, kind: str | None = None) -> None:
        """End a token in every worker, before this returns. Raises SecretNotFound."""
        key = (principals.c.namespace == namespace) & (principals.c.id == token_id)
        if kind is not None:
            key &= principals.c.kind == kind

        def work(connection: Connection) -> None:
            if connection.execute(delete(principals).where(key)).rowcount != 1:
                raise SecretNotFound("there is no such token")

        await self._grants.change([("principals", namespace)], work)

    def _lookup(self, token: str) -> bytes:
        return hmac.digest(self._lookup_key, token.encode("utf-8", "surrogatepass"), "sha256")

    def _row(self, statement: Select[Any], parameters: Mapping[str, object]) -> dict[str, Any] | None:
        with self._database.reading() as connection:
            return _one(connection, statement, parameters)

    def _holds(self, row: Mapping[str, Any], now: int) -> bool:
        return self._codes.vouch(principals, row) and (row["expires_at"] is None or row["expires_at"] > now)


def forget_role(connection: Connection, role: str) -> None:
    """Delete the tokens a role brought."""
    connection.execute(delete(principals).where(principals.c.role == role))


def check_life(what: str, nanoseconds: int | None) -> None:
    """Refuse a duration that is not one. Raises InvalidValue."""
    if nanoseconds is not None and not 0 < nanoseconds <= MAX_LIFE:
        raise InvalidValue(f"{what} must be more than zero and at most ten years")


def _renewed_until(row: Mapping[str, Any], now: int, increment: int | None) -> int:
    if not row["renewable"] or row["expires_at"] is None:
        raise InvalidValue("this token cannot be renewed")
    until: int = now + (increment or row["ttl"])
    return until if row["max_ttl"] is None else min(until, row["created_at"] + row["max_ttl"])


def _one(connection: Connection, statement: Select[Any], parameters: Mapping[str, object]) -> dict[str, Any] | None:
    row = connection.execute(statement, parameters).mappings().first()
    return None if row is None else dict(row)


def _sweep(connection: Connection, now: int) -> None:
    """Delete a few tokens that have expired: more than are added, so that they never pile up."""
    connection.execute(_SWEEP, {"now": now})


def _info(row: Mapping[str, Any], now: int) -> TokenInfo:
    expires_at = row["expires_at"]
    return TokenInfo(
        principal=Principal(
            id=row["id"],
            namespace=row["namespace"],
            name=row["name"],
            method=row["kind"],
            policies=tuple(json.loads(row["policies"])),
            accessor=row["accessor"],
            created_at=row["created_at"],
            expires_at=expires_at,
            attributes={"role": row["name"]} if row["role"] else {},
        ),
        ttl=0 if expires_at is None else max(0, expires_at - now),
        creation_ttl=row["ttl"] or 0,
        max_ttl=row["max_ttl"] or 0,
        renewable=bool(row["renewable"]),
    )
