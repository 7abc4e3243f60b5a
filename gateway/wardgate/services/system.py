"""The gateway's health and its seal: answered to anyone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wardgate.context import Context
from wardgate.services.service import Handlers
from wardgate.spi.errors import PermissionDenied
from wardgate.spi.operations.system import ReadHealth, ReadLeader, ReadMetrics, ReadSealStatus, Status
from wardgate.state import State
from wardgate.state.namespaces import ROOT_NAMESPACE

NAME = "wardgate"
SEAL = "key-file"


class SystemService:
    """Says who this gateway is and that it serves; one without its root key never comes this far."""

    def __init__(self, state: State, *, version: str, metrics: Callable[[], bytes]) -> None:
        self._metrics = metrics
        self._status = Status(
            initialized=True,
            sealed=False,
            version=version,
            cluster_id=state.installation,
            cluster_name=NAME,
            seal_type=SEAL,
        )
        self.handlers: Handlers = {
            ReadHealth: self.status,
            ReadSealStatus: self.status,
            ReadLeader: self.status,
            ReadMetrics: self.metrics,
        }

    async def status(self, _context: Context, _operation: Any) -> Status:
        """The state of this gateway."""
        return self._status

    async def metrics(self, context: Context, _operation: Any) -> bytes:
        """The metrics of this host, which tell of all namespaces; raises PermissionDenied in any but the root."""
        if context.namespace != ROOT_NAMESPACE:
            raise PermissionDenied("permission denied: metrics are the root namespace's")
        return self._metrics()
