"""A Vault client talks to us: the HTTP API of Vault and OpenBao under ``/v1/``, over any backend."""

from __future__ import annotations

from wardgate.spi.frontend import Claims, Gateway
from wardgate.spi.hookspecs import FrontendType, NoOptions

from wardgate_vault.api.router import VaultFrontend
from wardgate_vault.presentation import FIRST, PRESENTATION, SHOWN_AS


def _open(_: NoOptions, gateway: Gateway) -> VaultFrontend:
    return VaultFrontend(gateway)


FRONTEND = FrontendType(
    name="vault",
    help="the HTTP API of Vault and OpenBao: KV, tokens, AppRole, mounts, health",
    claims=Claims(path_prefixes=("/v1/",)),
    open=_open,
    presentations={PRESENTATION: (FIRST, SHOWN_AS)},
)
