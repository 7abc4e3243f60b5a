"""What this distribution offers: Google Secret Manager as a store."""

from __future__ import annotations

from collections.abc import Sequence

from wardgate.spi.hookspecs import BackendType, hookimpl

from wardgate_gcp.backend import BACKEND


@hookimpl
def backend_type() -> Sequence[BackendType]:
    """The one kind of store."""
    return [BACKEND]
