"""Auth methods as Vault's clients know them, at ``sys/auth``: token and AppRole, built in, neither made nor removed."""

from __future__ import annotations

from wardgate.spi.errors import AlreadyExists, InvalidValue, SecretNotFound, WardgateError
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.methods import METHODS, ListMethods, MethodInfo, ReadMethod
from wardgate.spi.path import Path

from wardgate_vault.api import wire
from wardgate_vault.api.envelope import NO_CONTENT, Answer, flattened, refusal
from wardgate_vault.api.errors import Refused, refusing
from wardgate_vault.api.request import Request
from wardgate_vault.api.services import ONE, REST, Route

SYSTEM_LEASE = 2_764_800
"""Seconds, 32 days: what Vault shows where nothing is set."""
_TOKEN, _APPROLE = "token", "approle"  # names of methods
_BUILT_IN = frozenset({_TOKEN, _APPROLE})


def shown(method: MethodInfo) -> dict[str, object]:
    """One as Vault shows it."""
    return {
        "accessor": f"auth_{method.name}_{method.id[:8]}",
        "config": {
            "default_lease_ttl": 0,
            "force_no_cache": False,
            "max_lease_ttl": 0,
            "token_type": "default-service",
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
        "type": method.name,
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
        return refusal(400, f'cannot fetch sysview for path "{name}/"')
    tuning: dict[str, object] = {
        "default_lease_ttl": SYSTEM_LEASE,
        "description": method.description,
        "force_no_cache": False,
        "max_lease_ttl": SYSTEM_LEASE,
        "token_type": "default-service",
    }
    return flattened(request.id, tuning)


async def _enable(request: Request) -> Answer:
    path, name = _named(request)
    with refusing(Action.MANAGE, path):
        kind = wire.decode(await request.body(), wire.EnableMount)[0].type or ""
    raise Refused(*_not_enabled(name, kind), action=Action.MANAGE, path=path)


def _not_enabled(name: str, kind: str) -> tuple[WardgateError, Answer]:
    if not kind:
        said = "backend type must be specified as a string"
    elif kind == _TOKEN:
        said = "token credential backend cannot be instantiated"
    elif kind == _APPROLE and name == _APPROLE:
        return AlreadyExists("the method is there already"), refusal(400, f"path is already in use at {name}/")
    elif kind == _APPROLE:
        said = f"AppRole is built in at {_APPROLE}/ and cannot be enabled at another path"
    else:
        said = f"plugin not found in the catalog: {kind[:80]}; built in are {_APPROLE} and {_TOKEN}, at their own names"
    return InvalidValue(said), refusal(400, said)


async def _tune(request: Request) -> Answer:
    path, name = _named(request, tail=1)
    if name in _BUILT_IN:
        said = f"the auth method {name}/ is built in and has nothing to tune"
    else:
        said = f'tune of path "auth/{name}/" failed: no mount entry found'
    raise Refused(InvalidValue(said), refusal(400, said), action=Action.MANAGE, path=path)


async def _disable(request: Request) -> Answer:
    path, name = _named(request)
    if name not in _BUILT_IN:
        # As in Vault: what is not there need not be removed.
        raise Refused(SecretNotFound(), NO_CONTENT, action=Action.MANAGE, path=path)
    said = f"{name} credential backend cannot be disabled"
    raise Refused(InvalidValue(said), refusal(400, said), action=Action.MANAGE, path=path)


def _named(request: Request, *, tail: int = 0) -> tuple[Path, str]:
    """The operation's path, and the method's; ``tail`` segments of the request's do not belong to it."""
    assert request.path is not None
    path = Path(request.path.segments[: len(request.path.segments) - tail])
    return path, str(path.below(METHODS))


ROUTES = (
    Route(METHODS.segments, {"read": _list}),
    Route((*METHODS.segments, ONE, "tune"), {"read": _read_tuning, "write": _tune}),
    Route((*METHODS.segments, REST), {"read": _read, "write": _enable, "delete": _disable}),
)
"""The first that takes a path answers it."""
