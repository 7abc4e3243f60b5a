"""The road of a request. The folders here are its layers, outermost first; layers never import one another.

``accept`` is ASGI middleware in front of every front-end; the others wrap one another around ``dispatch``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

from wardgate.context import Context
from wardgate.spi.frontend import Outcome

LAYERS = ("accept", "audit", "authenticate", "authorize", "begin", "cache", "dispatch")

Handler = Callable[[Context], Awaitable[Outcome[Any]]]


class Layer(Protocol):
    """One layer: does its part, then hands the context to ``call_next``, or raises one of the closed list."""

    def __call__(self, context: Context, call_next: Handler) -> Awaitable[Outcome[Any]]:
        """Handle one request. A layer that only looks, and then passes on, need not be a coroutine of its own."""


def compose(layers: Iterable[Layer], innermost: Handler) -> Handler:
    """Wrap ``innermost`` so that the first layer sees the request first."""
    handler = innermost
    for layer in reversed(tuple(layers)):
        handler = _before(layer.__call__, handler)
    return handler


def _before(layer: Callable[[Context, Handler], Awaitable[Outcome[Any]]], following: Handler) -> Handler:
    def handle(context: Context) -> Awaitable[Outcome[Any]]:
        return layer(context, following)

    return handle
