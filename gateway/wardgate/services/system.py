"""The gateway's health and its seal: answered to anyone."""

from __future__ import annotations

from typing import Any

from wardgate.context import Context
from wardgate.services.service import Handlers
from wardgate.spi.operations.system import ReadHealth, ReadLeader, ReadSealStatus, Status
from wardgate.state import State

NAME = "wardgate"
SEAL = "key-file"


class SystemService:
    """Says who this gateway is and that it serves; one without its root key never comes this far."""

    def __init__(self, state: State, *, version: str) -> None:
        self._status = Status(
            initialized=True,
            sealed=False,
            version=version,
            cluster_id=state.installation,
            cluster_name=NAME,
            seal_type=SEAL,
        )
        self.handlers: Handlers = {ReadHealth: self.status, ReadSealStatus: self.status, ReadLeader: self.status}

    async def status(self, _context: Context, _operation: Any) -> Status:
        """The state of this gateway."""
        return self._status
