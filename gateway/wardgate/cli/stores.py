"""Asks the store of every mount, for ``wardgate doctor``."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wardgate.cli import founding
from wardgate.clock import SystemClock
from wardgate.mounts import probe
from wardgate.mounts.opener import Opener
from wardgate.mounts.walk import walk
from wardgate.registry import Registry
from wardgate.spi.errors import PermissionDenied, SecretNotFound, Unavailable, WardgateError

if TYPE_CHECKING:
    from collections.abc import Collection

    from wardgate.config import Config
    from wardgate.spi.backend import Backend
    from wardgate.state import State
    from wardgate.state.mounts import MountRow

PATIENCE = 15.0
"""Seconds that one store may take to answer; as many as a new mount's."""
AT_ONCE = 16
SAMPLE = 100
"""Names, from the first on, that are looked at in an embedded store."""
CREDENTIAL = (
    "give the mount a credential that is good; one that the gateway finds in its environment is to be in doctor's"
)


@dataclass(frozen=True)
class Store:
    """What is found of one mount; ``cure`` says what to do when it is not ``ok``."""

    name: str
    ok: bool
    detail: str
    cure: str = ""


async def examine(config: Config) -> list[Store]:
    """Every mount of every namespace, by namespace and prefix.

    Raises:
        WardgateError: the state or a plugin cannot be opened.
    """
    registry = Registry.load(config.plugins)
    state = founding.reopen(config.data, config.key_file)
    try:
        opener = Opener(registry.backend_types, state, SystemClock(), registry.plugins)
        turns = asyncio.Semaphore(AT_ONCE)
        places = sorted((str(state.namespaces.info(one).path), one) for one in state.namespaces.ids())
        rows = [(row, _name(state, namespace, row)) for _, namespace in places for row in state.mounts.of(namespace)]
        # All are opened before the first is asked: loading a vendor's library takes a while, and is nobody's delay.
        opened = [(_opened(opener, row, name, registry.plugins), row, name) for row, name in rows]
        looks = [_look(found, row, name, turns, embedded=opener.embedded(row.type)) for found, row, name in opened]
        return list(await asyncio.gather(*looks))
    finally:
        await state.close()


def _opened(opener: Opener, row: MountRow, name: str, loaded: Collection[str]) -> Backend | Store:
    """The backend of a mount, or why there is none."""
    if row.fault:
        cure = "remove it and add it again: `wardgate mount remove`, `wardgate mount add`"
        return Store(name, ok=False, detail=row.fault, cure=cure)
    if row.type not in opener.types:
        detail = f"no loaded plugin offers the backend {row.type!r}"
        return Store(name, ok=False, detail=detail, cure=_whose(row.type, loaded))
    try:
        return opener.of_row(row.namespace, row)
    except WardgateError as error:
        return _failed(row, name, error, embedded=opener.embedded(row.type))


async def _look(found: Backend | Store, row: MountRow, name: str, turns: asyncio.Semaphore, *, embedded: bool) -> Store:
    if isinstance(found, Store):
        return found
    async with turns:
        try:
            return await _asked(found, row, name, embedded=embedded)
        except WardgateError as error:
            return _failed(row, name, error, embedded=embedded)


def _failed(row: MountRow, name: str, error: WardgateError, *, embedded: bool) -> Store:
    cure = f"check that the store runs, and the mount's options: `wardgate mount show {row.prefix}`"
    if isinstance(error, PermissionDenied):
        cure = CREDENTIAL
    elif embedded and isinstance(error, Unavailable):
        cure = "a backup is restored into a new folder: `wardgate backup restore FILE --to FOLDER`"
    return Store(name, ok=False, detail=error.message or error.code, cure=cure)


async def _asked(backend: Backend, row: MountRow, name: str, *, embedded: bool) -> Store:
    try:
        permissions = await probe.ask(backend, seconds=PATIENCE)
        wrong = await _sampled(backend) if embedded else []
    finally:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await backend.close()
    if wrong:
        cure = (
            f"only the first {SAMPLE} names were looked at; a backup that is verified looks at all, with their values"
        )
        return Store(name, ok=False, detail=wrong[0] + (f"; and {len(wrong) - 1} more" if wrong[1:] else ""), cure=cure)
    lacking = probe.missing(permissions, backend.capabilities)
    if probe.missing(permissions, backend.capabilities, reading=True):
        detail = f"its credential lacks {probe.names(lacking)}{probe.doubt(permissions)}"
        return Store(name, ok=False, detail=detail, cure="grant these permissions to the mount's credential")
    if lacking:
        # It may have been mounted so on purpose.
        return Store(name, ok=True, detail=f"it can be read; its credential lacks {probe.names(lacking)}")
    return Store(name, ok=True, detail=f"its {row.type} store answers, and allows what it needs")


async def _sampled(backend: Backend) -> list[str]:
    """What of the first few secrets is refused; no value is opened."""
    wrong, left = [], SAMPLE
    async with contextlib.aclosing(walk(backend)) as paths:
        async for path in paths:
            try:
                await backend.describe(path)
            except Unavailable as error:
                wrong.append(f"{path}: {error.message}")
            except SecretNotFound:
                pass  # deleted at this moment
            left -= 1
            if not left:
                break
    return wrong


def _name(state: State, namespace: str, row: MountRow) -> str:
    path = str(state.namespaces.info(namespace).path)
    return f"mount {row.prefix}/ of namespace {path}" if path else f"mount {row.prefix}/"


def _whose(kind: str, loaded: Collection[str]) -> str:
    """Which plugin to name, or to install."""
    from wardgate.cli.plugins import offering  # noqa: PLC0415  # imports plugins: only where one is missing

    found = offering(kind)
    if found is None:
        return "install the plugin that offers it, and name it in the configuration's 'plugins'"
    named = ", ".join(f'"{name}"' for name in (*loaded, found[0]))
    return f"name the plugin {found[0]!r} in the configuration: plugins = [{named}], and start the gateway again"
