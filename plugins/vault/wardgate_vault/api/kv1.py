"""KV version 1 over any backend: one value a path, written whole, without versions; the fields are the body itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from wardgate.spi.errors import Gone, InvalidValue, SecretNotFound, Unsupported
from wardgate.spi.frontend import MountView
from wardgate.spi.maps import to_json, to_map
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.secrets import DeleteSecret, DestroySecret, ReadSecret, WriteSecret
from wardgate.spi.path import Path
from wardgate.spi.values import Value

from wardgate_vault.api import kv_bodies, listing
from wardgate_vault.api.envelope import NO_CONTENT, Answer, envelope, leased, one_error, refusal, stale
from wardgate_vault.api.errors import NOT_FOUND, UNSUPPORTED, Refused, refusing
from wardgate_vault.api.request import ACTIONS, Request
from wardgate_vault.durations import SECOND, parse_duration

DEFAULT_LEASE = 2_764_800
"""Seconds (32 days) a value may be kept where it says nothing itself: what a server's mounts start with."""
_LEASES = ("ttl", "lease")

Handler = Callable[[Request, MountView, Path], Awaitable[Answer]]


async def answer(request: Request, mount: MountView, path: Path) -> Answer:
    """Answer what is asked of a mount shown as version 1: ``<prefix>/<path of the secret>``."""
    handler = _VERBS.get(request.verb)
    if handler is None:
        raise Refused(Unsupported(), one_error(405, UNSUPPORTED), action=ACTIONS[request.verb], path=path)
    if handler not in (_list, _scan) and (request.folder or path == mount.prefix):
        raise Refused(SecretNotFound(), _no_secret(request), action=ACTIONS[request.verb], path=path)
    return await handler(request, mount, path)


def _no_secret(request: Request) -> Answer:
    """What is said of a path that cannot be a secret's: a folder's, or the mount's own."""
    if request.verb == "write":
        return refusal(400, "cannot write to a path ending in '/'" if request.folder else "missing path")
    return NO_CONTENT if request.verb == "delete" else NOT_FOUND


async def _read(request: Request, _: MountView, path: Path) -> Answer:
    try:
        outcome = await request.perform(ReadSecret(path=path, fresh=request.fresh))
    except Gone:
        return NOT_FOUND
    value = outcome.result.value
    warnings = kv_bodies.ignored(request.parameters) + outcome.warnings
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if outcome.freshness is not None and outcome.freshness.stale:
        said, age = stale(outcome.freshness)
        warnings, headers = (*warnings, said), (age,)
    return leased(envelope(request.id, to_json(value), warnings=warnings, headers=headers), _seconds(value))


def _seconds(value: Value) -> int:
    """How long whoever reads may keep it: what the value itself says, as its writers have always told readers."""
    fields = to_map(value)
    given = next((fields[name] for name in _LEASES if name in fields), DEFAULT_LEASE)
    if isinstance(given, bool) or not isinstance(given, int | str | None):
        return DEFAULT_LEASE
    try:
        return parse_duration(given or 0, field="ttl") // SECOND
    except InvalidValue:
        return DEFAULT_LEASE


async def _write(request: Request, _: MountView, path: Path) -> Answer:
    with refusing(Action.WRITE, path):
        value = kv_bodies.whole(await request.body())
    await request.perform(WriteSecret(path=path, value=value))
    return NO_CONTENT


async def _delete(request: Request, mount: MountView, path: Path) -> Answer:
    """All of it: nobody who sees one value expects older ones to be left."""
    whole = mount.capabilities.destroy
    await request.perform(DestroySecret(path=path) if whole else DeleteSecret(path=path))
    return NO_CONTENT


async def _list(request: Request, _: MountView, path: Path) -> Answer:
    return await listing.list_names(request, path, known=())


async def _scan(request: Request, _: MountView, path: Path) -> Answer:
    return await listing.scan_names(request, path, known=())


_VERBS: Mapping[str, Handler] = {"read": _read, "write": _write, "delete": _delete, "list": _list, "scan": _scan}
"""What version 1 knows at every path below the mount."""
