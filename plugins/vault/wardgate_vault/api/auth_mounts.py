"""Auth methods as Vault's clients know them, at ``sys/auth``: token, and AppRole under any name."""

from __future__ import annotations

from typing import Any

from wardgate.spi.errors import AlreadyExists, InvalidValue, SecretNotFound
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.methods import (
    METHODS,
    TOKEN,
    TYPES,
    DisableMethod,
    EnableMethod,
    ListMethods,
    MethodInfo,
    ReadMethod,
    TuneMethod,
)
from wardgate.spi.path import Path

from wardgate_vault.api import leases, wire
from wardgate_vault.api.envelope import NO_CONTENT, Answer, flattened, refusal
from wardgate_vault.api.errors import Refused, refusing
from wardgate_vault.api.request import Request
from wardgate_vault.api.services import ONE, REST, Route

_SERVICE = "default-service"
_BATCH = frozenset({"batch", "default-batch"})
_TOKEN_TYPES = frozenset({"", "default", "service", _SERVICE})
_AS_MOUNTS = ("sys", "mounts", "auth")
"""Where Vault has its auth methods among the mounts."""


def shown(method: MethodInfo) -> dict[str, object]:
    """One as Vault shows it."""
    return {
        "accessor": f"auth_{method.type}_{method.id[:8]}",
        "config": {
            **leases.kept(method.default_lease_ttl, method.max_lease_ttl),
            "force_no_cache": False,
            "token_type": _SERVICE,
        },
        "deprecation_status": "supported",
        "description": method.description,
        "external_entropy_access": False,
        "local": False,
        "options": None,
        "plugin_version": "",
        "running_plugin_version": "",
        "running_sha256": "",
        "seal_wrap": False,
        "type": method.type,
        "uuid": method.id,
    }


def shown_all(methods: tuple[MethodInfo, ...]) -> dict[str, object]:
    """Several, by their paths."""
    return {f"{method.name}/": shown(method) for method in methods}


async def _list(request: Request) -> Answer:
    return flattened(request.id, shown_all((await request.perform(ListMethods())).result))


async def _read(request: Request) -> Answer:
    path, name = _named(request)
    try:
        method = (await request.perform(ReadMethod(path=path))).result
    except SecretNotFound:
        return refusal(400, f"No auth engine at {name}/")
    return flattened(request.id, shown(method))


async def _read_tuning(request: Request) -> Answer:
    path, name = _named(request, tail=1)
    try:
        method = (await request.perform(ReadMethod(path=path))).result
    except SecretNotFound:
        return refusal(400, f'cannot fetch sysview for path "auth/{name}/"')
    tuning: dict[str, object] = {
        **leases.effective(method.default_lease_ttl, method.max_lease_ttl),
        "description": method.description,
        "force_no_cache": False,
        "token_type": _SERVICE,
    }
    return flattened(request.id, tuning)


async def _enable(request: Request) -> Answer:
    path, name = _named(request)
    with refusing(Action.MANAGE, path):
        asked, _ = wire.decode(await request.body(), wire.EnableMethod)
        config = asked.config or wire.MethodConfig()
        operation = EnableMethod(
            path=path,
            type=_type(asked.type or "", name),
            description=asked.description or "",
            **_ttls(config, asked.options, new=True),
        )
    try:
        await request.perform(operation)
    except AlreadyExists:
        return refusal(400, f"path is already in use at {name}/")
    return NO_CONTENT


def _type(kind: str, name: str) -> str:
    if not kind:
        raise InvalidValue("backend type must be specified as a string")
    if kind == TOKEN:
        raise InvalidValue("token credential backend cannot be instantiated")
    if kind not in TYPES:
        raise InvalidValue(f"plugin not found in the catalog: {kind[:80]}")
    if "/" in name:
        raise InvalidValue(f"{name[:80]}/: the path of an auth method is one name here")
    return kind


def _ttls(config: wire.MethodConfig, options: dict[str, Any] | None, *, new: bool) -> dict[str, int]:
    """What is given of what is kept. What would change tokens and is not kept is refused, not forgotten."""
    if options:
        raise InvalidValue(f"the option {min(options)[:80]!r} is not supported: auth methods have none here")
    if config.token_type in _BATCH:
        raise InvalidValue("batch tokens are not supported; leave token_type out, or say service")
    if config.token_type is not None and config.token_type not in _TOKEN_TYPES:
        raise InvalidValue("invalid value for 'token_type'")
    return leases.first(config) if new else leases.asked(config)


async def _tune(request: Request) -> Answer:
    path, name = _named(request, tail=1)
    with refusing(Action.MANAGE, path):
        asked, _ = wire.decode(await request.body(), wire.TuneMethod)
        operation = TuneMethod(path=path, description=asked.description, **_ttls(asked, asked.options, new=False))
    try:
        await request.perform(operation)
    except SecretNotFound:
        return refusal(400, f'tune of path "auth/{name}/" failed: no mount entry found')
    return NO_CONTENT


async def _disable(request: Request) -> Answer:
    path, name = _named(request)
    if name == TOKEN:
        said = "token credential backend cannot be disabled"
        raise Refused(InvalidValue(said), refusal(400, said), action=Action.MANAGE, path=path)
    try:
        await request.perform(DisableMethod(path=path))
    except SecretNotFound:
        # As in Vault: what is not there need not be removed.
        return NO_CONTENT
    return NO_CONTENT


def _named(request: Request, *, tail: int = 0) -> tuple[Path, str]:
    """The operation's path, and the method's; ``tail`` segments of the request's do not belong to it."""
    assert request.path is not None
    before = _AS_MOUNTS if request.path.segments[: len(_AS_MOUNTS)] == _AS_MOUNTS else METHODS.segments
    name = request.path.segments[len(before) : len(request.path.segments) - tail]
    return Path((*METHODS.segments, *name)), "/".join(name)


_TUNING = {"read": _read_tuning, "write": _tune}
ROUTES = (
    Route(METHODS.segments, {"read": _list}),
    Route((*METHODS.segments, ONE, "tune"), _TUNING),
    Route((*METHODS.segments, REST), {"read": _read, "write": _enable, "delete": _disable}),
    Route((*_AS_MOUNTS, ONE), {"read": _read}),
    Route((*_AS_MOUNTS, ONE, "tune"), _TUNING),
)
"""The first that takes a path answers it."""
