"""AppRole as Vault's clients know it: roles, their role ids, and the login."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from wardgate.spi.errors import Conflict, InvalidValue, SecretNotFound, Unauthenticated
from wardgate.spi.frontend import Outcome
from wardgate.spi.networks import check_networks
from wardgate.spi.operations.approle import (
    DeleteRole,
    ListRoles,
    Login,
    ReadRole,
    ReadRoleId,
    Role,
    WriteRole,
    WriteRoleId,
    roles_of,
)
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.secrets import Absent
from wardgate.spi.operations.tokens import MAX_USES
from wardgate.spi.path import Path

from wardgate_vault.api import wire
from wardgate_vault.api.envelope import NO_CONTENT, Answer, encode, envelope, one_error, refusal
from wardgate_vault.api.errors import NOT_FOUND, refusing
from wardgate_vault.api.request import Request
from wardgate_vault.api.services import METHOD, ONE, Route
from wardgate_vault.api.tokens import auth, cut
from wardgate_vault.durations import parse_duration, whole_seconds

TRIES = 5
"""How often a role is read and written while others change it."""
ROLE = ("auth", METHOD, "role", ONE)
"""Pattern of a role's path."""
_FIXED: Mapping[str, object] = {
    "local_secret_ids": False,
    "token_no_default_policy": False,
    "token_type": "default",
}
"""Fields of a role that are not kept, as they stand. Each would change what a token can do, so a role that asks for
one is refused rather than made without it."""
_NOTHING: tuple[object, ...] = (None, False, 0, "", [], "default", "service", "default-service", "0", "false")


def role_of(request: Request) -> tuple[Path, str]:
    """The role's own path, also of what lies below it, and its name."""
    assert request.path is not None
    segments = request.path.segments[:4]
    return Path(segments), segments[-1]


def shown(role: Role) -> dict[str, object]:
    """The ``data`` of a role."""
    data: dict[str, object] = {
        **_FIXED,
        "bind_secret_id": role.bind_secret_id,
        "secret_id_bound_cidrs": role.secret_id_networks or None,
        "secret_id_num_uses": role.secret_id_uses,
        "secret_id_ttl": whole_seconds(role.secret_id_ttl),
        "token_bound_cidrs": role.token_networks,
        "token_explicit_max_ttl": whole_seconds(role.token_explicit_max_ttl),
        "token_max_ttl": whole_seconds(role.token_max_ttl),
        "token_num_uses": role.token_uses,
        "token_period": whole_seconds(role.token_period),
        "token_policies": role.policies,
        "token_strictly_bind_ip": role.bind_to_source,
        "token_ttl": whole_seconds(role.token_ttl),
    }
    return dict(sorted(data.items()))


async def _list(request: Request) -> Answer:
    assert request.path is not None
    names = (await request.perform(ListRoles(path=roles_of(request.path.segments[1])))).result
    return envelope(request.id, encode({"keys": sorted(names)})) if names else NOT_FOUND


async def _read(request: Request) -> Answer:
    path, _ = role_of(request)
    return envelope(request.id, encode(shown((await request.perform(ReadRole(path=path))).result)))


async def _write(request: Request) -> Answer:
    path, name = role_of(request)
    with refusing(Action.MANAGE, path):
        asked, plain = wire.decode(await request.body(), wire.WriteRole)
        for field in _FIXED:
            if plain.get(field) not in _NOTHING:
                raise InvalidValue(f"the field {field} is not supported")
        # Judged by itself before anyone learns what there is.
        changed(Role(name=name), asked, whole=False)
    written = await rewrite(
        request, path, lambda known: changed(known, asked), create=True, role_id=asked.role_id or None
    )
    return envelope(request.id, warnings=written.warnings) if written.warnings else NO_CONTENT


async def rewrite(
    request: Request, path: Path, anew: Callable[[Role], Role], *, create: bool = False, role_id: str | None = None
) -> Outcome[None]:
    """Write a role as ``anew`` makes it of the one there is.

    It is read and made again where another's change came between: neither is lost. ``create``: where there is none, of
    one in which nothing is set. Raises SecretNotFound.
    """
    for left in reversed(range(TRIES)):
        known: Role | Absent = Absent()
        try:
            known = (await request.perform(ReadRole(path=path))).result
        except SecretNotFound:
            if not create:
                raise
        with refusing(Action.MANAGE, path):
            role = anew(Role(name=path.segments[-1]) if isinstance(known, Absent) else known)
        try:
            return await request.perform(WriteRole(path=path, role=role, role_id=role_id, expect=known))
        except Conflict:
            if not left:
                raise
    raise AssertionError


def changed(role: Role, asked: wire.WriteRole, *, whole: bool = True) -> Role:
    """The role with what was asked for; what was not mentioned stays, as in Vault.

    Args:
        role: as it is.
        asked: what was mentioned.
        whole: whether ``role`` is the one there is, so that what its fields say together counts.

    Raises:
        InvalidValue: a field, or what they say together, makes no sense.
    """
    for field in ("token_bound_cidrs", "secret_id_bound_cidrs", "bound_cidr_list"):
        check_networks(field, wire.texts(getattr(asked, field)))
    given: dict[str, Any] = {
        "policies": _texts(asked.token_policies, asked.policies),
        "token_ttl": _duration(asked.token_ttl, "token_ttl"),
        "token_max_ttl": _duration(asked.token_max_ttl, "token_max_ttl"),
        "token_explicit_max_ttl": _duration(asked.token_explicit_max_ttl, "token_explicit_max_ttl"),
        "token_period": _duration(asked.period if asked.token_period is None else asked.token_period, "token_period"),
        "token_uses": asked.token_num_uses,
        "token_networks": _texts(asked.token_bound_cidrs),
        "bind_to_source": asked.token_strictly_bind_ip,
        "secret_id_ttl": _duration(asked.secret_id_ttl, "secret_id_ttl"),
        "secret_id_uses": asked.secret_id_num_uses,
        "secret_id_networks": _texts(asked.secret_id_bound_cidrs, asked.bound_cidr_list),
        "bind_secret_id": asked.bind_secret_id,
    }
    result = replace(role, **{field: value for field, value in given.items() if value is not None})
    for field, uses in (("secret_id_num_uses", result.secret_id_uses), ("token_num_uses", result.token_uses)):
        if not 0 <= uses <= MAX_USES:
            raise InvalidValue(f"'{field}' cannot be negative, or more than two thousand million")
    if whole and result.bind_to_source and result.token_networks:
        raise InvalidValue("'token_strictly_bind_ip' conflicts with 'token_bound_cidrs'; set only one")
    if whole and result.token_max_ttl and result.token_ttl > result.token_max_ttl:
        raise InvalidValue("'token_ttl' cannot be greater than 'token_max_ttl'")
    if whole and not (result.bind_secret_id or result.secret_id_networks or result.token_networks):
        raise InvalidValue("1 error occurred:\n\t* at least one constraint should be enabled on the role\n\n")
    return result


def _duration(given: wire.Duration | None, field: str) -> int | None:
    return None if given is None else parse_duration(given, field=field)


def _texts(*given: wire.Texts | None) -> tuple[str, ...] | None:
    """The first that was mentioned."""
    return next((wire.texts(each) for each in given if each is not None), None)


async def _delete(request: Request) -> Answer:
    path, _ = role_of(request)
    try:
        await request.perform(DeleteRole(path=path))
    except SecretNotFound:
        return NO_CONTENT
    return NO_CONTENT


async def _role_id(request: Request) -> Answer:
    path, _ = role_of(request)
    role_id = (await request.perform(ReadRoleId(path=path.child("role-id")))).result
    return envelope(request.id, encode({"role_id": role_id}))


async def _choose_role_id(request: Request) -> Answer:
    role, _ = role_of(request)
    path = role.child("role-id")
    with refusing(Action.MANAGE, path):
        asked, _ = wire.decode(await request.body(), wire.ChooseRoleId)
        if not asked.role_id:
            raise InvalidValue("missing role_id")
    try:
        await request.perform(WriteRoleId(path=path, role_id=asked.role_id))
    except SecretNotFound:
        return one_error(404, "unsupported path")
    return NO_CONTENT


async def _login(request: Request) -> Answer:
    assert request.path is not None
    with refusing(None, request.path):
        asked, _ = wire.decode(await request.body(), wire.LogIn)
        if not asked.role_id:
            raise InvalidValue("missing role_id")
    operation = Login(path=request.path, role_id=str(asked.role_id), secret_id=str(asked.secret_id))
    try:
        issued = (await request.perform(operation)).result
    except Unauthenticated:
        return refusal(400, "invalid role or secret ID")
    return envelope(request.id, auth=auth(issued.info, issued.token), warnings=cut(issued))


ROUTES = (
    Route(("auth", METHOD, "role"), {"list": _list}),
    Route(ROLE, {"read": _read, "write": _write, "delete": _delete}),
    Route((*ROLE, "role-id"), {"read": _role_id, "write": _choose_role_id}),
    Route(("auth", METHOD, "login"), {"write": _login}),
)
