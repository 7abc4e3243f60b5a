"""The suite over the stand-in for Azure Key Vault, reached behind the backend's back."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping

import pytest
from tests.servers.key_vault import KeyVaultServer
from tests.servers.key_vault_client import opened
from tests.servers.key_vault_store import Refused
from wardgate.spi.backend import Backend
from wardgate.spi.path import Path
from wardgate_azure.declaration import DECLARATION
from wardgate_azure.names import NAMES
from wardgate_azure.plugin import BACKEND
from wardgate_conformance.answering import PAGE
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

    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self._server.port

    def open_at(self, host: str, port: int) -> Backend:
        # One retry, as the first request on a connection that the fault has cut fails before it is sent.
        return opened(self._server, vault_url=f"https://{host}:{port}", timeout=1.0, retries=1)

    @contextlib.contextmanager
    def throttling(self, retry_after: int) -> Iterator[tuple[str, int]]:
        """The stand-in over TLS: the SDK sends no token to a plain server."""
        for method in ("GET", "PUT"):
            self._vault.refuse[method] = Refused(429, "Throttled", retry_after=str(retry_after))
        yield self.address()

    @contextlib.contextmanager
    def another_server(self) -> Iterator[tuple[str, int]]:
        """Over TLS too."""
        self._server.pages = dict.fromkeys(("GET", "PUT", "PATCH", "POST", "DELETE"), (200, PAGE))
        yield self.address()
        self._server.pages = {}

    @contextlib.contextmanager
    def refused(self) -> Iterator[Backend]:
        yield opened(self._server, token="nobody-s")


class TestAzureOverTheStandIn(BackendConformance):
    """Every case that its declaration selects."""

    kind = BACKEND
    capabilities = DECLARATION.capabilities
    notes = DECLARATION.notes
    networked = True
    throttles = True
    authenticates = True

    @pytest.fixture
    def harness(self, key_vault: KeyVaultServer) -> AzureHarness:
        return AzureHarness(key_vault)
