"""One application as a worker builds it: the road it composes, and whether every operation ends somewhere."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from wardgate import app
from wardgate.clock import SystemClock
from wardgate.config import AuditConfig, Config
from wardgate.crypto.seal import KeyFileSeal
from wardgate.pipeline import LAYERS, Handler, Layer, compose
from wardgate.pipeline.dispatch import Dispatch
from wardgate.server.epochs import LocalEpochs
from wardgate.server.facts import Worker
from wardgate.spi import operations
from wardgate.spi.operations.base import Batch, Operation, Rejected
from wardgate.state import State


@dataclass(frozen=True)
class Built:
    """An application, and what its road was composed of."""

    application: app.Application
    layers: tuple[Layer, ...]
    innermost: Handler


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Built]:
    """One over a new installation."""
    key_file, data = tmp_path / "root.key", tmp_path / "data"
    State.create(data, KeyFileSeal.create(key_file), SystemClock())
    composed: list[tuple[tuple[Layer, ...], Handler]] = []

    def recording(layers: Any, innermost: Handler) -> Handler:
        composed.append((tuple(layers), innermost))
        return compose(*composed[-1])

    monkeypatch.setattr(app, "compose", recording)
    config = Config(data=data, key_file=key_file, audit=AuditConfig(folder=tmp_path / "audit"))
    application = app.Application(config, Worker(0, "00000000-0000-0000-0000-000000000000", LocalEpochs()))
    ((layers, innermost),) = composed
    yield Built(application, layers, innermost)
    asyncio.run(application.drain())


def test_the_road_that_is_built_is_the_one_that_is_told(built: Built) -> None:
    """Above all no hit of the cache is answered before its own caller was allowed it."""
    road = (built.application._asgi, *built.layers, built.innermost)
    assert list(LAYERS) == [type(layer).__module__.split(".")[2] for layer in road]


def test_every_operation_ends_somewhere(built: Built) -> None:
    """At a service, or at the handler that asks a store; a batch in its items, and what was rejected in its error."""
    names = [f"{operations.__name__}.{module.name}" for module in pkgutil.iter_modules(operations.__path__)]
    found = [one for name in names for one in vars(importlib.import_module(name)).values() if isinstance(one, type)]
    declared = {one for one in found if issubclass(one, Operation)}
    by_rule = {one for one in declared if one is Operation or issubclass(one, Batch | Rejected)}
    assert isinstance(built.innermost, Dispatch)
    assert declared - by_rule == {*built.innermost._services, *built.innermost._handlers}
