"""What this distribution offers: Vault's HTTP API in front, Vault's and OpenBao's servers behind."""

from __future__ import annotations

from collections.abc import Sequence

from wardgate.spi.hookspecs import BackendType, FrontendType, hookimpl
from wardgate.spi.services import Services

from wardgate_vault.api import FRONTEND
from wardgate_vault.backend import VaultBackend
from wardgate_vault.backend_v1 import KvOneBackend
from wardgate_vault.declaration import KV_ONE, KV_TWO
from wardgate_vault.engine import Engine
from wardgate_vault.options import Options, check


def open_vault(options: Options, services: Services) -> Engine:
    """Open a KV engine of a server. Raises InvalidValue for options that cannot work."""
    check(options)
    from wardgate_vault.client import Client  # noqa: PLC0415  # hvac takes half a second: only such a mount pays it

    client = Client(options, services.clock)
    if options.kv_version == KvOneBackend.kv_version:
        return KvOneBackend(options, services, client)
    return VaultBackend(options, services.clock, client)


BACKEND = BackendType(
    name="vault",
    help="KV, version 1 or 2, of a HashiCorp Vault or OpenBao server",
    open=open_vault,
    options=Options,
    declarations=(KV_TWO, KV_ONE),
)


@hookimpl
def frontend_type() -> Sequence[FrontendType]:
    """The wire API that Vault's clients speak."""
    return [FRONTEND]


@hookimpl
def backend_type() -> Sequence[BackendType]:
    """The stores that a Vault or OpenBao server keeps."""
    return [BACKEND]
