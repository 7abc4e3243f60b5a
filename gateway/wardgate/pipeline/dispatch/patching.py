"""Merging into a JSON object that is there: read, merge, and write only if nobody wrote in between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final
from weakref import WeakValueDictionary

import msgspec

from wardgate.pipeline.dispatch.versions import Versions
from wardgate.spi import strict_json
from wardgate.spi.backend import Backend
from wardgate.spi.errors import Conflict, Gone, InvalidValue, PermissionDenied, PreconditionRequired
from wardgate.spi.operations.secrets import Ordinal, PatchSecret, VersionId, WriteSecret
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import JSON, Expect, SecretVersion, Value, VersionInfo

ATTEMPTS: Final = 16
"""Times a merge is made anew because another writer was faster."""

Writer = Callable[[WriteSecret, Backend, Versions], Awaitable[VersionInfo]]

_turns: WeakValueDictionary[tuple[int, Path], asyncio.Lock] = WeakValueDictionary()
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODER: Final = msgspec.json.Encoder()


async def patch(operation: PatchSecret, backend: Backend, versions: Versions, write: Writer) -> VersionInfo:
    """Merge into the current version and store the result with ``write``, as a compare-and-set.

    Raises:
        SecretNotFound, Gone: there is no current version to merge into.
        InvalidValue: the patch, or what is there, is no JSON object.
        Conflict: the current version is not the expected one; or others kept writing.
        PreconditionRequired: the secret accepts only changes that say what they replace.
    """
    _check(operation.patch)
    expected = await versions.expected(operation.expect)
    if expected is None:
        await _require_no_expectation(backend, versions)
    # Those of one process take turns, so that many at once need not all fail but one, again and again.
    async with _turns.setdefault((id(backend), versions.path), asyncio.Lock()):
        return await _merge(operation, backend, versions, write, expected)


async def _merge(
    operation: PatchSecret, backend: Backend, versions: Versions, write: Writer, expected: Expect | None
) -> VersionInfo:
    for _ in range(ATTEMPTS):
        found = await _current(operation.expect, backend, versions, expected)
        if found.value.fields() is None:
            raise InvalidValue("what is there is no JSON object, so nothing can be merged into it")
        value = Value(merged(found.value.data, operation.patch.data), JSON)
        changed = WriteSecret(path=operation.path, value=value, expect=VersionId(found.info.id))
        try:
            return await write(changed, backend, versions)
        except Conflict:
            if expected is not None:
                raise
    raise Conflict("others kept writing this secret meanwhile; nothing was changed; try again")


async def _current(
    meant: Ordinal | VersionId | None, backend: Backend, versions: Versions, expected: Expect | None
) -> SecretVersion:
    conflict = Conflict("the current version is not the one expected; read it and try again")
    try:
        found = await backend.read(versions.path)
    except Gone as gone:
        if expected is not None and gone.info is not None and expected.version != gone.info.id:
            raise conflict from None
        if gone.info is not None:
            raise Gone(gone.message, info=await versions.numbered(gone.info)) from None
        raise
    if expected is not None and expected.version != found.info.id:
        raise conflict
    if isinstance(meant, VersionId) and not await versions.is_it(meant, found):
        raise conflict
    return found


def _check(given: Value) -> None:
    decoded = strict_json.loads(given.data)
    if not isinstance(decoded, dict):
        raise InvalidValue("a patch is a JSON object")


async def _require_no_expectation(backend: Backend, versions: Versions) -> None:
    """A secret that demands to be told what is replaced demands it of a merge too, though this one loses nothing."""
    capabilities = backend.capabilities
    if not (capabilities.settings and capabilities.describe):
        return
    try:
        required = (await backend.describe(versions.path)).settings.compare_and_set_required
        if not required and capabilities.mount_settings:
            required = (await backend.describe(ROOT)).settings.compare_and_set_required
    except PermissionDenied:
        return  # a credential that may not look; the store itself still judges the write
    if required:
        raise PreconditionRequired("this secret accepts a change only with the version it expects to replace")


def merged(target: bytes, patch: bytes) -> bytes:
    """JSON text of ``target`` after the merge patch ``patch`` (RFC 7396), both read strictly before.

    What is not touched keeps its own text: a number is never rounded or written otherwise.
    """
    target, patch = target.strip(), patch.strip()
    if not patch.startswith(b"{"):
        return patch
    members = _MEMBERS.decode(target) if target.startswith(b"{") else {}
    for name, change in _MEMBERS.decode(patch).items():
        text = bytes(change)
        if text.strip() == b"null":
            members.pop(name, None)
        else:
            members[name] = msgspec.Raw(merged(bytes(members.get(name, b"")), text))
    return _ENCODER.encode(members)
