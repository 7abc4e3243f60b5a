"""What this distribution offers: Azure Key Vault as a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wardgate.spi.hookspecs import BackendType, hookimpl
from wardgate.spi.services import Clock, Services

from wardgate_azure.backend import KeyVaultBackend
from wardgate_azure.client import Client
from wardgate_azure.declaration import DECLARATION
from wardgate_azure.options import Options, check


def open_with(options: Options, clock: Clock, credential: Any = None) -> KeyVaultBackend:
    """Open with a credential of azure-identity's shape. Raises InvalidValue for options that cannot work."""
    check(options)
    return KeyVaultBackend(Client(options, credential), clock)


def open_vault(options: Options, services: Services) -> KeyVaultBackend:
    """Open a vault with the credential that the options say."""
    return open_with(options, services.clock)


BACKEND = BackendType(
    name="azure-key-vault",
    help="the secrets of an Azure Key Vault",
    open=open_vault,
    options=Options,
    status="beta",  # run against a stand-in only
    declarations=(DECLARATION,),
)


@hookimpl
def backend_type() -> Sequence[BackendType]:
    """The secrets of an Azure Key Vault."""
    return [BACKEND]
