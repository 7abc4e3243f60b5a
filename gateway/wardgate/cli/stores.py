"""Asks the store of every mount, for ``wardgate doctor``."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wardgate import probing
from wardgate.cli import founding
from wardgate.clock import SystemClock
from wardgate.opening import Opening
from wardgate.registry import Registry
from wardgate.spi.errors import PermissionDenied, WardgateError

if TYPE_CHECKING:
    from collections.abc import Collection

    from wardgate.config import Config
    from wardgate.state import State
    from wardgate.state.mounts import MountRow

PATIENCE = 5.0
"""Seconds that one store may take to answer."""
AT_ONCE = 8


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
        opening = Opening(registry.backend_types, state, SystemClock(), registry.plugins)
        turns = asyncio.Semaphore(AT_ONCE)
        places = sorted((str(state.namespaces.info(one).path), one) for one in state.namespaces.ids())
        looks = [
            _look(opening, row, _name(state, namespace, row), registry.plugins, turns)
            for _, namespace in places
            for row in state.mounts.of(namespace)
        ]
        return list(await asyncio.gather(*looks))
    finally:
        await state.close()


async def _look(opening: Opening, row: MountRow, name: str, loaded: Collection[str], turns: asyncio.Semaphore) -> Store:
    async with turns:
        if row.fault:
            cure = "remove it and add it again: `wardgate mount remove`, `wardgate mount add`"
            return Store(name, ok=False, detail=row.fault, cure=cure)
        if row.type not in opening.types:
            detail = f"no loaded plugin offers the backend {row.type!r}"
            return Store(name, ok=False, detail=detail, cure=_whose(row.type, loaded))
        try:
            return await _asked(opening, row, name)
        except PermissionDenied as error:
            return Store(name, ok=False, detail=error.message, cure="give the mount a credential that is good")
        except WardgateError as error:
            cure = f"check that the store runs, and the mount's options: `wardgate mount show {row.prefix}`"
            return Store(name, ok=False, detail=error.message, cure=cure)
        except Exception as error:  # noqa: BLE001  # a plugin that breaks says nothing of the other mounts
            return Store(name, ok=False, detail=f"its plugin broke: {type(error).__name__}", cure="update the plugin")


async def _asked(opening: Opening, row: MountRow, name: str) -> Store:
    backend = opening.of_row(row.namespace, row)
    try:
        permissions = await probing.probe(backend, seconds=PATIENCE)
        lacking = probing.missing(permissions, backend.capabilities)
        for_reading = probing.missing(permissions, backend.capabilities, reading=True)
    finally:
        await backend.close()
    if for_reading:
        detail = f"the store does not give its credential: {probing.sentence(lacking)}"
        return Store(name, ok=False, detail=detail, cure="grant these permissions to the mount's credential")
    if lacking:
        # It may have been mounted so on purpose.
        return Store(name, ok=True, detail=f"it can be read; its credential lacks: {probing.sentence(lacking)}")
    return Store(name, ok=True, detail=f"its {row.type} store answers, and allows what it needs")


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
    return f"name the plugin {found[0]!r} in the configuration: plugins = [{named}]"
