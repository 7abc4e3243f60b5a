"""The conformance suite over the native store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest
from wardgate.spi.backend import Backend
from wardgate.spi.errors import Gone, SecretNotFound
from wardgate.spi.path import Path
from wardgate.spi.values import JSON, Value
from wardgate_conformance.harness import Harness
from wardgate_conformance.suite import BackendConformance
from wardgate_native.backend import NativeBackend
from wardgate_native.plugin import BACKEND

if TYPE_CHECKING:
    from tests.store.conftest import Bench


class NativeHarness(Harness):
    """Other stores on the same file; what is encrypted can be reached in no other way."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def open(self) -> Backend:
        return self._bench.store()

    async def put(self, path: Path, fields: Mapping[str, str]) -> None:
        await self.open().write(path, Value(json.dumps(fields).encode(), JSON))

    async def get(self, path: Path) -> Mapping[str, str] | None:
        try:
            fields: dict[str, str] = json.loads((await self.open().read(path)).value.data)
        except (SecretNotFound, Gone):
            return None
        return fields

    def pass_time(self, nanoseconds: int) -> None:
        self._bench.clock.time += nanoseconds


class TestNative(BackendConformance):
    """Every case that its declaration selects, which is nearly all."""

    kind = BACKEND
    capabilities = NativeBackend.capabilities
    notes = NativeBackend.notes
    passes_time = True

    @pytest.fixture
    def harness(self, bench: Bench) -> NativeHarness:
        return NativeHarness(bench)
