"""What a service is: handlers, by the class of operation they answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from wardgate.context import Context
from wardgate.spi.errors import REFUSED, Unauthenticated
from wardgate.spi.identity import Principal
from wardgate.spi.operations.base import Operation

Handlers = Mapping[type[Operation[Any]], Callable[[Context, Any], Awaitable[Any]]]


class Service(Protocol):
    """One noun's handlers."""

    handlers: Handlers


def asker(context: Context) -> Principal:
    """Who asks, where somebody must have proved who he is. Raises Unauthenticated."""
    if context.principal is None:
        raise Unauthenticated(REFUSED)
    return context.principal
