"""Where the tokens for a vault come from, and what a login that fails is called."""

from __future__ import annotations

import asyncio
from typing import Any

from wardgate.spi.errors import Unavailable

from wardgate_azure import errors
from wardgate_azure.options import Options

VAULTS = frozenset(
    f"https://{domain}"
    for domain in (
        "vault.azure.net",
        "vault.azure.cn",
        "vault.usgovcloudapi.net",
        "vault.microsoftazure.de",
        "managedhsm.azure.net",
        "managedhsm.azure.cn",
        "managedhsm.usgovcloudapi.net",
    )
)
"""The resources of Key Vault, in each of Azure's clouds."""


class Login:
    """A credential of azure-identity's shape, whose failures are the login's own.

    They say nothing of the vault, and whatever was to be sent there was not. ``given`` is for tests; without it the
    credential is what the options say, else the vendor's default chain.
    """

    def __init__(self, options: Options, given: Any = None) -> None:
        self._credential = given or _credential(options)
        self._timeout = options.timeout
        self._ambient = options.ambient

    async def get_token_info(self, *scopes: str, options: Any = None) -> Any:
        """A token, as the SDK asks for it.

        Raises:
            WardgateError: Unauthenticated or Unavailable.
        """
        # The vault names the resource: one of a stranger's would be given a token for anything else the gateway may do.
        if self._ambient and not all(scope.removesuffix("/.default").rstrip("/") in VAULTS for scope in scopes):
            raise Unavailable(errors.ANOTHER_RESOURCE)
        try:
            async with asyncio.timeout(self._timeout):
                return await self._credential.get_token_info(*scopes, options=options)
        except Exception as problem:  # noqa: BLE001  # whatever a foreign library raises, a caller sees the closed list
            failure = errors.of_login(problem)
        raise failure

    async def close(self) -> None:
        """Give back its connections."""
        await self._credential.close()


def _credential(options: Options) -> Any:
    from azure.identity.aio import (  # noqa: PLC0415  # slow to import
        ClientSecretCredential,
        DefaultAzureCredential,
        ManagedIdentityCredential,
    )

    if options.managed_identity:
        return ManagedIdentityCredential(client_id=options.client_id)
    if options.tenant_id and options.client_id and options.client_secret:
        return ClientSecretCredential(options.tenant_id, options.client_id, options.client_secret)
    return DefaultAzureCredential()
