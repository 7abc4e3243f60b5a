"""The suite over ``odd``, which holds every contract without holding anything of Vault's shape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path as FilePath

import pytest
from wardgate.spi.errors import SecretNotFound
from wardgate.spi.path import Path
from wardgate.spi.values import Value
from wardgate_conformance.harness import Harness
from wardgate_conformance.odd import BACKEND, OddBackend
from wardgate_conformance.suite import BackendConformance


class OddHarness(Harness):
    """Another handle on the same folder."""

    def __init__(self, folder: FilePath) -> None:
        self._folder = folder

    def open(self) -> OddBackend:
        return OddBackend(self._folder)

    async def put(self, path: Path, fields: Mapping[str, str]) -> None:
        await self.open().write(path, Value(json.dumps(fields).encode()))

    async def get(self, path: Path) -> Mapping[str, str] | None:
        try:
            fields: dict[str, str] = json.loads((await self.open().read(path)).value.data)
        except SecretNotFound:
            return None
        return fields


class TestOdd(BackendConformance):
    """Every case that its declaration selects."""

    kind = BACKEND
    capabilities = OddBackend.capabilities
    notes = OddBackend.notes

    @pytest.fixture
    def harness(self, tmp_path: FilePath) -> OddHarness:
        return OddHarness(tmp_path)
