"""KV version 2 over any backend: the table of all that is below a mount, and what concerns its values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from wardgate.spi.errors import Gone, SecretNotFound, Unsupported
from wardgate.spi.frontend import MountView, Outcome
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.secrets import (
    DeleteSecret,
    DestroySecret,
    ListSecrets,
    Ordinal,
    PatchSecret,
    ReadSecret,
    UndeleteSecret,
    WriteSecret,
)
from wardgate.spi.path import Path
from wardgate.spi.values import SecretVersion

from wardgate_vault.api import kv1, kv_bodies, kv_metadata, kv_shapes, listing
from wardgate_vault.api.envelope import NO_CONTENT, Answer, encode, envelope, one_error, refusal, stale
from wardgate_vault.api.errors import NOT_FOUND, UNSUPPORTED, Refused, refusing
from wardgate_vault.api.request import ACTIONS, Request
from wardgate_vault.presentation import FIRST, PRESENTATION, SHOWN_AS

_ROOTS = frozenset({"metadata", "data", "delete", "undelete", "destroy"})
NAMING = frozenset({"list", "scan"})

KvHandler = Callable[[Request, Path], Awaitable[Answer]]


async def answer(request: Request, mount: MountView, path: Path) -> Answer:
    """Answer what is asked of a mount: ``<prefix>/<kind>/<path of the secret>``."""
    prefix = mount.prefix.segments
    rest = path.segments[len(prefix) :]
    kind = rest[0] if rest else ""
    verbs = _KINDS.get(kind)
    if mount.presentation.get(PRESENTATION, SHOWN_AS) == FIRST:
        return await kv1.answer(request, mount, path)
    if verbs is None or (kind == "config" and (len(rest) > 1 or request.folder or request.verb in NAMING)):
        raise _no_such_path(request, path)
    secret = Path(prefix + rest[1:])
    handler = verbs.get(request.verb)
    if handler is None:
        raise Refused(Unsupported(), one_error(405, UNSUPPORTED), action=ACTIONS[request.verb], path=secret)
    if request.verb not in NAMING:
        if len(rest) == 1 and kind != "config":
            raise _root_of(request, secret, kind)
        if request.folder:
            raise _folder(request, secret)
    return await handler(request, secret)


def _no_such_path(request: Request, path: Path) -> Refused:
    verb = _CLI_VERBS[request.verb]
    warning = (
        "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use."
        f" If using the OpenBao CLI, use 'bao kv {verb}' for this operation."
    )
    said = envelope(request.id, warnings=(warning,), status=404)
    return Refused(SecretNotFound(), said, action=ACTIONS[request.verb], path=path)


def _root_of(request: Request, path: Path, kind: str) -> Refused:
    if request.folder:
        return _folder(request, path)
    if kind not in _ROOTS:
        return _no_such_path(request, path)
    warning = "Non-listing operations on the root of a K/V v2 mount are not supported."
    said = envelope(request.id, warnings=(warning,), status=404)
    return Refused(SecretNotFound(), said, action=ACTIONS[request.verb], path=path)


def _folder(request: Request, path: Path) -> Refused:
    written = request.verb in {"write", "patch"}
    said = refusal(400, "cannot write to a path ending in '/'") if written else NOT_FOUND
    return Refused(SecretNotFound(), said, action=ACTIONS[request.verb], path=path)


async def _read(request: Request, path: Path) -> Answer:
    version = None
    warnings: tuple[str, ...] = ()
    if request.parameters:
        warnings = kv_bodies.ignored(request.parameters, "version")
        with refusing(Action.READ, path):
            version = kv_bodies.version(request.parameters.get("version"))
    operation = ReadSecret(path=path, version=version, fresh=request.fresh)
    if not request.parameters and not request.fresh:
        request.again = partial(_answer_read, operation)
    return await _answer_read(operation, request, warnings)


async def _answer_read(operation: ReadSecret, request: Request, warnings: tuple[str, ...] = ()) -> Answer:
    try:
        outcome = await request.perform(operation)
    except Gone as gone:
        if gone.info is None:
            return NOT_FOUND
        return envelope(request.id, kv_shapes.gone(gone.info), status=404)
    data = _rendered(outcome)
    freshness = outcome.freshness
    if freshness is None or not freshness.stale:
        return envelope(request.id, data, warnings=warnings + outcome.warnings)
    said, age = stale(freshness)
    return envelope(request.id, data, warnings=(*warnings, *outcome.warnings, said), headers=(age,))


def _rendered(outcome: Outcome[SecretVersion]) -> bytes:
    """The JSON text of a version, kept where the cache keeps the version."""
    kept = outcome.rendered
    if kept is None:
        return kv_shapes.version(outcome.result)
    data = kept.get(PRESENTATION)
    if data is None:
        data = kept[PRESENTATION] = kv_shapes.version(outcome.result)
    return data


async def _write(request: Request, path: Path) -> Answer:
    with refusing(Action.WRITE, path):
        value, expect, warnings = kv_bodies.written(await request.body())
    outcome = await request.perform(WriteSecret(path=path, value=value, expect=expect))
    return envelope(request.id, encode(kv_shapes.info(outcome.result)), warnings=(*warnings, *outcome.warnings))


async def _patch(request: Request, path: Path) -> Answer:
    with refusing(Action.WRITE, path):
        patch, expect, warnings = kv_bodies.patched(await request.body())
    try:
        outcome = await request.perform(PatchSecret(path=path, patch=patch, expect=expect))
    except Gone as gone:
        if gone.info is None:
            return NOT_FOUND
        return envelope(request.id, encode(kv_shapes.info(gone.info)), status=404)
    return envelope(request.id, encode(kv_shapes.info(outcome.result)), warnings=(*warnings, *outcome.warnings))


async def _subkeys(request: Request, path: Path) -> Answer:
    with refusing(Action.READ, path):
        version = kv_bodies.version(request.parameters.get("version"))
        depth = kv_bodies.depth(request.parameters.get("depth"))
    warnings = kv_bodies.ignored(request.parameters, "version", "depth")
    try:
        outcome = await request.perform(ReadSecret(path=path, version=version, fresh=request.fresh))
    except Gone as gone:
        if gone.info is None:
            return NOT_FOUND
        return envelope(request.id, encode({"metadata": kv_shapes.info(gone.info), "subkeys": None}), status=404)
    data = encode(kv_shapes.subkeys(outcome.result, depth))
    return envelope(request.id, data, warnings=warnings + outcome.warnings)


async def _delete_current(request: Request, path: Path) -> Answer:
    return await _done(request.perform(DeleteSecret(path=path)))


async def _delete(request: Request, path: Path) -> Answer:
    versions = await _selected(request, path, Action.DELETE)
    return await _done(request.perform(DeleteSecret(path=path, versions=versions)))


async def _undelete(request: Request, path: Path) -> Answer:
    versions = await _selected(request, path, Action.UNDELETE)
    return await _done(request.perform(UndeleteSecret(path=path, versions=versions)))


async def _destroy(request: Request, path: Path) -> Answer:
    with refusing(Action.DESTROY, path):
        versions = kv_bodies.selected(await request.body(), none="no version number provided")
    return await _done(request.perform(DestroySecret(path=path, versions=versions)))


async def _selected(request: Request, path: Path, action: Action) -> tuple[Ordinal, ...]:
    with refusing(action, path):
        return kv_bodies.selected(await request.body())


async def _destroy_all(request: Request, path: Path) -> Answer:
    return await _done(request.perform(DestroySecret(path=path)))


async def _done(change: Awaitable[object]) -> Answer:
    await change
    return NO_CONTENT


_CLI_VERBS: Mapping[str, str] = {
    "read": "get",
    "head": "get",
    "list": "list",
    "write": "put",
    "delete": "delete",
    "patch": "patch",
    "scan": "scan",
}
_KINDS: Mapping[str, Mapping[str, KvHandler]] = {
    "data": {"read": _read, "write": _write, "patch": _patch, "delete": _delete_current},
    "subkeys": {"read": _subkeys},
    "metadata": {
        "read": kv_metadata.read, "list": listing.list_names, "scan": listing.scan_names,
        "write": kv_metadata.write, "patch": kv_metadata.patch, "delete": _destroy_all,
    },
    "detailed-metadata": {"list": listing.list_detailed, "scan": listing.scan_detailed},
    "delete": {"write": _delete},
    "undelete": {"write": _undelete},
    "destroy": {"write": _destroy},
    "config": {"read": kv_metadata.read_config, "write": kv_metadata.write_config},
}  # fmt: skip


def unknown_route(request: Request) -> Answer:
    """How Vault says that nothing is mounted at a path."""
    slash = "/" if request.folder and request.path else ""
    return refusal(404, f'no handler for route "{request.path or ""}{slash}". route entry not found.')


async def unmounted(request: Request, path: Path) -> Answer:
    """Send a path without a mount down the road, so that only who may read there learns that nothing is there."""
    operation = ListSecrets(path=path) if request.verb in NAMING else ReadSecret(path=path)
    try:
        await request.perform(operation)
    except SecretNotFound:
        return unknown_route(request)
    # A mount came to be there in the meantime: the next request will find it.
    return NOT_FOUND
