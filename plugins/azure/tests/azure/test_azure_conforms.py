"""The suite over the stand-in for Azure Key Vault, reached behind the backend's back."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from tests.servers.key_vault import KeyVaultServer
from tests.servers.key_vault_client import opened
from wardgate.spi.backend import Backend
from wardgate.spi.path import Path
from wardgate_azure.declaration import DECLARATION, NAMES
from wardgate_conformance.harness import Harness
from wardgate_conformance.suite import BackendConformance


class AzureHarness(Harness):
    """An empty vault."""

    def __init__(self, server: KeyVaultServer) -> None:
        self._server = server
        self._vault = server.empty()

    def open(self) -> Backend:
        return opened(self._server)

    async def put(self, path: Path, fields: Mapping[str, str]) -> None:
        self._vault.put(NAMES.name_of(path), json.dumps(fields))

    async def get(self, path: Path) -> Mapping[str, str] | None:
        bundle = self._vault.current(NAMES.name_of(path))
        if bundle is None:
            return None
        fields: dict[str, str] = json.loads(bundle["value"])
        return fields


class TestAzure(BackendConformance):
    """Every case that its declaration selects."""

    capabilities = DECLARATION.capabilities

    @pytest.fixture
    def harness(self, key_vault: KeyVaultServer) -> AzureHarness:
        return AzureHarness(key_vault)
