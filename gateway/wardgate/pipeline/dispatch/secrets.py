"""How each operation on a secret becomes calls of a backend, after its capabilities were asked."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from wardgate.pipeline.dispatch import patching, scanning
from wardgate.pipeline.dispatch.added import PATCH, RECURSIVE_LIST
from wardgate.pipeline.dispatch.versions import Versions
from wardgate.spi import strict_json
from wardgate.spi.backend import Backend
from wardgate.spi.errors import (
    Conflict,
    Gone,
    InvalidValue,
    Malformed,
    OutcomeUnknown,
    SecretNotFound,
    TooLarge,
    Unsupported,
    VersionNotFound,
    WardgateError,
)
from wardgate.spi.operations import secrets
from wardgate.spi.operations.base import Operation
from wardgate.spi.path import ROOT, Path
from wardgate.spi.services import Clock
from wardgate.spi.values import (
    CURRENT,
    JSON,
    PREVIOUS,
    Page,
    SecretInfo,
    SecretVersion,
    Value,
    VersionInfo,
    VersionState,
)

SecretHandler = Callable[[Any, Backend, Versions], Coroutine[Any, Any, Any]]

_REFUSALS = {
    "write": "be written to",
    "compare_and_set": "compare and set",
    "list": "list names",
    "describe": "describe a secret",
    "labels": "keep labels",
    "settings": "keep settings for a secret",
    "mount_settings": "keep settings for all of its secrets",
    "versions": "read older versions",
    "delete": "delete",
    "delete_versions": "delete single versions",
    "undelete": "undelete",
    "destroy": "destroy",
    "destroy_versions": "destroy single versions",
    "stages": "move a stage",
    "move_current": "move current or previous",
}


def _require(backend: Backend, *capabilities: str) -> None:
    for capability in capabilities:
        if not getattr(backend.capabilities, capability):
            why = backend.notes.get(capability, "")
            raise Unsupported(f"this store cannot {_REFUSALS[capability]}" + (f": {why}" if why else ""))


def _secret(backend: Backend, versions: Versions) -> Path:
    """The path within the mount, checked to name a secret that the store could hold."""
    path = versions.path
    if not path.segments:
        raise Malformed("the path ends at the mount; name a secret below it")
    if len(str(path).encode()) > backend.capabilities.max_path_bytes:
        raise TooLarge(f"the path is longer than the {backend.capabilities.max_path_bytes} bytes this store can hold")
    return path


def _sized(value: Value, backend: Backend) -> None:
    limits, size = backend.capabilities, len(value.data)
    most = limits.max_value_bytes
    if size > most and limits.max_text_bytes > most and value.text() is not None:
        most = limits.max_text_bytes
    if size > most:
        raise TooLarge(f"the value is longer than the {most} bytes this store can hold")
    if size < limits.min_value_bytes:
        raise InvalidValue("this store cannot hold an empty value")


async def _read(operation: secrets.ReadSecret, backend: Backend, versions: Versions) -> SecretVersion:
    path = _secret(backend, versions)
    wanted = None
    if operation.version is not None:
        _require(backend, "versions")
        wanted = await versions.id_of(operation.version)
    try:
        found = await backend.read(path, version=wanted)
    except Gone as gone:
        if gone.info is not None:
            raise Gone(gone.message, info=await versions.numbered(gone.info)) from None
        raise
    if found.info.ordinal and versions.embedded:
        return found  # at once: it is numbered, its time tells it apart, and of these there are most
    return dataclasses.replace(found, info=await versions.numbered(found.info, found.value))


async def _write(operation: secrets.WriteSecret, backend: Backend, versions: Versions) -> VersionInfo:
    path = _secret(backend, versions)
    _require(backend, "write")
    if operation.expect is not None:
        _require(backend, "compare_and_set")
    _sized(operation.value, backend)
    if operation.value.media_type == JSON:
        # Whoever reads it later may trust the media type and not look again.
        strict_json.loads(operation.value.data)
    await _confirm(operation.expect, backend, versions)
    written = await backend.write(path, operation.value, expect=await versions.expected(operation.expect))
    try:
        return await versions.numbered(written, operation.value)
    except WardgateError as error:
        # Whoever is told that nothing was done writes once more.
        raise OutcomeUnknown(f"the store took the value, but not its number: {error.message}") from None


async def _confirm(expect: object, backend: Backend, versions: Versions) -> None:
    """Look whether the version of that number still has the value that was meant, before the store compares numbers.

    Raises:
        Conflict: it has not.
    """
    if not isinstance(expect, secrets.VersionId) or expect.mark is None:
        return
    try:
        if await versions.is_it(expect, await backend.read(versions.path)):
            return
    except (SecretNotFound, Gone):
        pass
    raise Conflict("the current version is not the expected one; read it and try again")


async def _patch(operation: secrets.PatchSecret, backend: Backend, versions: Versions) -> VersionInfo:
    _secret(backend, versions)
    _require(backend, *PATCH.needs)
    return await patching.patch(operation, backend, versions, _write)


async def _scan(
    operation: secrets.ScanSecrets, backend: Backend, versions: Versions, *, clock: Callable[[], float]
) -> Page:
    _require(backend, *RECURSIVE_LIST.needs)
    return await scanning.scan(operation, backend, versions, clock=clock)


async def _list(operation: secrets.ListSecrets, backend: Backend, versions: Versions) -> Page:
    _require(backend, "list")
    if operation.limit < 1:
        raise Malformed("the limit of a page must be at least 1")
    limit = min(operation.limit, backend.capabilities.page_size)
    return await backend.list(versions.path, cursor=operation.cursor, limit=limit)


async def _describe(_: secrets.DescribeSecret, backend: Backend, versions: Versions) -> SecretInfo:
    if not versions.path.segments:
        _require(backend, "mount_settings")
        return await backend.describe(ROOT)
    path = _secret(backend, versions)
    _require(backend, "describe")
    info = await backend.describe(path)
    if backend.capabilities.ordinals:
        return info
    numbered = [await versions.numbered(version) for version in info.versions]
    current = None if info.current is None else await versions.numbered(info.current)
    return dataclasses.replace(info, current=current, versions=tuple(numbered))


async def _annotate(operation: secrets.AnnotateSecret, backend: Backend, versions: Versions) -> None:
    if not versions.path.segments:
        _require(backend, "mount_settings")
        if operation.labels is not None or operation.merge:
            raise Malformed("a mount has settings and no labels; name a secret below it")
        if operation.settings is not None:
            await backend.annotate(ROOT, settings=operation.settings)
        return
    path = _secret(backend, versions)
    if operation.labels is not None:
        _require(backend, "labels")
        if not operation.merge and None in operation.labels.values():
            raise InvalidValue("a label is text; only a merge can take one away")
    if operation.settings is not None:
        _require(backend, "settings")
    if operation.labels is None and operation.settings is None:
        return  # nothing is to be changed, and so nothing made
    await backend.annotate(path, labels=operation.labels, settings=operation.settings, merge=operation.merge)


async def _delete(operation: secrets.DeleteSecret, backend: Backend, versions: Versions) -> None:
    path = _secret(backend, versions)
    _require(backend, "delete")
    if operation.expect is not None:
        _require(backend, "describe", "delete_versions")
        await _confirm(operation.expect, backend, versions)
        await _delete_expected(operation.expect.id, backend, path)
        return
    if not operation.versions:
        await backend.delete(path)
        return
    _require(backend, "delete_versions")
    selected = await versions.ids_of(operation.versions)
    if selected:
        await backend.delete(path, versions=selected)


async def _delete_expected(version: str, backend: Backend, path: Path) -> None:
    """Delete that version if it is the current one. Named, so that what is written meanwhile stays."""
    _require(backend, "describe", "delete_versions")
    try:
        current = (await backend.describe(path)).current
    except SecretNotFound:
        current = None
    if current is None or current.id != version or current.state is not VersionState.LIVE:
        raise Conflict("the current version is not the expected one; nothing was deleted")
    await backend.delete(path, versions=(version,))


async def _undelete(operation: secrets.UndeleteSecret, backend: Backend, versions: Versions) -> None:
    path = _secret(backend, versions)
    _require(backend, "undelete")
    selected = await versions.ids_of(operation.versions)
    if selected:
        await backend.undelete(path, versions=selected)


async def _destroy(operation: secrets.DestroySecret, backend: Backend, versions: Versions) -> None:
    path = _secret(backend, versions)
    _require(backend, "destroy")
    if not operation.versions:
        await backend.destroy(path)
        return
    _require(backend, "destroy_versions")
    selected = await versions.ids_of(operation.versions)
    if selected:
        await backend.destroy(path, versions=selected)


async def _move_stage(operation: secrets.MoveStage, backend: Backend, versions: Versions) -> None:
    path = _secret(backend, versions)
    _require(backend, "stages")
    if operation.stage in {CURRENT, PREVIOUS}:
        _require(backend, "move_current")
    version = None if operation.version is None else await versions.id_of(operation.version)
    await backend.move_stage(path, operation.stage, version=version)


def secret_handlers(clock: Clock) -> Mapping[type[Operation[Any]], SecretHandler]:
    """The handler of each operation on a secret. ``clock``: for how long a scan may take."""
    return {**_HANDLERS, secrets.ScanSecrets: partial(_scan, clock=clock.monotonic)}


def _idempotent(change: SecretHandler, *already: type[Exception]) -> SecretHandler:
    """The same change, done where there is nothing to change: stores differ in what they say of it.

    ``already``: what says so. One version of several that never was may have kept a store from the others; it is told.
    """

    async def done(operation: Any, backend: Backend, versions: Versions) -> None:
        try:
            await change(operation, backend, versions)
        except already:
            return
        except VersionNotFound:
            if len(operation.versions) > 1:
                raise

    return done


_HANDLERS: Mapping[type[Operation[Any]], SecretHandler] = {
    secrets.ReadSecret: _read,
    secrets.WriteSecret: _write,
    secrets.PatchSecret: _patch,
    secrets.ListSecrets: _list,
    secrets.DescribeSecret: _describe,
    secrets.AnnotateSecret: _annotate,
    secrets.DeleteSecret: _idempotent(_delete, SecretNotFound, Gone),
    secrets.UndeleteSecret: _idempotent(_undelete, SecretNotFound, Gone),
    secrets.DestroySecret: _idempotent(_destroy, SecretNotFound),  # what is gone may still be recovered
    secrets.MoveStage: _move_stage,
}
