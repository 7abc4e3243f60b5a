"""The real identity: policy, tokens, login methods and AppRole, for tests of front-ends; other services are fakes."""

from __future__ import annotations

import asyncio
from pathlib import Path

from wardgate.clock import SystemClock
from wardgate.crypto import KeyFileSeal
from wardgate.pipeline import Handler, compose
from wardgate.pipeline.authenticate import Authenticate
from wardgate.pipeline.authorize import BUILT_IN, Authorize, Engine
from wardgate.services.approle import AppRoleService
from wardgate.services.methods import MethodsService
from wardgate.services.service import Handlers, Service
from wardgate.services.tokens import TokensService
from wardgate.state import State
from wardgate.state.authenticator import TokenAuthenticator
from wardgate.state.lives import Life

TOKEN = "an-administrator's-token"


class RealIdentity:
    """Who may ask, over a state of its own: an administrator with ``TOKEN``, and all that it makes."""

    def __init__(self, folder: Path) -> None:
        clock = SystemClock()
        self._state = State.create(folder / "data", KeyFileSeal.create(folder / "key"), clock)
        asyncio.run(self._state.principals.issue("root", "administrator", ("administrator",), Life(), token=TOKEN))
        engine = Engine(self._state.policies.of, self._state.epochs)
        services: tuple[Service, ...] = (
            TokensService(self._state, clock, built_in=BUILT_IN),
            AppRoleService(self._state, clock, built_in=BUILT_IN),
            MethodsService(self._state, clock, reaches=engine.reaches),
        )
        self.handlers: Handlers = {
            operation: handler for service in services for operation, handler in service.handlers.items()
        }
        self._layers = (
            Authenticate([TokenAuthenticator(self._state.principals)], clock, self._state.epochs),
            Authorize(engine),
        )

    def before(self, dispatch: Handler) -> Handler:
        """``dispatch`` with identity and policy before it."""
        return compose(self._layers, dispatch)

    def close(self) -> None:
        """Close its files."""
        asyncio.run(self._state.close())
