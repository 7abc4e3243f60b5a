"""AppRole: roles, and the secret ids that prove them."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from wardgate.crypto import RootKey
from wardgate.spi.errors import SecretNotFound, Unauthenticated
from wardgate.spi.operations.approle import Role, SecretIdIssued
from wardgate.spi.operations.tokens import TokenIssued
from wardgate.spi.services import Clock
from wardgate.state.codes import Codes
from wardgate.state.database import Database
from wardgate.state.grants import Grants
from wardgate.state.principals import Life, Principals, forget_role
from wardgate.state.tables import roles, secret_ids
from wardgate.state.tokens import new_id, new_token

DEFAULT_TOKEN_TTL = 3_600 * 10**9
"""Life of a login's token where its role says nothing: one hour, in nanoseconds."""
DEFAULT_TOKEN_MAX_TTL = 24 * 3_600 * 10**9
"""How long renewals can stretch it where its role says nothing: 24 hours."""
WRONG_IDS = "invalid role or secret ID"
"""The one answer to a login that fails, whatever is wrong with it."""

_SWEPT = 16
# Of no namespace and never proved: read where nothing is found, so that what is not there costs the same time.
_DECOY = "decoy"
_ROLE_OR_DECOY = select(roles).where(
    roles.c.id
    == func.coalesce(select(roles.c.id).where(roles.c.role_id == bindparam("role_id")).scalar_subquery(), _DECOY)
)
_SECRET_ID_OR_DECOY = select(secret_ids).where(
    secret_ids.c.accessor
    == func.coalesce(
        select(secret_ids.c.accessor).where(secret_ids.c.lookup == bindparam("lookup")).scalar_subquery(), _DECOY
    )
)
_ROLE_BY_NAME = select(roles).where((roles.c.namespace == bindparam("namespace")) & (roles.c.name == bindparam("name")))
_AS_SEEN = (secret_ids.c.accessor == bindparam("known")) & (secret_ids.c.mac == bindparam("known_mac"))
_USE_UP = delete(secret_ids).where(_AS_SEEN).returning(secret_ids.c.accessor)
_USE = (
    update(secret_ids)
    .where(_AS_SEEN)
    .values(uses_left=bindparam("uses_left"), mac=bindparam("mac"))
    .returning(secret_ids.c.accessor)
)
# Rows that vouch for nothing, where even the decoys are gone.
_NO_ROLE: Mapping[str, Any] = {column.name: b"" for column in roles.columns}
_NO_SECRET_ID: Mapping[str, Any] = {column.name: b"" for column in secret_ids.columns}


class AppRole:
    """Keeps roles, issues secret ids, and turns the two into tokens."""

    def __init__(
        self, database: Database, codes: Codes, clock: Clock, grants: Grants, root: RootKey, principals: Principals
    ) -> None:
        self._database = database
        self._codes = codes
        self._clock = clock
        self._grants = grants
        self._lookup_key = root.derive("secret-id-lookup")
        self._principals = principals

    def names(self, namespace: str) -> tuple[str, ...]:
        """The names of all roles, in order."""
        statement = select(roles.c.name).where(roles.c.namespace == namespace).order_by(roles.c.name)
        with self._database.reading() as connection:
            return tuple(connection.execute(statement).scalars())

    def read(self, namespace: str, name: str) -> Role:
        """One role. Raises SecretNotFound."""
        row = self._role(namespace, name)
        return Role(
            name=row["name"],
            policies=tuple(json.loads(row["policies"])),
            token_ttl=row["token_ttl"],
            token_max_ttl=row["token_max_ttl"],
            secret_id_ttl=row["secret_id_ttl"],
            secret_id_uses=row["secret_id_uses"],
            bind_secret_id=bool(row["bind_secret_id"]),
        )

    def role_id(self, namespace: str, name: str) -> str:
        """What a login names the role by. Raises SecretNotFound."""
        return str(self._role(namespace, name)["role_id"])

    async def write(self, namespace: str, role: Role) -> None:
        """Create a role or replace it; its role id and secret ids stay. The caller has validated it."""

        def work(connection: Connection) -> None:
            known = _one(connection, _ROLE_BY_NAME, namespace=namespace, name=role.name)
            # A forged row must not pass its role id on to the genuine one that replaces it.
            genuine = known is not None and self._codes.vouch(roles, known)
            row = {
                "id": known["id"] if known and genuine else new_id(),
                "namespace": namespace,
                "name": role.name,
                "role_id": known["role_id"] if known and genuine else new_id(),
                "policies": json.dumps(list(dict.fromkeys(role.policies))),
                "token_ttl": role.token_ttl,
                "token_max_ttl": role.token_max_ttl,
                "secret_id_ttl": role.secret_id_ttl,
                "secret_id_uses": role.secret_id_uses,
                "bind_secret_id": int(role.bind_secret_id),
            }
            connection.execute(delete(roles).where((roles.c.namespace == namespace) & (roles.c.name == role.name)))
            connection.execute(insert(roles).values(self._codes.signed(roles, row)))

        await self._database.write(work)

    async def delete(self, namespace: str, name: str) -> None:
        """Delete a role, its secret ids, and the tokens they brought. Raises SecretNotFound."""
        named = (roles.c.namespace == namespace) & (roles.c.name == name)

        def work(connection: Connection) -> None:
            role = connection.execute(delete(roles).where(named).returning(roles.c.id)).scalar()
            if role is None:
                raise SecretNotFound(f"there is no role {name!r}")
            connection.execute(delete(secret_ids).where(secret_ids.c.role == role))
            forget_role(connection, role)

        await self._grants.change([("principals", namespace)], work)

    async def new_secret_id(self, namespace: str, name: str) -> SecretIdIssued:
        """Issue a secret id by the role's settings. Raises SecretNotFound."""
        role = self._role(namespace, name)
        now = self._clock.now()
        secret_id = new_token()
        row = {
            "accessor": new_id(),
            "namespace": namespace,
            "role": role["id"],
            "lookup": self._lookup(secret_id),
            "created_at": now,
            "expires_at": now + role["secret_id_ttl"] if role["secret_id_ttl"] else None,
            "uses_left": role["secret_id_uses"] or None,
        }

        def work(connection: Connection) -> None:
            expired = select(secret_ids.c.accessor).where(secret_ids.c.expires_at <= now).limit(_SWEPT)
            connection.execute(delete(secret_ids).where(secret_ids.c.accessor.in_(expired)))
            if _one(connection, _ROLE_BY_NAME, namespace=namespace, name=name) is None:
                raise SecretNotFound(f"there is no role {name!r}")
            connection.execute(insert(secret_ids).values(self._codes.signed(secret_ids, row)))

        await self._database.write(work)
        return SecretIdIssued(row["accessor"], role["secret_id_ttl"], role["secret_id_uses"], secret_id)

    async def login(self, namespace: str, role_id: str, secret_id: str) -> TokenIssued:
        """Prove a role and get a token; a counted secret id is used up in the same transaction.

        Raises:
            Unauthenticated: a wrong, expired or used-up id of any kind; always the same message, for the same work.
        """
        lookup = self._lookup(secret_id)
        role_id = role_id if role_id.isascii() else ""  # ours all are, and no other text need reach the database
        with self._database.reading() as connection:
            proven = self._proven(connection, namespace, role_id, lookup)
        if proven is None:
            raise Unauthenticated(WRONG_IDS)
        role = proven[0]
        draft = self._principals.draft(
            namespace, role["name"], json.loads(role["policies"]), _life(role), role=(role["id"], role["name"])
        )

        def work(connection: Connection) -> None:
            # Looked at again: another login may have used it up, or the role may be gone.
            again = self._proven(connection, namespace, role_id, lookup)
            if again is None or again[0] != role:
                raise Unauthenticated(WRONG_IDS)
            self._consume(connection, again[1])
            draft.insert(connection)

        await self._database.write(work)
        return draft.issued

    def _proven(
        self, connection: Connection, namespace: str, role_id: str, lookup: bytes
    ) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
        """The role and the secret id's row, if they hold together; the work is the same when they do not."""
        role = _one(connection, _ROLE_OR_DECOY, role_id=role_id) or _NO_ROLE
        proof = _one(connection, _SECRET_ID_OR_DECOY, lookup=lookup) or _NO_SECRET_ID
        role_holds = self._vouched(roles, role, _NO_ROLE) and role["namespace"] == namespace
        proof_holds = (
            self._vouched(secret_ids, proof, _NO_SECRET_ID)
            and (proof["namespace"], proof["role"]) == (namespace, role["id"])
            and (proof["expires_at"] is None or proof["expires_at"] > self._clock.now())
        )
        if role_holds and (proof_holds or not role["bind_secret_id"]):
            return role, proof if proof_holds else _NO_SECRET_ID
        return None

    def _vouched(self, table: Any, row: Mapping[str, Any], nobody: Mapping[str, Any]) -> bool:
        signed = self._codes.signed(table, row)
        genuine = hmac.compare_digest(bytes(row["mac"]) if isinstance(row["mac"], bytes) else b"", signed["mac"])
        if not genuine and row is not nobody:
            self._codes.report(table.name, str(row["namespace"]))
        return genuine

    def _consume(self, connection: Connection, proof: Mapping[str, Any]) -> None:
        """Count one use of a secret id, if it is counted; the last use deletes it."""
        if proof is _NO_SECRET_ID or proof["uses_left"] is None:
            return
        seen = {"known": proof["accessor"], "known_mac": proof["mac"]}
        if proof["uses_left"] <= 1:
            used = connection.execute(_USE_UP, seen)
        else:
            left = self._codes.signed(secret_ids, {**proof, "uses_left": proof["uses_left"] - 1})
            used = connection.execute(_USE, {**seen, "uses_left": left["uses_left"], "mac": left["mac"]})
        if used.scalar() is None:
            raise Unauthenticated(WRONG_IDS)

    def _role(self, namespace: str, name: str) -> Mapping[str, Any]:
        with self._database.reading() as connection:
            row = _one(connection, _ROLE_BY_NAME, namespace=namespace, name=name)
        if row is None or not self._codes.vouch(roles, row):
            raise SecretNotFound(f"there is no role {name!r}")
        return row

    def _lookup(self, secret_id: str) -> bytes:
        return hmac.digest(self._lookup_key, secret_id.encode("utf-8", "surrogatepass"), "sha256")


def insert_decoys(connection: Connection, codes: Codes) -> None:
    """Insert the rows that a login reads where nothing is found; as long as genuine ones."""
    role = {
        "id": _DECOY, "namespace": _DECOY, "name": _DECOY, "role_id": _DECOY, "policies": '["decoy"]',
        "token_ttl": 0, "token_max_ttl": 0, "secret_id_ttl": 0, "secret_id_uses": 0, "bind_secret_id": 1,
    }  # fmt: skip
    proof = {
        "accessor": _DECOY, "namespace": "", "role": "", "lookup": bytes(32),
        "created_at": 0, "expires_at": None, "uses_left": None,
    }  # fmt: skip
    connection.execute(insert(roles), codes.signed(roles, role))
    connection.execute(insert(secret_ids), codes.signed(secret_ids, proof))


def _life(role: Mapping[str, Any]) -> Life:
    max_ttl = role["token_max_ttl"] or DEFAULT_TOKEN_MAX_TTL
    return Life(ttl=min(role["token_ttl"] or DEFAULT_TOKEN_TTL, max_ttl), max_ttl=max_ttl, renewable=True)


def _one(connection: Connection, statement: Any, **parameters: object) -> dict[str, Any] | None:
    row = connection.execute(statement, parameters).mappings().first()
    return None if row is None else dict(row)
