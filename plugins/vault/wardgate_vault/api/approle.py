"""AppRole as Vault's clients know it: roles, their role ids and secret ids, and the login."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from wardgate.spi.errors import InvalidValue, SecretNotFound, Unauthenticated
from wardgate.spi.operations.approle import (
    APPROLE,
    CreateSecretId,
    DeleteRole,
    ListRoles,
    Login,
    ReadRole,
    ReadRoleId,
    Role,
    WriteRole,
)
from wardgate.spi.operations.base import Action
from wardgate.spi.path import Path

from wardgate_vault.api import wire
from wardgate_vault.api.envelope import NO_CONTENT, Answer, encode, envelope, refusal
from wardgate_vault.api.errors import NOT_FOUND, refusing
from wardgate_vault.api.request import Request
from wardgate_vault.api.services import ONE, Route
from wardgate_vault.api.tokens import auth
from wardgate_vault.durations import parse_duration, whole_seconds

MAX_USES = 2**31 - 1
_DEFAULTS: Mapping[str, object] = {
    "local_secret_ids": False, "secret_id_bound_cidrs": None, "token_bound_cidrs": [], "token_explicit_max_ttl": 0,
    "token_no_default_policy": False, "token_num_uses": 0, "token_period": 0, "token_strictly_bind_ip": False,
    "token_type": "default",
}  # fmt: skip
"""Fields of a role that are not kept, as they stand while nobody sets them. Each would narrow what a token can do,
so a role that asks for one is refused rather than made without it."""
_ROLE_FIELDS = (*_DEFAULTS, "bound_cidr_list", "period", "token_bound_cidr_list", "role_id")
_SECRET_ID_FIELDS = ("cidr_list", "metadata", "num_uses", "token_bound_cidrs", "ttl")
_NOTHING: tuple[object, ...] = (
    None,
    False,
    0,
    "",
    [],
    {},
    "default",
    "service",
    "default-service",
    "{}",
    "null",
    "0",
    "0s",
)


def _role_name(request: Request) -> tuple[Path, str]:
    """The role's own path, also of what lies below it, and its name."""
    assert request.path is not None
    segments = request.path.segments[:4]
    return Path(segments), segments[-1]


async def _list(request: Request) -> Answer:
    names = (await request.perform(ListRoles())).result
    return envelope(request.id, encode({"keys": sorted(names)})) if names else NOT_FOUND


async def _read(request: Request) -> Answer:
    path, _ = _role_name(request)
    role = (await request.perform(ReadRole(path=path))).result
    data: dict[str, object] = {
        "bind_secret_id": role.bind_secret_id,
        **_DEFAULTS,
        "secret_id_num_uses": role.secret_id_uses,
        "secret_id_ttl": whole_seconds(role.secret_id_ttl),
        "token_max_ttl": whole_seconds(role.token_max_ttl),
        "token_policies": list(role.policies),
        "token_ttl": whole_seconds(role.token_ttl),
    }
    return envelope(request.id, encode(dict(sorted(data.items()))))


async def _write(request: Request) -> Answer:
    path, name = _role_name(request)
    with refusing(Action.MANAGE, path):
        asked, plain = wire.decode(await request.body(), wire.WriteRole)
        _refuse_unkept(plain, _ROLE_FIELDS)
        _changed(Role(name=name), asked)
    try:
        known = (await request.perform(ReadRole(path=path))).result
    except SecretNotFound:
        known = Role(name=name)
    with refusing(Action.MANAGE, path):
        role = _changed(known, asked)
    await request.perform(WriteRole(path=path, role=role))
    return NO_CONTENT


def _changed(role: Role, asked: wire.WriteRole) -> Role:
    """The role with what was asked for; what was not mentioned stays, as in Vault."""
    policies = asked.token_policies if asked.token_policies is not None else asked.policies
    given: dict[str, Any] = {
        "policies": None if policies is None else wire.texts(policies),
        "token_ttl": _duration(asked.token_ttl, "token_ttl"),
        "token_max_ttl": _duration(asked.token_max_ttl, "token_max_ttl"),
        "secret_id_ttl": _duration(asked.secret_id_ttl, "secret_id_ttl"),
        "secret_id_uses": asked.secret_id_num_uses,
        "bind_secret_id": asked.bind_secret_id,
    }
    changed = replace(role, **{field: value for field, value in given.items() if value is not None})
    if not 0 <= changed.secret_id_uses <= MAX_USES:
        raise InvalidValue("secret_id_num_uses cannot be negative, or more than two thousand million")
    if changed.token_max_ttl and changed.token_ttl > changed.token_max_ttl:
        raise InvalidValue("'token_ttl' cannot be greater than 'token_max_ttl'")
    if not changed.bind_secret_id:
        raise InvalidValue("1 error occurred:\n\t* at least one constraint should be enabled on the role\n\n")
    return changed


def _duration(given: wire.Duration | None, field: str) -> int | None:
    return None if given is None else parse_duration(given, field=field)


def _refuse_unkept(plain: Mapping[str, object], fields: tuple[str, ...]) -> None:
    for field in fields:
        if plain.get(field) not in _NOTHING:
            raise InvalidValue(f"the field {field} is not supported")


async def _delete(request: Request) -> Answer:
    path, _ = _role_name(request)
    try:
        await request.perform(DeleteRole(path=path))
    except SecretNotFound:
        return NO_CONTENT
    return NO_CONTENT


async def _role_id(request: Request) -> Answer:
    path, _ = _role_name(request)
    role_id = (await request.perform(ReadRoleId(path=path.child("role-id")))).result
    return envelope(request.id, encode({"role_id": role_id}))


async def _secret_id(request: Request) -> Answer:
    role, name = _role_name(request)
    path = role.child("secret-id")
    with refusing(Action.WRITE, path):
        _refuse_unkept(wire.decode(await request.body(), dict)[1], _SECRET_ID_FIELDS)
    try:
        issued = (await request.perform(CreateSecretId(path=path))).result
    except SecretNotFound:
        return refusal(404, f'role "{name}" does not exist')
    data = {
        "secret_id": issued.secret_id,
        "secret_id_accessor": issued.accessor,
        "secret_id_num_uses": issued.uses,
        "secret_id_ttl": whole_seconds(issued.ttl),
    }
    return envelope(request.id, encode(data))


async def _login(request: Request) -> Answer:
    with refusing(None, APPROLE):
        asked, _ = wire.decode(await request.body(), wire.LogIn)
        if not asked.role_id:
            raise InvalidValue("missing role_id")
    try:
        issued = (await request.perform(Login(role_id=str(asked.role_id), secret_id=str(asked.secret_id)))).result
    except Unauthenticated:
        return refusal(400, "invalid role or secret ID")
    return envelope(request.id, auth=auth(issued.info, issued.token))


ROUTES = (
    Route(("auth", "approle", "role"), {"list": _list}),
    Route(("auth", "approle", "role", ONE), {"read": _read, "write": _write, "delete": _delete}),
    Route(("auth", "approle", "role", ONE, "role-id"), {"read": _role_id}),
    Route(("auth", "approle", "role", ONE, "secret-id"), {"write": _secret_id}),
    Route(("auth", "approle", "login"), {"write": _login}),
)
