"""AppRole: roles, and the logins that prove them."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from wardgate.crypto import RootKey
from wardgate.spi.errors import AlreadyExists, Conflict, SecretNotFound, Unauthenticated
from wardgate.spi.networks import covered, only, within
from wardgate.spi.operations.approle import CreateSecretId, Role, SecretIdIssued
from wardgate.spi.operations.methods import APPROLE, MethodInfo
from wardgate.spi.operations.secrets import Absent
from wardgate.spi.operations.tokens import TokenIssued
from wardgate.spi.path import ROOT
from wardgate.spi.services import Clock
from wardgate.state.auth_methods import AuthMethods
from wardgate.state.codes import Codes
from wardgate.state.database import Database
from wardgate.state.grants import Grants
from wardgate.state.lives import NEVER, Life
from wardgate.state.principals import Draft, Origin, Principals
from wardgate.state.secret_ids import DECOY, OR_DECOY, WRONG_IDS, SecretIds, insert_decoy, networks_of
from wardgate.state.tables import roles, secret_ids
from wardgate.state.tokens import new_id
from wardgate.state.trees import forget_role

DEFAULT_TOKEN_TTL = 3_600 * 10**9
"""Life of a login's token where its role says nothing: one hour, in nanoseconds."""
DEFAULT_TOKEN_MAX_TTL = 24 * 3_600 * 10**9
"""How long renewals can stretch it where its role says nothing: 24 hours."""

_OF_METHOD = (roles.c.namespace == bindparam("namespace")) & (roles.c.login_method_id == bindparam("login_method_id"))
_ROLE_OR_DECOY = select(roles).where(
    roles.c.id
    == func.coalesce(
        select(roles.c.id).where(_OF_METHOD & (roles.c.role_id == bindparam("role_id"))).scalar_subquery(), DECOY
    )
)
_NAMED = _OF_METHOD & (roles.c.name == bindparam("name"))
_ROLE_BY_NAME = select(roles).where(_NAMED)
# Rows that vouch for nothing, where even the decoys are gone.
_NO_ROLE: Mapping[str, Any] = {column.name: b"" for column in roles.columns}
_NO_SECRET_ID: Mapping[str, Any] = {column.name: b"" for column in secret_ids.columns}
_NO_METHOD = MethodInfo(DECOY, "", "")
"""Of which there is no role."""
_AS_THE_ROLE_SAYS = CreateSecretId(path=ROOT)


class AppRole:
    """Keeps roles, and turns a role id and a secret id into a token.

    ``method`` is everywhere the name of the login method whose role is meant; SecretNotFound, where there is none.
    """

    def __init__(
        self,
        database: Database,
        codes: Codes,
        clock: Clock,
        grants: Grants,
        root: RootKey,
        principals: Principals,
        methods: AuthMethods,
    ) -> None:
        self._database = database
        self._codes = codes
        self._clock = clock
        self._grants = grants
        self._principals = principals
        self._methods = methods
        self.secret_ids = SecretIds(database, codes, root.derive("secret-id-lookup"))

    def names(self, namespace: str, *, method: str = APPROLE) -> tuple[str, ...]:
        """The names of all roles, in order. Raises SecretNotFound."""
        statement = select(roles.c.name).where(_OF_METHOD).order_by(roles.c.name)
        with self._database.reading() as connection:
            return tuple(connection.execute(statement, self._of(namespace, self.method(namespace, method))).scalars())

    def read(self, namespace: str, name: str, *, method: str = APPROLE) -> Role:
        """One role. Raises SecretNotFound."""
        return _role(self.row(namespace, name, method=method))

    def role_id(self, namespace: str, name: str, *, method: str = APPROLE) -> str:
        """What a login names the role by. Raises SecretNotFound."""
        return str(self.row(namespace, name, method=method)["role_id"])

    async def write(
        self,
        namespace: str,
        role: Role,
        *,
        method: str = APPROLE,
        role_id: str | None = None,
        expect: Role | Absent | None = None,
        writer: tuple[str, Mapping[str, str]] | None = None,
    ) -> None:
        """Create a role or replace it; its secret ids stay, and its role id unless another is given.

        The caller has validated it. ``expect``: what must be there; None: whatever. ``writer``: the method and the
        attributes that its tokens have; None: its own.

        Raises:
            AlreadyExists: another role of the method has that role id.
            Conflict: something else is there than was expected.
        """
        info = self.method(namespace, method)
        of_it = self._of(namespace, info)

        def work(connection: Connection) -> None:
            # Or a role could come after its method's end.
            self._methods.check(connection, namespace, info)
            known = self._genuine(connection, of_it, role.name)
            if expect is not None and expect != (_role(known) if known else Absent()):
                raise Conflict("the role was changed meanwhile; read it again")
            self._replace(connection, _row(of_it, role, known, role_id, writer))

        await self._database.write(work)

    async def choose_role_id(self, namespace: str, name: str, role_id: str, *, method: str = APPROLE) -> None:
        """Give a role another role id.

        Raises:
            SecretNotFound: there is no such role.
            AlreadyExists: another role of the method has that role id.
        """
        of_it = self._of(namespace, self.method(namespace, method))

        def work(connection: Connection) -> None:
            known = self._genuine(connection, of_it, name)
            if known is None:
                raise SecretNotFound(f"there is no role {name!r}")
            self._replace(connection, {**known, "role_id": role_id})

        await self._database.write(work)

    async def delete(self, namespace: str, name: str, *, method: str = APPROLE) -> None:
        """Delete a role, its secret ids, the tokens they brought, and those these made. Raises SecretNotFound."""
        named = {**self._of(namespace, self.method(namespace, method)), "name": name}

        def work(connection: Connection) -> None:
            role = connection.execute(delete(roles).where(_NAMED).returning(roles.c.id), named).scalar()
            if role is None:
                raise SecretNotFound(f"there is no role {name!r}")
            connection.execute(delete(secret_ids).where(secret_ids.c.role == role))
            forget_role(connection, role)

        await self._grants.change([("principals", namespace)], work)

    async def new_secret_id(
        self,
        namespace: str,
        name: str,
        asked: CreateSecretId = _AS_THE_ROLE_SAYS,
        *,
        method: str = APPROLE,
        chosen: str = "",
    ) -> SecretIdIssued:
        """Issue a secret id of the role of this name; see :meth:`SecretIds.issue`. Raises SecretNotFound."""
        role = self.row(namespace, name, method=method)
        return await self.secret_ids.issue(role, asked, self._clock.now(), chosen=chosen)

    async def login(
        self, namespace: str, role_id: str, secret_id: str, source: str = "", *, method: str = APPROLE
    ) -> TokenIssued:
        """Prove a role and get a token; a counted secret id is used up in the same transaction.

        Args:
            namespace: its id.
            role_id: names the role.
            secret_id: proves it.
            source: the address it comes from.
            method: where it is tried; one that is not there proves nothing, for the same work.

        Raises:
            Unauthenticated: a wrong, expired or used-up id of any kind, or from outside the networks it is bound to;
                always the same message, for the same work.
            Unavailable: the namespace's methods were changed outside the gateway.
        """
        info = self._methods.of(namespace).get(method, _NO_METHOD)
        of_it = self._of(namespace, info if info.type == APPROLE else _NO_METHOD)
        # Ours are ASCII all, and no other text need reach the database.
        role_id = role_id if role_id.isascii() else ""
        with self._database.reading() as connection:
            proven = self._proven(connection, of_it, role_id, secret_id, source)
        if proven is None:
            raise Unauthenticated(WRONG_IDS)
        role, proof = proven
        draft = self._draft(info, role, proof, source)

        def work(connection: Connection) -> None:
            # Looked at again: another login may have used it up, or the role may be gone, with its method or alone.
            again = self._proven(connection, of_it, role_id, secret_id, source)
            if again is None or again[0] != role:
                raise Unauthenticated(WRONG_IDS)
            if again[1] is not _NO_SECRET_ID:
                self.secret_ids.consume(connection, again[1], self._clock.now())
            draft.insert(connection)

        await self._database.write(work)
        return draft.issued

    def row(self, namespace: str, name: str, *, method: str = APPROLE) -> Mapping[str, Any]:
        """The genuine row of a role. Raises SecretNotFound."""
        of_it = self._of(namespace, self.method(namespace, method))
        with self._database.reading() as connection:
            row = self._genuine(connection, of_it, name)
        if row is None:
            raise SecretNotFound(f"there is no role {name!r}")
        return row

    def method(self, namespace: str, name: str) -> MethodInfo:
        """The login method of this name, which machines prove roles at. Raises SecretNotFound."""
        info = self._methods.at(namespace, name)
        if info.type != APPROLE:
            raise SecretNotFound(f"there are no roles at {name}/")
        return info

    def _of(self, namespace: str, method: MethodInfo) -> dict[str, str]:
        return {"namespace": namespace, "login_method_id": self._methods.key(method)}

    def _draft(self, method: MethodInfo, role: Mapping[str, Any], proof: Mapping[str, Any], source: str) -> Draft:
        networks = networks_of(role["token_networks"])
        meta: Mapping[str, str] = {}
        if proof is not _NO_SECRET_ID:
            networks = networks_of(proof["token_networks"]) or networks
            meta = json.loads(proof["metadata"]) if proof["metadata"] else {}
        origin = Origin(
            kind=APPROLE,
            role=(role["id"], role["name"]),
            method=role["token_method"],
            attributes=json.loads(role["token_attributes"]) if role["token_attributes"] else None,
            networks=(only(source),) if role["bind_to_source"] else networks,
            meta=meta,
            login=method,
        )
        life, policies = _life(role, method), json.loads(role["policies"])
        return self._principals.draft(role["namespace"], role["name"], policies, life, origin=origin)

    def _proven(
        self, connection: Connection, of_it: Mapping[str, str], role_id: str, secret_id: str, source: str
    ) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
        """The role and the secret id's row, if they hold together; the work is the same when they do not."""
        namespace = of_it["namespace"]
        role = _one(connection, _ROLE_OR_DECOY, **of_it, role_id=role_id) or _NO_ROLE
        lookups = {
            "lookup": self.secret_ids.lookup(secret_id),
            "chosen": self.secret_ids.chosen(str(role["id"]), secret_id),
        }
        proof = _one(connection, OR_DECOY, **lookups) or _NO_SECRET_ID
        role_holds = self._vouched(roles, role, _NO_ROLE) and all(role[column] == of_it[column] for column in of_it)
        proof_holds = (
            self._vouched(secret_ids, proof, _NO_SECRET_ID)
            and (proof["namespace"], proof["role"]) == (namespace, role["id"])
            and (proof["expires_at"] is None or proof["expires_at"] > self._clock.now())
        )
        if not role_holds or (role["bind_secret_id"] and not proof_holds):
            return None
        proof = proof if proof_holds else _NO_SECRET_ID
        return (role, proof) if _may_come_from(source, role, proof) else None

    def _vouched(self, table: Any, row: Mapping[str, Any], nobody: Mapping[str, Any]) -> bool:
        signed = self._codes.signed(table, row)
        genuine = hmac.compare_digest(bytes(row["mac"]) if isinstance(row["mac"], bytes) else b"", signed["mac"])
        if not genuine and row is not nobody:
            self._codes.report(table.name, str(row["namespace"]))
        return genuine

    def _genuine(self, connection: Connection, of_it: Mapping[str, str], name: str) -> Mapping[str, Any] | None:
        row = _one(connection, _ROLE_BY_NAME, **of_it, name=name)
        return row if row is not None and self._codes.vouch(roles, row) else None

    def _replace(self, connection: Connection, row: Mapping[str, Any]) -> None:
        connection.execute(
            delete(roles).where(_NAMED), {each: row[each] for each in ("namespace", "login_method_id", "name")}
        )
        try:
            connection.execute(insert(roles).values(self._codes.signed(roles, row)))
        except IntegrityError:
            raise AlreadyExists("another role has that role id; choose another") from None


def insert_decoys(connection: Connection, codes: Codes) -> None:
    """Insert the rows that a login reads where nothing is found; as long as genuine ones."""
    role = {
        "id": DECOY, "namespace": DECOY, "name": DECOY, "role_id": DECOY, "policies": '["decoy"]',
        "token_ttl": 0, "token_max_ttl": 0, "secret_id_ttl": 0, "secret_id_uses": 0, "bind_secret_id": 1,
    }  # fmt: skip
    connection.execute(insert(roles), codes.signed(roles, role))
    insert_decoy(connection, codes)


def _role(row: Mapping[str, Any]) -> Role:
    return Role(
        name=row["name"],
        policies=tuple(json.loads(row["policies"])),
        token_ttl=row["token_ttl"],
        token_max_ttl=row["token_max_ttl"],
        secret_id_ttl=row["secret_id_ttl"],
        secret_id_uses=row["secret_id_uses"],
        bind_secret_id=bool(row["bind_secret_id"]),
        token_period=row["token_period"] or 0,
        token_explicit_max_ttl=row["token_explicit_max_ttl"] or 0,
        token_uses=row["token_uses"] or 0,
        token_networks=networks_of(row["token_networks"]),
        secret_id_networks=networks_of(row["secret_id_networks"]),
        bind_to_source=bool(row["bind_to_source"]),
    )


def _row(
    of_it: Mapping[str, str],
    role: Role,
    known: Mapping[str, Any] | None,
    role_id: str | None,
    writer: tuple[str, Mapping[str, str]] | None,
) -> dict[str, Any]:
    return {
        # A forged row must not pass its ids on to the genuine one that replaces it.
        "id": known["id"] if known else new_id(),
        **of_it,
        "name": role.name,
        "role_id": role_id or (known["role_id"] if known else new_id()),
        "policies": json.dumps(list(dict.fromkeys(role.policies))),
        "token_ttl": role.token_ttl,
        "token_max_ttl": role.token_max_ttl,
        "secret_id_ttl": role.secret_id_ttl,
        "secret_id_uses": role.secret_id_uses,
        "bind_secret_id": int(role.bind_secret_id),
        "token_period": role.token_period or None,
        "token_explicit_max_ttl": role.token_explicit_max_ttl or None,
        "token_uses": role.token_uses or None,
        "token_networks": json.dumps(role.token_networks) if role.token_networks else None,
        "secret_id_networks": json.dumps(role.secret_id_networks) if role.secret_id_networks else None,
        "bind_to_source": int(role.bind_to_source) or None,
        "token_method": writer[0] if writer else None,
        "token_attributes": json.dumps(dict(writer[1])) if writer else None,
    }


def _may_come_from(source: str, role: Mapping[str, Any], proof: Mapping[str, Any]) -> bool:
    """Whether every network that the role or the secret id binds the login or its token to holds the address."""
    bounds = [networks_of(role["secret_id_networks"]), networks_of(role["token_networks"])]
    if proof is not _NO_SECRET_ID:
        bounds += [networks_of(proof["networks"]), networks_of(proof["token_networks"])]
        # The role may have been narrowed since the secret id was issued.
        if not covered(bounds[3], bounds[1]):
            return False
    return all(not networks or within(source, networks) for networks in bounds)


def _life(role: Mapping[str, Any], method: MethodInfo) -> Life:
    longest = method.max_lease_ttl or role["token_max_ttl"] or max(DEFAULT_TOKEN_MAX_TTL, method.default_lease_ttl)
    return Life(
        ttl=role["token_ttl"] or method.default_lease_ttl or DEFAULT_TOKEN_TTL,
        max_ttl=min(role["token_max_ttl"] or longest, longest),
        renewable=True,
        period=min(role["token_period"], method.max_lease_ttl or NEVER) if role["token_period"] else None,
        explicit_max_ttl=role["token_explicit_max_ttl"],
        uses=role["token_uses"],
        asked=role["token_period"] or role["token_ttl"],
    )


def _one(connection: Connection, statement: Any, **parameters: object) -> dict[str, Any] | None:
    row = connection.execute(statement, parameters).mappings().first()
    return None if row is None else dict(row)
