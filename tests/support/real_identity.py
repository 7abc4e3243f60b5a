"""The real tokens and AppRole, over a state of their own, for tests of front-ends whose other services are fakes."""

from __future__ import annotations

import asyncio
from pathlib import Path

from wardgate.clock import SystemClock
from wardgate.crypto import KeyFileSeal
from wardgate.pipeline.authenticate import Authenticate
from wardgate.pipeline.authorize import BUILT_IN
from wardgate.services.approle import AppRoleService
from wardgate.services.service import Handlers
from wardgate.services.tokens import TokensService
from wardgate.state import State
from wardgate.state.authenticator import TokenAuthenticator
from wardgate.state.lives import Life

TOKEN = "an-administrator's-token"


class RealIdentity:
    """Who may ask: an administrator with ``TOKEN``, and all that it makes. ``authenticate`` is the layer."""

    def __init__(self, folder: Path) -> None:
        clock = SystemClock()
        self._state = State.create(folder / "data", KeyFileSeal.create(folder / "key"), clock)
        asyncio.run(self._state.principals.issue("root", "administrator", ("administrator",), Life(), token=TOKEN))
        services = (
            TokensService(self._state, clock, built_in=BUILT_IN),
            AppRoleService(self._state, clock, built_in=BUILT_IN),
        )
        self.handlers: Handlers = {
            operation: handler for service in services for operation, handler in service.handlers.items()
        }
        self.authenticate = Authenticate([TokenAuthenticator(self._state.principals)], clock, self._state.epochs)

    def close(self) -> None:
        """Close its files."""
        asyncio.run(self._state.close())
