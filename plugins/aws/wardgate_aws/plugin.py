"""What this distribution offers: the two stores of AWS that keep secrets."""

from __future__ import annotations

from collections.abc import Sequence

from wardgate.spi.hookspecs import BackendType, hookimpl

from wardgate_aws import backend, parameter_store


@hookimpl
def backend_type() -> Sequence[BackendType]:
    """Secrets Manager and Parameter Store."""
    return [backend.BACKEND, parameter_store.BACKEND]
