"""What this distribution offers: Vault's HTTP API in front, Vault's and OpenBao's servers behind."""

from __future__ import annotations

from collections.abc import Sequence

from wardgate.spi.hookspecs import BackendType, FrontendType, hookimpl

from wardgate_vault.api import FRONTEND
from wardgate_vault.backend import BACKEND


@hookimpl
def frontend_type() -> Sequence[FrontendType]:
    """The wire API that Vault's clients speak."""
    return [FRONTEND]


@hookimpl
def backend_type() -> Sequence[BackendType]:
    """The stores that a Vault or OpenBao server keeps."""
    return [BACKEND]
