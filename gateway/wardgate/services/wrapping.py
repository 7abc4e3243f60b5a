"""Wrapped answers: given out once to whoever shows their token."""

from __future__ import annotations

from wardgate.context import Context
from wardgate.services.service import Handlers
from wardgate.spi.errors import InvalidValue
from wardgate.spi.operations.wrapping import (
    LookupWrapping,
    Rewrap,
    Unwrap,
    UnwrapOwn,
    Unwrapped,
    WrapData,
    Wrapped,
)
from wardgate.state import State


class WrappingService:
    """Looks up, unwraps and rewraps; what keeps an answer in the first place is dispatch."""

    def __init__(self, state: State) -> None:
        self._wrapping = state.wrapping
        self.handlers: Handlers = {
            WrapData: self.wrap,
            LookupWrapping: self.lookup,
            Unwrap: self.unwrap,
            UnwrapOwn: self.unwrap,
            Rewrap: self.rewrap,
        }

    async def wrap(self, context: Context, operation: WrapData) -> bytes:
        """The data itself, for dispatch to keep. Raises InvalidValue when it is not to be kept."""
        if context.wrap is None:
            raise InvalidValue("endpoint requires response wrapping to be used")
        return operation.data

    async def lookup(self, context: Context, operation: LookupWrapping) -> Wrapped:
        """Where a kept answer comes from. Raises InvalidValue."""
        return self._wrapping.lookup(context.namespace, operation.token)

    async def unwrap(self, context: Context, operation: Unwrap) -> Unwrapped:
        """The kept answer, once. Raises InvalidValue."""
        return await self._wrapping.take(context.namespace, operation.token)

    async def rewrap(self, context: Context, operation: Rewrap) -> Wrapped:
        """The same answer under a new token. Raises InvalidValue."""
        return await self._wrapping.renew(context.namespace, operation.token)
