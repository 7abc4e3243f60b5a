"""Endpoints of AppRole: roles, their ids, secret ids, and the login."""

from __future__ import annotations

from typing import Annotated

import msgspec
from wardgate.spi.frontend import Outcome
from wardgate.spi.operations.approle import (
    ROLES,
    CreateSecretId,
    DeleteRole,
    ListRoles,
    Login,
    ReadRole,
    ReadRoleId,
    Role,
    SecretIdIssued,
    WriteRole,
)
from wardgate.spi.operations.base import Operation
from wardgate.spi.path import Path

from wardgate_native.api.routing import Call, Route
from wardgate_native.api.secrets import no_content
from wardgate_native.api.tokens import IssuedToken, issued_answer
from wardgate_native.api.wire import SECOND, Answer, Body, Seconds, ShownOnce

_ROLE_ID = Path(("role-id",))
_SECRET_ID = Path(("secret-id",))


class RoleSettings(Body):
    """A role. Durations of 0: the gateway's default. ``secret_id_uses`` 0: without limit."""

    policies: list[str] = msgspec.field(default_factory=list)
    token_ttl_seconds: Seconds = 0
    token_max_ttl_seconds: Seconds = 0
    secret_id_ttl_seconds: Seconds = 0
    secret_id_uses: Annotated[int, msgspec.Meta(ge=0, lt=2**31)] = 0
    bind_secret_id: bool = True


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


class Proof(Body):
    """What a machine logs in with."""

    role_id: str
    secret_id: str = ""


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
    )
    return WriteRole(path=ROLES.joined(call.path), role=role)


def _role_answer(outcome: Outcome[Role]) -> Answer:
    role = outcome.result
    body = NamedRole(
        name=role.name,
        policies=list(role.policies),
        token_ttl_seconds=role.token_ttl // SECOND,
        token_max_ttl_seconds=role.token_max_ttl // SECOND,
        secret_id_ttl_seconds=role.secret_id_ttl // SECOND,
        secret_id_uses=role.secret_id_uses,
        bind_secret_id=role.bind_secret_id,
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


ROUTES = (
    Route(
        method="GET", pattern="approle/roles", summary="The names of all roles.", response=Roles,
        operation=lambda _call: ListRoles(), answer=_roles_answer,
    ),
    Route(
        method="GET", pattern="approle/roles/{name}", summary="One role.", response=NamedRole,
        operation=lambda call: ReadRole(path=ROLES.joined(call.path)), answer=_role_answer,
    ),
    Route(
        method="PUT", pattern="approle/roles/{name}", summary="Create a role or replace it.", request=RoleSettings,
        operation=_write, answer=no_content,
    ),
    Route(
        method="DELETE", pattern="approle/roles/{name}", summary="Delete a role, its secret ids and its tokens.",
        operation=lambda call: DeleteRole(path=ROLES.joined(call.path)), answer=no_content,
    ),
    Route(
        method="GET", pattern="approle/roles/{name}/role-id", summary="A role's id.", response=RoleId,
        operation=lambda call: ReadRoleId(path=ROLES.joined(call.path).joined(_ROLE_ID)), answer=_role_id_answer,
    ),
    Route(
        method="POST", pattern="approle/roles/{name}/secret-ids", summary="Issue a secret id.", status=201,
        response=SecretId,
        operation=lambda call: CreateSecretId(path=ROLES.joined(call.path).joined(_SECRET_ID)),
        answer=_secret_id_answer,
    ),
    Route(
        method="POST", pattern="approle/login", summary="Prove a role and get a token; needs no credential.",
        request=Proof, response=IssuedToken, status=201, anonymous=True,
        operation=lambda call: Login(role_id=call.body.role_id, secret_id=call.body.secret_id), answer=issued_answer,
    ),
)  # fmt: skip
