"""Mounts as Vault's clients know them, at ``sys/mounts`` and ``sys/internal/ui/mounts``; every one is a ``kv``."""

from __future__ import annotations

from typing import Any

from wardgate.spi.errors import AlreadyExists, InvalidValue, SecretNotFound
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.mounts import (
    MOUNTS,
    CreateMount,
    DeleteMount,
    ListMounts,
    ListVisibleMounts,
    MountInfo,
    ReadMount,
)
from wardgate.spi.path import Path

from wardgate_vault.api import wire
from wardgate_vault.api.envelope import NO_CONTENT, Answer, encode, envelope, flattened, one_error, refusal
from wardgate_vault.api.errors import Refused, refusing
from wardgate_vault.api.kv import FIRST, PRESENTATION, SHOWN_AS
from wardgate_vault.api.request import ACTIONS, Request
from wardgate_vault.api.services import REST, Route

NATIVE = "native"
"""The backend type that Vault's own ``kv`` stands for here."""
_KV = {"kv": FIRST, "kv-v1": FIRST, "kv-v2": SHOWN_AS}
"""What Vault calls a key-value engine, and the version the name itself asks for."""
TUNE = "tune"
_INTERNAL = Path(("sys", "internal", "ui", "mounts"))


def _shown(mount: MountInfo) -> dict[str, object]:
    """One mount as Vault shows it. A Go client needs ``options`` to hold text alone."""
    return {
        "accessor": f"kv_{mount.id}",
        "config": {"default_lease_ttl": 0, "force_no_cache": False, "max_lease_ttl": 0},
        "deprecation_status": "supported",
        "description": mount.description,
        "external_entropy_access": False,
        "local": False,
        "options": {"version": mount.presentation.get(PRESENTATION, SHOWN_AS), "wardgate:type": mount.type},
        "plugin_version": "",
        "running_plugin_version": "",
        "running_sha256": "",
        "seal_wrap": False,
        "type": "kv",
        "uuid": mount.id,
    }


def _shown_all(mounts: tuple[MountInfo, ...]) -> dict[str, object]:
    return {f"{mount.prefix}/": _shown(mount) for mount in mounts}


async def _list(request: Request) -> Answer:
    return flattened(request.id, _shown_all((await request.perform(ListMounts())).result))


async def _read(request: Request) -> Answer:
    path, prefix = _prefix(request)
    try:
        mount = (await request.perform(ReadMount(path=path))).result
    except SecretNotFound:
        return refusal(400, f"No secret engine mount at {prefix}/")
    return flattened(request.id, _shown(mount))


async def _create(request: Request) -> Answer:
    path, prefix = _prefix(request)
    with refusing(Action.MANAGE, path):
        asked, _ = wire.decode(await request.body(), wire.EnableMount)
        operation = CreateMount(path=path, description=asked.description, **_backend(asked))
    try:
        await request.perform(operation)
    except AlreadyExists:
        return refusal(400, f"path is already in use at {prefix}/")
    return NO_CONTENT


def _backend(asked: wire.EnableMount) -> dict[str, Any]:
    """The backend's type and options, and how the mount is to be shown."""
    if not asked.type:
        raise InvalidValue("backend type must be specified as a string")
    options = {name: value for name, value in (asked.options or {}).items() if value is not None}
    version = str(options.pop("version", None) or _KV.get(asked.type) or SHOWN_AS)
    if version not in {FIRST, SHOWN_AS}:
        raise InvalidValue(f"a mount is shown as version {FIRST} or {SHOWN_AS} of KV; set options.version so")
    kind = NATIVE if asked.type in _KV else asked.type
    return {"type": kind, "options": options, "presentation": {PRESENTATION: version}}


async def _delete(request: Request) -> Answer:
    path, _ = _prefix(request)
    try:
        await request.perform(DeleteMount(path=path))
    except SecretNotFound:
        return NO_CONTENT
    return NO_CONTENT


def _prefix(request: Request) -> tuple[Path, Path]:
    """The operation's path, and the mount's prefix that it ends in. Raises Refused for ``<prefix>/tune``."""
    path = request.path
    assert path is not None
    if path.segments[-1] == TUNE:
        raise Refused(SecretNotFound(), one_error(404, "unsupported path"), action=ACTIONS[request.verb], path=path)
    return path, path.below(MOUNTS)


async def _visible(request: Request) -> Answer:
    """All mounts below which the principal may do anything."""
    mounts = (await request.perform(ListVisibleMounts())).result
    return envelope(request.id, encode({"auth": {}, "secret": _shown_all(mounts)}))


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
    Route(_INTERNAL.segments, {"read": _visible}),
    Route((*_INTERNAL.segments, REST), {"read": _visible_at}),
)
"""The first that takes a path answers it."""
