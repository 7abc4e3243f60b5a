"""What this distribution offers: Google Secret Manager as a store."""

from __future__ import annotations

from collections.abc import Sequence

from wardgate.spi.hookspecs import BackendType, hookimpl
from wardgate.spi.services import Services

from wardgate_gcp.backend import GoogleBackend
from wardgate_gcp.declaration import DECLARATION
from wardgate_gcp.options import Options, check


def open_google(options: Options, services: Services) -> GoogleBackend:
    """Open the secrets of a project. Raises InvalidValue for options that cannot work."""
    check(options)
    from wardgate_gcp.client import Client  # noqa: PLC0415  # gRPC takes a second to import: only such a mount pays it

    return GoogleBackend(options, services.clock, Client(options))


BACKEND = BackendType(
    name="google-secret-manager",
    help="Google Secret Manager, global or regional",
    open=open_google,
    options=Options,
    declarations=(DECLARATION,),
    status="beta",  # run against an emulator only
)


@hookimpl
def backend_type() -> Sequence[BackendType]:
    """The one kind of store."""
    return [BACKEND]
