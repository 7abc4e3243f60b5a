"""What this distribution offers: Azure Key Vault as a store."""

from __future__ import annotations

from collections.abc import Sequence

from wardgate.spi.hookspecs import BackendType, hookimpl

from wardgate_azure.backend import BACKEND


@hookimpl
def backend_type() -> Sequence[BackendType]:
    """The secrets of an Azure Key Vault."""
    return [BACKEND]
