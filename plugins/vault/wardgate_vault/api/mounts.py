"""Mounts as Vault's clients know them, at ``sys/mounts`` and ``sys/internal/ui/mounts``; every one is a ``kv``."""

from __future__ import annotations

from typing import Any

from wardgate.spi.errors import AlreadyExists, InvalidValue, SecretNotFound, Unsupported
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.methods import ListVisibleMethods
from wardgate.spi.operations.mounts import (
    MOUNTS,
    CacheTtl,
    CreateMount,
    DeleteMount,
    ListMounts,
    ListVisibleMounts,
    MountInfo,
    ReadMount,
    TuneMount,
)
from wardgate.spi.path import Path

from wardgate_vault.api import auth_mounts, leases, wire
from wardgate_vault.api.envelope import NO_CONTENT, Answer, encode, envelope, flattened, one_error, refusal
from wardgate_vault.api.errors import UNSUPPORTED, Refused, refusing
from wardgate_vault.api.request import Request
from wardgate_vault.api.services import REST, Route
from wardgate_vault.durations import format_duration, parse_duration
from wardgate_vault.presentation import FIRST, PRESENTATION, SHOWN_AS

NATIVE = "native"
"""The backend type that Vault's own ``kv`` stands for here."""
_KV = {"kv": FIRST, "kv-v1": FIRST, "kv-v2": SHOWN_AS}
"""What Vault calls a key-value engine, and the version the name itself asks for."""
TUNE = "tune"
CACHE_TTL = "wardgate:cache_ttl"
"""An option of a mount: how long what was read is remembered; ``default``, or a duration, ``0`` for never."""
_KEPT = frozenset({"wardgate:type"})
"""Options that clients send back as they read them."""
_UPGRADING = (
    "Upgrading mount from version 1 to version 2. This mount will be unavailable for a brief period and will resume"
    " service shortly."
)
"""Vault's words, which clients look for. Nothing is moved here: the mount goes on answering."""
REMOUNT = Path(("sys", "remount"))
_INTERNAL = Path(("sys", "internal", "ui", "mounts"))


def _shown(mount: MountInfo) -> dict[str, object]:
    """One mount as Vault shows it. A Go client needs ``options`` to hold text alone."""
    return {
        "accessor": f"kv_{mount.id}",
        "config": {
            **leases.kept(mount.default_lease_ttl, mount.max_lease_ttl),
            "force_no_cache": mount.cache_ttl == 0,
        },
        "deprecation_status": "supported",
        "description": mount.description,
        "external_entropy_access": False,
        "local": False,
        "options": _options(mount),
        "plugin_version": "",
        "running_plugin_version": "",
        "running_sha256": "",
        "seal_wrap": False,
        "type": "kv",
        "uuid": mount.id,
    }


def _options(mount: MountInfo) -> dict[str, str]:
    options = {"version": mount.presentation.get(PRESENTATION, SHOWN_AS), "wardgate:type": mount.type}
    if mount.cache_ttl is not None:
        options[CACHE_TTL] = format_duration(mount.cache_ttl)
    return options


def _shown_all(mounts: tuple[MountInfo, ...]) -> dict[str, object]:
    return {f"{mount.prefix}/": _shown(mount) for mount in mounts}


async def _list(request: Request) -> Answer:
    return flattened(request.id, _shown_all((await request.perform(ListMounts())).result))


async def _read(request: Request) -> Answer:
    path, prefix, tuning = _prefix(request)
    try:
        mount = (await request.perform(ReadMount(path=path))).result
    except SecretNotFound:
        missing = f'cannot fetch sysview for path "{prefix}/"' if tuning else f"No secret engine mount at {prefix}/"
        return refusal(400, missing)
    return flattened(request.id, _tuning(mount) if tuning else _shown(mount))


def _tuning(mount: MountInfo) -> dict[str, object]:
    return {
        **leases.effective(mount.default_lease_ttl, mount.max_lease_ttl),
        "description": mount.description,
        "force_no_cache": mount.cache_ttl == 0,
        "options": _options(mount),
    }


async def _create(request: Request) -> Answer:
    path, prefix, tuning = _prefix(request)
    if tuning:
        return await _tune(request, path, prefix)
    with refusing(Action.MANAGE, path):
        asked, _ = wire.decode(await request.body(), wire.EnableMount)
        operation = CreateMount(path=path, description=asked.description or "", **_backend(asked), **_config(asked))
    try:
        await request.perform(operation)
    except AlreadyExists:
        return refusal(400, f"path is already in use at {_in_the_way(request, prefix)}/")
    return NO_CONTENT


def _in_the_way(request: Request, prefix: Path) -> Path:
    """The mount that is at a prefix, above it or below it; the prefix itself where none is known yet."""
    others = (mount.prefix for mount in request.gateway.mounts(request.namespace).views())
    return next((other for other in others if prefix.starts_with(other) or other.starts_with(prefix)), prefix)


def _backend(asked: wire.EnableMount) -> dict[str, Any]:
    """The backend's type and options, and how the mount is to be shown."""
    if not asked.type:
        raise InvalidValue("backend type must be specified as a string")
    options = {name: value for name, value in (asked.options or {}).items() if value is not None}
    version = _version(options.pop("version", None) or _KV.get(asked.type) or SHOWN_AS)
    options = {name: value for name, value in options.items() if name not in _KEPT and name != CACHE_TTL}
    kind = NATIVE if asked.type in _KV else asked.type
    return {"type": kind, "options": options, "presentation": {PRESENTATION: version}}


def _version(given: object) -> str:
    if str(given) not in {FIRST, SHOWN_AS}:
        raise InvalidValue(f"invalid version provided: {str(given)[:80]}")
    return str(given)


def _config(asked: wire.EnableMount) -> dict[str, Any]:
    """What a new mount is told of leases and the cache."""
    config = asked.config or wire.MountConfig()
    cache = _cached(config, (asked.options or {}).get(CACHE_TTL))
    return {**leases.first(config), **({} if cache is None else {"cache_ttl": cache.duration})}


async def _tune(request: Request, path: Path, prefix: Path) -> Answer:
    with refusing(Action.MANAGE, path):
        asked, _ = wire.decode(await request.body(), wire.TuneMount)
        options = {name: value for name, value in (asked.options or {}).items() if name not in _KEPT}
        presentation = {}
        if version := options.pop("version", None):
            presentation[PRESENTATION] = _version(version)
        cache, ttls = _cached(asked, options.pop(CACHE_TTL, None)), leases.asked(asked)
        if options:
            raise InvalidValue(f"the option {min(options)[:80]!r} cannot be changed; make the mount anew")
    before = request.gateway.mounts(request.namespace).find(prefix)
    try:
        await request.perform(
            TuneMount(path=path, description=asked.description, presentation=presentation, cache_ttl=cache, **ttls)
        )
    except SecretNotFound:
        return refusal(400, f'tune of path "{prefix}/" failed: no mount entry found')
    shown = before.presentation.get(PRESENTATION, SHOWN_AS) if before else SHOWN_AS
    if (shown, presentation.get(PRESENTATION)) == (FIRST, SHOWN_AS):
        return envelope(request.id, warnings=(_UPGRADING,))
    return NO_CONTENT


def _cached(asked: wire.MountConfig, cache: object) -> CacheTtl | None:
    """How long what was read is to be remembered; None: nothing is said of it."""
    if isinstance(cache, str | int | float) and not isinstance(cache, bool):
        return CacheTtl(None if cache == "default" else parse_duration(cache, field=CACHE_TTL))
    if cache is not None:
        raise InvalidValue(f"{CACHE_TTL} must be a duration, or default")
    if asked.force_no_cache is not None:
        return CacheTtl(0 if asked.force_no_cache else None)
    return None


async def _delete(request: Request) -> Answer:
    path, _, tuning = _prefix(request)
    if tuning:
        raise Refused(Unsupported(), one_error(405, UNSUPPORTED), action=Action.MANAGE, path=path)
    try:
        await request.perform(DeleteMount(path=path))
    except SecretNotFound:
        return NO_CONTENT
    return NO_CONTENT


def _prefix(request: Request) -> tuple[Path, Path, bool]:
    """The operation's path, the mount's prefix that it ends in, and whether the request is for ``<prefix>/tune``."""
    path = request.path
    assert path is not None
    tuning = path.segments[-1] == TUNE and len(path.segments) > len(MOUNTS.segments) + 1
    if tuning:
        path = Path(path.segments[:-1])
    return path, path.below(MOUNTS), tuning


async def _remount(_: Request) -> Answer:
    """Names of versions, policies and audit records hold a mount's prefix: it stays where it is."""
    said = "a mount cannot be moved here; enable another at the new path and copy what it holds"
    raise Refused(Unsupported(said), refusal(400, said), action=Action.MANAGE, path=REMOUNT)


async def _visible(request: Request) -> Answer:
    """All mounts below which the principal may do anything."""
    mounts = (await request.perform(ListVisibleMounts())).result
    methods = (await request.perform(ListVisibleMethods())).result
    return envelope(request.id, encode({"auth": auth_mounts.shown_all(methods), "secret": _shown_all(mounts)}))


async def _visible_at(request: Request) -> Answer:
    """The one that holds a path: `kv` commands ask before each request which version of KV it speaks."""
    assert request.path is not None
    asked = request.path.below(_INTERNAL)
    mount = _holding(asked, (await request.perform(ListVisibleMounts())).result)
    if mount is None:
        return refusal(
            403,
            "preflight capability check returned 403, please ensure client's policies grant access to path"
            f' "{asked}/"',
        )
    return envelope(request.id, encode({**_shown(mount), "path": f"{mount.prefix}/"}))


def _holding(path: Path, mounts: tuple[MountInfo, ...]) -> MountInfo | None:
    return next((mount for mount in mounts if path.starts_with(mount.prefix)), None)


ROUTES = (
    Route(MOUNTS.segments, {"read": _list}),
    Route((*MOUNTS.segments, REST), {"read": _read, "write": _create, "delete": _delete}),
    Route(REMOUNT.segments, {"write": _remount}),
    Route(_INTERNAL.segments, {"read": _visible}),
    Route((*_INTERNAL.segments, REST), {"read": _visible_at}),
)
"""The first that takes a path answers it."""
