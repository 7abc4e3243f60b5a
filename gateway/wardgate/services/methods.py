"""The ways to log in: built in, at ``auth/``."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from wardgate.context import Context
from wardgate.services.names import name_below
from wardgate.services.service import Handlers, asker
from wardgate.spi.errors import SecretNotFound
from wardgate.spi.frontend import Arrival
from wardgate.spi.identity import Principal
from wardgate.spi.operations.methods import METHODS, ListMethods, ListVisibleMethods, MethodInfo, ReadMethod
from wardgate.spi.path import Path
from wardgate.state import State

_BUILT_IN = {"approle": "machines that prove a role", "token": "token based credentials"}


class MethodsService:
    """Shows what there is."""

    def __init__(self, state: State, *, reaches: Callable[[Principal, Path, Arrival], bool]) -> None:
        self._reaches = reaches
        self._methods = {
            name: MethodInfo(str(uuid.uuid5(uuid.NAMESPACE_OID, f"{state.installation}/{name}")), name, description)
            for name, description in _BUILT_IN.items()
        }
        self.handlers: Handlers = {
            ListMethods: self.list,
            ListVisibleMethods: self.list_visible,
            ReadMethod: self.read,
        }

    async def list(self, _context: Context, _operation: ListMethods) -> tuple[MethodInfo, ...]:
        """All of them, by name."""
        return tuple(self._methods.values())

    async def list_visible(self, context: Context, _operation: ListVisibleMethods) -> tuple[MethodInfo, ...]:
        """Those the asker may do anything at all below."""
        principal = asker(context)
        return tuple(
            info
            for info in self._methods.values()
            if self._reaches(principal, Path(("auth", info.name)), context.arrival)
        )

    async def read(self, _context: Context, operation: ReadMethod) -> MethodInfo:
        """One. Raises SecretNotFound."""
        name = name_below(operation.path, METHODS)
        if name not in self._methods:
            raise SecretNotFound(f"there is no way to log in at {name[:80]}/")
        return self._methods[name]
