"""Endpoints of AppRole: roles, their ids, secret ids, and the login; of the login method that the query names."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import msgspec
from wardgate.spi.frontend import Outcome
from wardgate.spi.operations.approle import (
    CreateSecretId,
    DeleteRole,
    DestroySecretId,
    ListRoles,
    ListSecretIds,
    Login,
    LookupSecretId,
    ReadRole,
    ReadRoleId,
    Role,
    SecretIdInfo,
    SecretIdIssued,
    WriteRole,
)
from wardgate.spi.operations.base import Operation
from wardgate.spi.operations.methods import APPROLE
from wardgate.spi.operations.tokens import MAX_USES
from wardgate.spi.path import Path

from wardgate_native.api.routing import Call, Route
from wardgate_native.api.secrets import no_content
from wardgate_native.api.tokens import IssuedToken, issued_answer
from wardgate_native.api.wire import SECOND, Answer, Body, NameText, Seconds, ShownOnce, nanoseconds, rfc3339

_AUTH = Path(("auth",))

_Uses = Annotated[int, msgspec.Meta(ge=0, le=MAX_USES)]
_Networks = Annotated[list[str], msgspec.Meta(max_length=64)]


class MethodQuery(Body):
    """``method``: the name of the login method whose role is meant."""

    method: NameText = APPROLE


class RoleSettings(Body):
    """A role. Token TTLs of 0: what its login method says, or else the gateway's own. Other durations of 0: none.

    Uses of 0: without limit.

    Networks in CIDR notation: where its tokens may be used, and its secret ids log in from; empty: anywhere.
    ``bind_to_source``: a token may be used only from the address that logged in.
    """

    policies: list[str] = msgspec.field(default_factory=list)
    token_ttl_seconds: Seconds = 0
    token_max_ttl_seconds: Seconds = 0
    secret_id_ttl_seconds: Seconds = 0
    secret_id_uses: _Uses = 0
    bind_secret_id: bool = True
    token_period_seconds: Seconds = 0
    token_explicit_max_ttl_seconds: Seconds = 0
    token_uses: _Uses = 0
    token_networks: _Networks = msgspec.field(default_factory=list)
    secret_id_networks: _Networks = msgspec.field(default_factory=list)
    bind_to_source: bool = False


class NamedRole(RoleSettings, kw_only=True):
    """A role and its name."""

    name: str


class Roles(msgspec.Struct):
    """The names of all roles."""

    roles: list[str]


class RoleId(msgspec.Struct):
    """A role's id: not a secret by itself."""

    role_id: str


class SecretId(ShownOnce, kw_only=True):
    """A new secret id; ``secret_id`` is shown once: null when the request is repeated.

    0 in ``ttl_seconds``: it does not expire; in ``uses``: without limit.
    """

    once = ("secret_id",)
    secret_id: str | None
    accessor: str
    ttl_seconds: int
    uses: int


class SecretIdRequest(Body):
    """A new secret id; what is null is the role's. Neither reaches beyond the role's."""

    ttl_seconds: Seconds | None = None
    uses: _Uses | None = None
    networks: _Networks = msgspec.field(default_factory=list)
    token_networks: _Networks = msgspec.field(default_factory=list)
    metadata: dict[Annotated[str, msgspec.Meta(max_length=128)], Annotated[str, msgspec.Meta(max_length=512)]] = (
        msgspec.field(default_factory=dict)
    )


class SecretIds(msgspec.Struct):
    """The accessors of a role's secret ids, oldest first."""

    accessors: list[str]


class SecretIdName(Body):
    """One secret id, by its accessor."""

    accessor: str


class KnownSecretId(msgspec.Struct, kw_only=True):
    """A secret id without itself. 0 in ``uses_left``: without limit."""

    accessor: str
    created_at: str | None
    expires_at: str | None
    used_at: str | None
    uses_left: int
    networks: list[str]
    token_networks: list[str]
    metadata: dict[str, str]


class Proof(Body):
    """What a machine logs in with."""

    role_id: str
    secret_id: str = ""


def _at(call: Call, *below: str) -> Path:
    """What is below the method that the query names. Raises Malformed for what is no name."""
    path = _AUTH.child(call.query.method)
    return Path((*path.segments, *below))


def _role(call: Call, *below: str) -> Path:
    return _at(call, "role", *call.path.segments, *below)


def _by_accessor(call: Call, verb: str) -> Path:
    return _role(call, "secret-id-accessor", verb)


def _write(call: Call) -> Operation[None]:
    given: RoleSettings = call.body
    name = call.path.segments[0]
    role = Role(
        name=name,
        policies=tuple(given.policies),
        token_ttl=given.token_ttl_seconds * SECOND,
        token_max_ttl=given.token_max_ttl_seconds * SECOND,
        secret_id_ttl=given.secret_id_ttl_seconds * SECOND,
        secret_id_uses=given.secret_id_uses,
        bind_secret_id=given.bind_secret_id,
        token_period=given.token_period_seconds * SECOND,
        token_explicit_max_ttl=given.token_explicit_max_ttl_seconds * SECOND,
        token_uses=given.token_uses,
        token_networks=tuple(given.token_networks),
        secret_id_networks=tuple(given.secret_id_networks),
        bind_to_source=given.bind_to_source,
    )
    return WriteRole(path=_role(call), role=role)


def _seconds(duration: int) -> int:
    """Whole seconds, rounded up: what is shown may be written back, and 0 would be no bound at all."""
    return -(-duration // SECOND)


def _role_answer(outcome: Outcome[Role]) -> Answer:
    role = outcome.result
    body = NamedRole(
        name=role.name,
        policies=list(role.policies),
        token_ttl_seconds=_seconds(role.token_ttl),
        token_max_ttl_seconds=_seconds(role.token_max_ttl),
        secret_id_ttl_seconds=_seconds(role.secret_id_ttl),
        secret_id_uses=role.secret_id_uses,
        bind_secret_id=role.bind_secret_id,
        token_period_seconds=_seconds(role.token_period),
        token_explicit_max_ttl_seconds=_seconds(role.token_explicit_max_ttl),
        token_uses=role.token_uses,
        token_networks=list(role.token_networks),
        secret_id_networks=list(role.secret_id_networks),
        bind_to_source=role.bind_to_source,
    )
    return Answer(body)


def _roles_answer(outcome: Outcome[tuple[str, ...]]) -> Answer:
    return Answer(Roles(list(outcome.result)))


def _role_id_answer(outcome: Outcome[str]) -> Answer:
    return Answer(RoleId(outcome.result))


def _secret_id_answer(outcome: Outcome[SecretIdIssued]) -> Answer:
    given = outcome.result
    body = SecretId(
        secret_id=given.secret_id, accessor=given.accessor, ttl_seconds=given.ttl // SECOND, uses=given.uses
    )
    return Answer(body)


def _issue(call: Call) -> CreateSecretId:
    given: SecretIdRequest = call.body
    return CreateSecretId(
        path=_role(call, "secret-id"),
        ttl=nanoseconds(given.ttl_seconds),
        uses=given.uses,
        networks=tuple(given.networks),
        token_networks=tuple(given.token_networks),
        metadata=given.metadata,
    )


def _secret_ids_answer(outcome: Outcome[tuple[str, ...]]) -> Answer:
    return Answer(SecretIds(list(outcome.result)))


def _known_answer(outcome: Outcome[SecretIdInfo]) -> Answer:
    info = outcome.result
    body = KnownSecretId(
        accessor=info.accessor,
        created_at=rfc3339(info.created_at),
        expires_at=rfc3339(info.expires_at),
        used_at=rfc3339(info.used_at),
        uses_left=info.uses_left,
        networks=list(info.networks),
        token_networks=list(info.token_networks),
        metadata=dict(info.metadata),
    )
    return Answer(body)


_route = partial(Route, query=MethodQuery)
ROUTES = (
    _route(
        method="GET", pattern="approle/roles", summary="The names of all roles.", response=Roles,
        operation=lambda call: ListRoles(path=_at(call, "role")), answer=_roles_answer,
    ),
    _route(
        method="GET", pattern="approle/roles/{name}", summary="One role.", response=NamedRole,
        operation=lambda call: ReadRole(path=_role(call)), answer=_role_answer,
    ),
    _route(
        method="PUT", pattern="approle/roles/{name}", summary="Create a role or replace it.", request=RoleSettings,
        operation=_write, answer=no_content,
    ),
    _route(
        method="DELETE", pattern="approle/roles/{name}", summary="Delete a role, its secret ids and its tokens.",
        operation=lambda call: DeleteRole(path=_role(call)), answer=no_content,
    ),
    _route(
        method="GET", pattern="approle/roles/{name}/role-id", summary="A role's id.", response=RoleId,
        operation=lambda call: ReadRoleId(path=_role(call, "role-id")), answer=_role_id_answer,
    ),
    _route(
        method="POST", pattern="approle/roles/{name}/secret-ids", summary="Issue a secret id.", status=201,
        request=SecretIdRequest, response=SecretId, operation=_issue, answer=_secret_id_answer,
    ),
    _route(
        method="GET", pattern="approle/roles/{name}/secret-ids", summary="The accessors of a role's secret ids.",
        response=SecretIds, answer=_secret_ids_answer,
        operation=lambda call: ListSecretIds(path=_role(call, "secret-id")),
    ),
    _route(
        method="POST", pattern="approle/roles/{name}/secret-ids/lookup", summary="A secret id, by its accessor.",
        request=SecretIdName, response=KnownSecretId, changes=False, answer=_known_answer,
        operation=lambda call: LookupSecretId(path=_by_accessor(call, "lookup"), accessor=call.body.accessor),
    ),
    _route(
        method="POST", pattern="approle/roles/{name}/secret-ids/destroy",
        summary="End a secret id, by its accessor; the tokens it brought live on.",
        request=SecretIdName, answer=no_content,
        operation=lambda call: DestroySecretId(path=_by_accessor(call, "destroy"), accessor=call.body.accessor),
    ),
    _route(
        method="POST", pattern="approle/login", summary="Prove a role and get a token; needs no credential.",
        request=Proof, response=IssuedToken, status=201, anonymous=True,
        operation=lambda call: Login(
            path=_at(call, "login"), role_id=call.body.role_id, secret_id=call.body.secret_id
        ),
        answer=issued_answer,
    ),
)  # fmt: skip
