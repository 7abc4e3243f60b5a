"""What this plugin offers: the native encrypted store, and Wardgate's own REST API."""

from __future__ import annotations

from collections.abc import Sequence

from wardgate.spi.hookspecs import BackendType, FrontendType, hookimpl

from wardgate_native.api import FRONTEND
from wardgate_native.backend import open_native
from wardgate_native.declaration import DECLARATION
from wardgate_native.options import Options

BACKEND = BackendType(
    name="native",
    help="Wardgate's own encrypted store, in the data folder.",
    embedded=True,
    open=open_native,
    options=Options,
    declarations=(DECLARATION,),
)


@hookimpl
def backend_type() -> Sequence[BackendType]:
    """The native store."""
    return [BACKEND]


@hookimpl
def frontend_type() -> Sequence[FrontendType]:
    """The REST API."""
    return [FRONTEND]
