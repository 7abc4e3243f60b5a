"""How tests open a backend over the STAND-IN: with a credential that knows its one token."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

from azure.core.credentials import AccessTokenInfo
from tests.servers.key_vault import TOKEN, KeyVaultServer
from wardgate.spi.errors import WardgateError
from wardgate_azure.backend import KeyVaultBackend
from wardgate_azure.options import Options
from wardgate_azure.plugin import open_with

CLOCK = cast("Any", SimpleNamespace(now=time.time_ns, monotonic=time.monotonic))
Use = Callable[[KeyVaultBackend], Awaitable[object]]


class Credential:
    """Knows one token."""

    def __init__(self, token: str = TOKEN) -> None:
        self.token = token

    async def get_token_info(self, *_scopes: str, **_named: Any) -> AccessTokenInfo:
        """The token, for an hour."""
        return AccessTokenInfo(self.token, int(time.time()) + 3_600)

    async def close(self) -> None:
        """Nothing is open."""


def opened(server: KeyVaultServer, *, token: str = TOKEN, **options: Any) -> KeyVaultBackend:
    """A backend over the stand-in that does not repeat itself."""
    given = {"retries": 0, "vault_url": server.url, "ca_file": str(server.ca_file), **options}
    return open_with(Options(**given), CLOCK, Credential(token))


def use(server: KeyVaultServer, work: Use, **options: Any) -> object:
    """What ``work`` answers, or the error it raises, on a loop and a backend of its own."""

    async def used() -> object:
        backend = opened(server, **options)
        try:
            return await work(backend)
        except WardgateError as error:
            return error
        finally:
            await backend.close()

    return asyncio.run(used())
