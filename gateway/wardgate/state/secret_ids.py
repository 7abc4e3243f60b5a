"""Secret ids: what a machine proves an AppRole role with."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from wardgate.crypto.envelope import pack
from wardgate.spi.errors import AlreadyExists, InvalidValue, SecretNotFound, Unauthenticated
from wardgate.spi.operations.approle import CreateSecretId, SecretIdInfo, SecretIdIssued
from wardgate.state.codes import Codes
from wardgate.state.database import Database
from wardgate.state.tables import roles, secret_ids
from wardgate.state.tokens import new_id, new_token

WRONG_IDS = "invalid role or secret ID"
"""The one answer to a login that fails, whatever is wrong with it."""
DECOY = "decoy"
"""Of no namespace and never proved: read where nothing is found, so that what is not there costs the same time."""
MAX_SECRET_IDS = 100_000
"""Of one role, that have not ended."""

_SWEPT = 16
_ALL = 2**31
OR_DECOY = select(secret_ids).where(
    secret_ids.c.accessor
    == func.coalesce(
        select(secret_ids.c.accessor)
        .where(secret_ids.c.lookup.in_([bindparam("lookup"), bindparam("chosen")]))
        .limit(1)
        .scalar_subquery(),
        DECOY,
    )
)
_OF_ROLE = (secret_ids.c.namespace == bindparam("namespace")) & (secret_ids.c.role == bindparam("role"))
_LIVING = (secret_ids.c.expires_at.is_(None)) | (secret_ids.c.expires_at > bindparam("now"))
_ACCESSORS = (
    select(secret_ids.c.accessor).where(_OF_ROLE & _LIVING).order_by(secret_ids.c.created_at, secret_ids.c.accessor)
)
_COUNT = select(func.count()).where(_OF_ROLE)
_BY_ACCESSOR = select(secret_ids).where(_OF_ROLE & (secret_ids.c.accessor == bindparam("accessor")))
_BY_LOOKUP = select(secret_ids).where(_OF_ROLE & secret_ids.c.lookup.in_([bindparam("lookup"), bindparam("chosen")]))
_AS_SEEN = (secret_ids.c.accessor == bindparam("known")) & (secret_ids.c.mac == bindparam("known_mac"))
_USE_UP = delete(secret_ids).where(_AS_SEEN).returning(secret_ids.c.accessor)
_USE = (
    update(secret_ids)
    .where(_AS_SEEN)
    .values(uses_left=bindparam("uses_left"), used_at=bindparam("used_at"), mac=bindparam("mac"))
    .returning(secret_ids.c.accessor)
)
_SWEEP = delete(secret_ids).where(
    secret_ids.c.accessor.in_(
        select(secret_ids.c.accessor).where(secret_ids.c.expires_at <= bindparam("now")).limit(bindparam("few"))
    )
)


class SecretIds:
    """Issues, finds, counts and ends the secret ids of roles. A ``role`` here is a genuine row of the roles."""

    def __init__(self, database: Database, codes: Codes, key: bytes) -> None:
        self._database = database
        self._codes = codes
        self._key = key

    async def issue(
        self, role: Mapping[str, Any], asked: CreateSecretId, now: int, *, chosen: str = ""
    ) -> SecretIdIssued:
        """Issue one; the caller has validated what is asked.

        Args:
            role: whose it is.
            asked: its life, uses, networks and metadata; what is None is the role's.
            now: Unix nanoseconds.
            chosen: its text, where the caller chose one.

        Raises:
            SecretNotFound: the role is gone, or was replaced by another of its name.
            AlreadyExists: the role has that one already.
            InvalidValue: the role has too many.
        """
        secret_id = chosen or new_token()
        ttl = role["secret_id_ttl"] if asked.ttl is None else asked.ttl
        uses = role["secret_id_uses"] if asked.uses is None else asked.uses
        row = self._codes.signed(
            secret_ids,
            {
                "accessor": new_id(),
                "namespace": role["namespace"],
                "role": role["id"],
                "lookup": self.chosen(role["id"], chosen) if chosen else self.lookup(secret_id),
                "created_at": now,
                "expires_at": now + ttl if ttl else None,
                "uses_left": uses or None,
                "metadata": json.dumps(dict(asked.metadata)) if asked.metadata else None,
                "networks": json.dumps(asked.networks) if asked.networks else None,
                "token_networks": json.dumps(asked.token_networks) if asked.token_networks else None,
                "used_at": None,
            },
        )

        def work(connection: Connection) -> None:
            _sweep(connection, now)
            if connection.execute(select(roles.c.id).where(roles.c.id == role["id"])).first() is None:
                raise SecretNotFound(f"there is no role {role['name']!r}")
            if connection.execute(_COUNT, _of(role)).scalar_one() >= MAX_SECRET_IDS:
                raise InvalidValue(f"a role can have at most {MAX_SECRET_IDS} secret ids; destroy some")
            try:
                connection.execute(insert(secret_ids).values(row))
            except IntegrityError:
                raise AlreadyExists("the role has that secret id already; choose another") from None

        await self._database.write(work)
        return SecretIdIssued(row["accessor"], ttl, uses, secret_id)

    def accessors(self, role: Mapping[str, Any], now: int) -> tuple[str, ...]:
        """The accessors of all that have not expired, oldest first."""
        with self._database.reading() as connection:
            return tuple(connection.execute(_ACCESSORS, {**_of(role), "now": now}).scalars())

    def info(self, role: Mapping[str, Any], secret_id: str | None, accessor: str | None, now: int) -> SecretIdInfo:
        """One by itself or by its accessor. Raises SecretNotFound, also when it has expired."""
        with self._database.reading() as connection:
            return _info(self._found(connection, role, secret_id, accessor, now))

    async def destroy(self, role: Mapping[str, Any], secret_id: str | None, accessor: str | None, now: int) -> None:
        """End one, by itself or by its accessor. Raises SecretNotFound."""

        def work(connection: Connection) -> None:
            row = self._found(connection, role, secret_id, accessor, now)
            connection.execute(delete(secret_ids).where(secret_ids.c.accessor == row["accessor"]))

        await self._database.write(work)

    async def tidy(self, now: int) -> None:
        """Delete all that have expired, of every namespace."""
        await self._database.write(lambda connection: _sweep(connection, now, few=_ALL))

    def consume(self, connection: Connection, proof: Mapping[str, Any], now: int) -> None:
        """Count one use, if it is counted; the last deletes it. Raises Unauthenticated when another was faster."""
        if proof["uses_left"] is None:
            return
        seen = {"known": proof["accessor"], "known_mac": proof["mac"]}
        if proof["uses_left"] <= 1:
            used = connection.execute(_USE_UP, seen)
        else:
            left = self._codes.signed(secret_ids, {**proof, "uses_left": proof["uses_left"] - 1, "used_at": now})
            kept = {name: left[name] for name in ("uses_left", "used_at", "mac")}
            used = connection.execute(_USE, {**seen, **kept})
        if used.scalar() is None:
            raise Unauthenticated(WRONG_IDS)

    def lookup(self, secret_id: str) -> bytes:
        """What a random one is found by."""
        return hmac.digest(self._key, _bytes(secret_id), "sha256")

    def chosen(self, role: str, secret_id: str) -> bytes:
        """What a chosen one is found by: the role's alone, so that nobody learns what another chose."""
        return hmac.digest(self._key, b"chosen" + pack([role.encode(), _bytes(secret_id)]), "sha256")

    def _found(
        self, connection: Connection, role: Mapping[str, Any], secret_id: str | None, accessor: str | None, now: int
    ) -> Mapping[str, Any]:
        if secret_id is None:
            found = connection.execute(_BY_ACCESSOR, {**_of(role), "accessor": accessor})
        else:
            lookups = {"lookup": self.lookup(secret_id), "chosen": self.chosen(role["id"], secret_id)}
            found = connection.execute(_BY_LOOKUP, {**_of(role), **lookups})
        row = next(map(dict, found.mappings()), None)
        if row is None or not self._codes.vouch(secret_ids, row):
            raise SecretNotFound("the role has no such secret id")
        if row["expires_at"] is not None and row["expires_at"] <= now:
            raise SecretNotFound("the role has no such secret id")
        return row


def insert_decoy(connection: Connection, codes: Codes) -> None:
    """Insert the row that a login reads where nothing is found."""
    proof = {
        "accessor": DECOY, "namespace": "", "role": "", "lookup": bytes(32),
        "created_at": 0, "expires_at": None, "uses_left": None,
    }  # fmt: skip
    connection.execute(insert(secret_ids), codes.signed(secret_ids, proof))


def networks_of(text: str | None) -> tuple[str, ...]:
    """The networks of a column."""
    return tuple(json.loads(text)) if text else ()


def _of(role: Mapping[str, Any]) -> dict[str, str]:
    return {"namespace": role["namespace"], "role": role["id"]}


def _sweep(connection: Connection, now: int, *, few: int = _SWEPT) -> None:
    connection.execute(_SWEEP, {"now": now, "few": few})


def _bytes(secret_id: str) -> bytes:
    return secret_id.encode("utf-8", "surrogatepass")


def _info(row: Mapping[str, Any]) -> SecretIdInfo:
    return SecretIdInfo(
        accessor=row["accessor"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        used_at=row["used_at"] or row["created_at"],
        uses_left=row["uses_left"] or 0,
        networks=networks_of(row["networks"]),
        token_networks=networks_of(row["token_networks"]),
        metadata=json.loads(row["metadata"]) if row["metadata"] else {},
    )
