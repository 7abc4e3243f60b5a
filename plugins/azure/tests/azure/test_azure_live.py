"""The suite against Azure itself: ``WARDGATE_LIVE_AZURE=1``, the vault's URL in ``WARDGATE_LIVE_AZURE_VAULT``.

Credentials come from Azure's default chain. ``WARDGATE_LIVE_EMULATED=1`` beside it sends the run to the stand-in
instead, to see what it costs in calls.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, Self

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.core.pipeline.transport import AioHttpTransport
from azure.identity.aio import DefaultAzureCredential
from azure.keyvault.secrets.aio import SecretClient
from tests.servers.key_vault_client import CLOCK, Credential
from wardgate.spi.backend import Backend
from wardgate.spi.path import Path
from wardgate_azure.client import API_VERSION
from wardgate_azure.declaration import DECLARATION
from wardgate_azure.names import NAMES
from wardgate_azure.options import Options
from wardgate_azure.plugin import open_with
from wardgate_conformance.harness import Harness
from wardgate_conformance.live import Calls, LiveConformance, below


class VaultHarness(Harness):
    """A vault that is not emptied, reached with the SDK's own client."""

    def __init__(self, options: Options, credential: type[Any]) -> None:
        self._options = options
        self._credential = credential

    def open(self) -> Backend:
        return open_with(self._options, CLOCK, self._credential())

    async def put(self, path: Path, fields: Mapping[str, str]) -> None:
        async with self._credential() as credential, self._sdk(credential) as sdk:
            await sdk.set_secret(NAMES.name_of(path), json.dumps(fields))

    async def get(self, path: Path) -> Mapping[str, str] | None:
        async with self._credential() as credential, self._sdk(credential) as sdk:
            try:
                found = await sdk.get_secret(NAMES.name_of(path))
            except ResourceNotFoundError:
                return None
        fields: dict[str, str] = json.loads(found.value or "null")
        return fields

    def _sdk(self, credential: Any) -> SecretClient:
        return SecretClient(
            self._options.vault_url,
            credential,
            api_version=API_VERSION,
            verify_challenge_resource=self._options.verify_challenge_resource,
            connection_verify=self._options.ca_file or True,
        )


class Known(Credential):
    """The stand-in's, which is opened and closed as Azure's are."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class TestLiveKeyVault(LiveConformance):
    """In a vault, where each test has names of its own."""

    live = "WARDGATE_LIVE_AZURE"
    capabilities = below(DECLARATION.capabilities)
    notes = DECLARATION.notes

    @pytest.fixture
    def account(self, request: pytest.FixtureRequest, counted: None) -> VaultHarness:
        if os.environ.get("WARDGATE_LIVE_EMULATED") == "1":
            server = request.getfixturevalue("key_vault")
            return VaultHarness(Options(vault_url=server.url, ca_file=str(server.ca_file)), Known)
        return VaultHarness(Options(vault_url=os.environ["WARDGATE_LIVE_AZURE_VAULT"]), DefaultAzureCredential)

    @pytest.fixture(scope="class")
    @classmethod
    def counted(cls, calls: Calls) -> Iterator[None]:
        """Every request that leaves for a vault, repeated ones too; a login is not the vault's."""
        send = AioHttpTransport.send

        async def counting(transport: Any, request: Any, **named: Any) -> Any:
            if "/secrets" in request.url or "/deletedsecrets" in request.url:
                calls.add()
            return await send(transport, request, **named)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(AioHttpTransport, "send", counting)
            yield
