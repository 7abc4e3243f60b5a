"""Between the gateway and a plugin's backend: whatever it raises or answers, one error of the closed list comes of it.

A plugin is trusted not to steal, and not to be without faults. What it raises may quote a store, and so a value: only
its kind and its place are logged, and nothing of it is told.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

from wardgate.mounts import promises
from wardgate.mounts.promises import Broken
from wardgate.spi.backend import Backend, Health, Permission
from wardgate.spi.errors import (
    CLOSED_LIST,
    Gone,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    Unauthenticated,
    Unavailable,
    WardgateError,
    place_of,
)
from wardgate.spi.path import Path
from wardgate.spi.values import Expect, Page, SecretInfo, SecretSettings, SecretVersion, Value, VersionInfo

FAILED = "the plugin of this store failed; the gateway's log names the place"
MAX_WAIT = 86_400.0
"""Seconds that a caller may be told to wait; a store's longer wait is this one."""
MAX_MESSAGE = 1_000
"""Characters of a plugin's own sentence; a longer one is none, and may be a store's."""
T = TypeVar("T")
_log = logging.getLogger(__name__)


def opened(name: str, opening: Callable[[], Backend]) -> Guarded:
    """The backend that ``opening`` returns, guarded. ``name``: what messages call its mount.

    Raises:
        WardgateError: one of the closed list, in words that hold nothing of the plugin's exception.
    """
    try:
        return Guarded(name, promises.backend(opening()))
    except KeyboardInterrupt:
        raise
    except BaseException as raised:  # noqa: BLE001  # a plugin's SystemExit must not end the gateway either
        error = _told(name, raised, mutates=False, ordinals=False)
    raise error


class Guarded(Backend):
    """The backend of a plugin, held to what :class:`Backend` promises."""

    def __init__(self, name: str, backend: Backend) -> None:
        """Guard ``backend``. Raises Broken when what it declares is no declaration."""
        self.capabilities = promises.capabilities(backend.capabilities)
        self.notes = MappingProxyType(dict(promises.texts(backend.notes)))
        self._name = name
        self._backend = backend
        self._ordinals = self.capabilities.ordinals

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        """See Backend."""
        return await self._read(
            lambda: self._backend.read(path, version=version), lambda found: promises.secret(found, self._ordinals)
        )

    async def write(self, path: Path, value: Value, *, expect: Expect | None = None) -> VersionInfo:
        """See Backend."""
        return await self._change(
            lambda: self._backend.write(path, value, expect=expect),
            lambda info: promises.version(info, self._ordinals),
        )

    async def list(self, folder: Path, *, cursor: str | None = None, limit: int = 1_000) -> Page:
        """See Backend."""
        return await self._read(
            lambda: self._backend.list(folder, cursor=cursor, limit=limit), lambda page: promises.page(page, limit)
        )

    async def describe(self, path: Path) -> SecretInfo:
        """See Backend."""
        return await self._read(
            lambda: self._backend.describe(path), lambda info: promises.description(info, self._ordinals)
        )

    async def annotate(
        self,
        path: Path,
        *,
        labels: Mapping[str, str | None] | None = None,
        settings: SecretSettings | None = None,
        merge: bool = False,
    ) -> None:
        """See Backend."""
        await self._change(
            lambda: self._backend.annotate(path, labels=labels, settings=settings, merge=merge), _nothing
        )

    async def delete(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        """See Backend."""
        await self._change(lambda: self._backend.delete(path, versions=versions), _nothing)

    async def undelete(self, path: Path, *, versions: Sequence[str]) -> None:
        """See Backend."""
        await self._change(lambda: self._backend.undelete(path, versions=versions), _nothing)

    async def destroy(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        """See Backend."""
        await self._change(lambda: self._backend.destroy(path, versions=versions), _nothing)

    async def move_stage(self, path: Path, stage: str, *, version: str | None) -> None:
        """See Backend."""
        await self._change(lambda: self._backend.move_stage(path, stage, version=version), _nothing)

    async def health(self) -> Health:
        """See Backend."""
        try:
            return await self._read(self._backend.health, promises.health)
        except WardgateError as error:
            return Health(ok=False, detail=error.message or FAILED)

    async def probe(self) -> Sequence[Permission]:
        """See Backend."""
        return await self._read(self._backend.probe, promises.permissions)

    async def close(self) -> None:
        """See Backend. Never raises: what cannot be closed is logged and left."""
        try:
            await self._read(self._backend.close, _nothing)
        except WardgateError as error:
            if error.message != FAILED:  # that one is logged already
                told = {"event": "mount_not_closed"}
                _log.warning("%s could not be closed: %s", self._name, error.code, extra=told)

    async def _read(self, ask: Callable[[], Awaitable[Any]], promise: Callable[[Any], T]) -> T:
        return await self._asked(ask, promise, mutates=False)

    async def _change(self, ask: Callable[[], Awaitable[Any]], promise: Callable[[Any], T]) -> T:
        return await self._asked(ask, promise, mutates=True)

    async def _asked(self, ask: Callable[[], Awaitable[Any]], promise: Callable[[Any], T], *, mutates: bool) -> T:
        task = asyncio.current_task()
        try:
            return promise(await ask())
        except BaseException as raised:
            if _is_ours(raised, task):
                raise
            error = _told(self._name, raised, mutates=mutates, ordinals=self._ordinals)
        # Outside of the handler, so that the plugin's exception and its text go no further with it.
        raise error


def _nothing(_: object) -> None:
    """What a change answers is not looked at."""


def _is_ours(raised: BaseException, task: asyncio.Task[Any] | None) -> bool:
    """Whether it came from outside of the plugin: an end of the process, of the request, or of the event loop."""
    if isinstance(raised, KeyboardInterrupt):
        return True
    if isinstance(raised, asyncio.CancelledError):
        return task is None or task.cancelling() > 0
    if isinstance(raised, GeneratorExit):
        return task is None or asyncio.current_task() is not task  # its coroutine is thrown away
    return False


def _told(name: str, raised: BaseException, *, mutates: bool, ordinals: bool) -> WardgateError:
    """The error of the closed list that it is, or stands for."""
    if type(raised) in CLOSED_LIST and isinstance(raised, WardgateError) and _is_a_sentence(raised.message):
        return _cleaned(raised, mutates=mutates, ordinals=ordinals)
    kind = type(raised).__name__[:100]
    _log.error("the plugin of %s failed with %s at %s", name, kind, place_of(raised), extra={"event": "plugin_failed"})
    return OutcomeUnknown(f"{FAILED}; read before you repeat it") if mutates else Unavailable(FAILED)


def _is_a_sentence(message: object) -> bool:
    return isinstance(message, str) and len(message) <= MAX_MESSAGE and message.isprintable()


def _cleaned(error: WardgateError, *, mutates: bool, ordinals: bool) -> WardgateError:
    """The same without what caused it, which holds the store's words, and in the gateway's sense."""
    if isinstance(error, Unauthenticated):
        # The gateway's own credential, not the caller's.
        return PermissionDenied(error.message or "the store does not accept the gateway's own credential")
    if isinstance(error, OutcomeUnknown) and not mutates:
        return Unavailable(error.message)
    if isinstance(error, RateLimited):
        return RateLimited(error.message, retry_after=_seconds(error.retry_after))
    if isinstance(error, Unavailable):
        return Unavailable(error.message, answered=error.answered is True)
    if isinstance(error, Gone):
        return Gone(error.message, info=_known(error.info, ordinals=ordinals))
    return type(error)(error.message)


def _seconds(given: object) -> float | None:
    if isinstance(given, int | float) and 0 <= given < math.inf:
        return float(min(given, MAX_WAIT))
    return None


def _known(info: object, *, ordinals: bool) -> VersionInfo | None:
    try:
        return None if info is None else promises.version(info, ordinals)
    except Broken:
        return None
