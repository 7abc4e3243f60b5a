"""Puts the services together: one table of handlers, by operation."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Mapping

from wardgate.mounts import Mount
from wardgate.services.approle import AppRoleService
from wardgate.services.keys import KeysService
from wardgate.services.labels import LabelsService
from wardgate.services.methods import MethodsService
from wardgate.services.mounts import MountsService
from wardgate.services.namespaces import NamespacesService
from wardgate.services.policies import PoliciesService, PolicyEngine
from wardgate.services.service import Handlers, Service
from wardgate.services.system import SystemService
from wardgate.services.tokens import TokensService
from wardgate.services.wrapping import WrappingService
from wardgate.spi.backend import Backend
from wardgate.spi.hookspecs import BackendType
from wardgate.spi.operations.policies import Policy
from wardgate.spi.services import Clock
from wardgate.state import State
from wardgate.state.mounts import MountRow


def build(
    state: State,
    *,
    engine: PolicyEngine,
    built_in: Mapping[str, Policy],
    types: Mapping[str, BackendType],
    open_backend: Callable[[str, MountRow], Backend],
    opened: Callable[[str], Iterable[Mount]],
    clock: Clock,
    version: str,
    namespace_backends: Container[str],
    presentations: Mapping[str, Collection[str]],
    elsewhere: Callable[[], str] = str,
    metrics: Callable[[], bytes] = bytes,
) -> Handlers:
    """Every handler there is.

    Args:
        state: what the gateway remembers.
        engine: answers about policies.
        built_in: the policies every namespace has, by name.
        types: the kinds of backends the loaded plugins offer, by name.
        open_backend: opens one for (namespace id, row); raises one of the closed list.
        opened: the mounts of a namespace as this worker has them open, for their faults.
        clock: for expiry.
        version: of this gateway.
        namespace_backends: backend types that namespaces below the root may mount, besides the embedded ones.
        presentations: how the loaded front-ends can show a mount.
        elsewhere: where a type that is not among them may be found, for the end of a message.
        metrics: of this host, in Prometheus's text format.
    """
    services: tuple[Service, ...] = (
        AppRoleService(state, clock, built_in=built_in),
        KeysService(state, built_in=built_in),
        LabelsService(state),
        MethodsService(state, clock, reaches=engine.reaches),
        MountsService(
            state,
            types=types,
            open_backend=open_backend,
            opened=opened,
            reaches=engine.reaches,
            namespace_backends=namespace_backends,
            presentations=presentations,
            elsewhere=elsewhere,
        ),
        NamespacesService(state),
        PoliciesService(state, engine, built_in=built_in),
        SystemService(state, version=version, metrics=metrics),
        TokensService(state, clock, built_in=built_in),
        WrappingService(state),
    )
    return {operation: handler for service in services for operation, handler in service.handlers.items()}
