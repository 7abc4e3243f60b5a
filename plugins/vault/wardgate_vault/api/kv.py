"""KV version 2 over any backend: ``data/``, ``metadata/``, ``delete/``, ``undelete/``, ``destroy/``, ``config``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from wardgate.spi.errors import Gone, SecretNotFound, Unsupported, VersionNotFound
from wardgate.spi.frontend import MountView
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.mounts import MOUNTS, ReadMount
from wardgate.spi.operations.secrets import (
    AnnotateSecret,
    DeleteSecret,
    DescribeSecret,
    DestroySecret,
    ListSecrets,
    Ordinal,
    ReadSecret,
    UndeleteSecret,
    WriteSecret,
)
from wardgate.spi.path import Path

from wardgate_vault.api import kv_bodies, kv_shapes
from wardgate_vault.api.envelope import NO_CONTENT, Answer, encode, envelope, one_error, refusal
from wardgate_vault.api.errors import NOT_FOUND, UNSUPPORTED, Refused, refusing
from wardgate_vault.api.request import ACTIONS, Request

MAX_NAMES = 100_000
"""Names of one folder in one answer; a folder with more is cut, and the answer warns of it."""
PRESENTATION = "vault.kv"
SHOWN_AS = "2"

KvHandler = Callable[[Request, Path], Awaitable[Answer]]


async def answer(request: Request, mount: MountView, path: Path) -> Answer:
    """Answer what is asked of a mount: ``<prefix>/<kind>/<path of the secret>``."""
    prefix = mount.prefix.segments
    rest = path.segments[len(prefix) :]
    kind = rest[0] if rest else ""
    verbs = _KINDS.get(kind)
    if verbs is None or mount.presentation.get(PRESENTATION, SHOWN_AS) != SHOWN_AS:
        raise _no_such_path(request, path)
    secret = Path(prefix + rest[1:])
    handler = verbs.get(request.verb)
    if handler is None:
        raise Refused(Unsupported(), one_error(405, UNSUPPORTED), action=ACTIONS[request.verb], path=secret)
    if request.verb != "list" and (len(rest) == 1) != (kind == "config"):
        raise _root_of(request, secret)
    if request.folder and request.verb != "list":
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


def _root_of(request: Request, path: Path) -> Refused:
    if request.folder:
        return _folder(request, path)
    warning = "Non-listing operations on the root of a K/V v2 mount are not supported."
    said = envelope(request.id, warnings=(warning,), status=404)
    return Refused(SecretNotFound(), said, action=ACTIONS[request.verb], path=path)


def _folder(request: Request, path: Path) -> Refused:
    said = refusal(400, "cannot write to a path ending in '/'") if request.verb == "write" else NOT_FOUND
    return Refused(SecretNotFound(), said, action=ACTIONS[request.verb], path=path)


async def _read(request: Request, path: Path) -> Answer:
    version = None
    if request.parameters:
        with refusing(Action.READ, path):
            version = kv_bodies.version(request.parameters.get("version"))
    try:
        outcome = await request.perform(ReadSecret(path=path, version=version))
    except Gone as gone:
        if gone.info is None:
            return NOT_FOUND
        return envelope(request.id, kv_shapes.gone(gone.info), status=404)
    data = kv_shapes.version(outcome.result)
    freshness = outcome.freshness
    if freshness is None or not freshness.stale:
        return envelope(request.id, data, warnings=outcome.warnings)
    age = int(freshness.age)
    stale = f"the store does not answer; this value was read {age} seconds ago"
    return envelope(request.id, data, warnings=(*outcome.warnings, stale), headers=((b"age", b"%d" % age),))


async def _write(request: Request, path: Path) -> Answer:
    with refusing(Action.WRITE, path):
        value, expect, warnings = kv_bodies.written(await request.body())
    outcome = await request.perform(WriteSecret(path=path, value=value, expect=expect))
    return envelope(request.id, encode(kv_shapes.info(outcome.result)), warnings=(*warnings, *outcome.warnings))


async def _delete_current(request: Request, path: Path) -> Answer:
    return await _done(request.perform(DeleteSecret(path=path)))


async def _delete(request: Request, path: Path) -> Answer:
    versions = await _selected(request, path, Action.DELETE)
    return await _done(request.perform(DeleteSecret(path=path, versions=versions)), several=len(versions) > 1)


async def _undelete(request: Request, path: Path) -> Answer:
    versions = await _selected(request, path, Action.UNDELETE)
    return await _done(request.perform(UndeleteSecret(path=path, versions=versions)), several=len(versions) > 1)


async def _destroy(request: Request, path: Path) -> Answer:
    versions = await _selected(request, path, Action.DESTROY)
    return await _done(request.perform(DestroySecret(path=path, versions=versions)), several=len(versions) > 1)


async def _selected(request: Request, path: Path, action: Action) -> tuple[Ordinal, ...]:
    with refusing(action, path):
        return kv_bodies.selected(await request.body())


async def _destroy_all(request: Request, path: Path) -> Answer:
    return await _done(request.perform(DestroySecret(path=path)))


async def _done(change: Awaitable[object], *, several: bool = False) -> Answer:
    """204, also where there was nothing to change; but not where one version of several stopped all of them."""
    try:
        await change
    except (SecretNotFound, Gone):
        return NO_CONTENT
    except VersionNotFound as error:
        return refusal(404, error.message or "one of the versions does not exist") if several else NO_CONTENT
    return NO_CONTENT


async def _describe(request: Request, path: Path) -> Answer:
    outcome = await request.perform(DescribeSecret(path=path))
    return envelope(request.id, encode(kv_shapes.secret(outcome.result)), warnings=outcome.warnings)


async def _annotate(request: Request, path: Path) -> Answer:
    with refusing(Action.ANNOTATE, path):
        labels, settings = kv_bodies.annotated(await request.body())
    await request.perform(AnnotateSecret(path=path, labels=labels, settings=settings))
    return NO_CONTENT


async def _list(request: Request, path: Path) -> Answer:
    with refusing(Action.LIST, path):
        after, limit = kv_bodies.window(request.parameters)
    names: list[str] = []
    cursor: str | None = None
    while True:
        page = (await request.perform(ListSecrets(path=path, cursor=cursor))).result
        names += [f"{entry.name}/" if entry.folder else entry.name for entry in page.entries]
        cursor = page.cursor
        if cursor is None or len(names) >= MAX_NAMES:
            break
    warnings = ("the folder has more names than one answer holds",) if cursor is not None else ()
    keys = [name for name in sorted(names) if name > after][: limit or None]
    return envelope(request.id, encode({"keys": keys}), warnings=warnings) if keys else NOT_FOUND


async def _config(request: Request, path: Path) -> Answer:
    """What every secret of the mount starts with. Stores keep such defaults themselves: none are known here."""
    try:
        await request.perform(ReadMount(path=MOUNTS.joined(path)))
    except SecretNotFound:
        return NOT_FOUND
    return envelope(request.id, encode(kv_shapes.NO_SETTINGS))


_CLI_VERBS: Mapping[str, str] = {
    "read": "get",
    "head": "get",
    "list": "list",
    "write": "put",
    "delete": "delete",
    "patch": "patch",
}
_KINDS: Mapping[str, Mapping[str, KvHandler]] = {
    "data": {"read": _read, "write": _write, "delete": _delete_current},
    "metadata": {"read": _describe, "list": _list, "write": _annotate, "delete": _destroy_all},
    "delete": {"write": _delete},
    "undelete": {"write": _undelete},
    "destroy": {"write": _destroy},
    "config": {"read": _config},
}


def unknown_route(request: Request) -> Answer:
    """How Vault says that nothing is mounted at a path."""
    slash = "/" if request.folder and request.path else ""
    return refusal(404, f'no handler for route "{request.path or ""}{slash}". route entry not found.')


async def unmounted(request: Request, path: Path) -> Answer:
    """Send a path without a mount down the road, so that only who may read there learns that nothing is there."""
    operation = ListSecrets(path=path) if request.verb == "list" else ReadSecret(path=path)
    try:
        await request.perform(operation)
    except SecretNotFound:
        return unknown_route(request)
    # A mount came to be there in the meantime: the next request will find it.
    return NOT_FOUND
