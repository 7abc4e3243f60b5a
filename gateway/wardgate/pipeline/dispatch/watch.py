"""Who looks on while backends are asked: how they do is told to whoever was handed in."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Protocol, TypeVar

from wardgate.mounts import Mount
from wardgate.spi.operations.base import Operation

R = TypeVar("R")


class Watch(Protocol):
    """Sees each call of a backend, and each breaker that opens or closes."""

    def backend(self, mount: Mount, operation: Operation[Any], answer: Awaitable[R]) -> Awaitable[R]:
        """The same answer, seen on its way."""

    def breaker(self, mount: str, *, is_open: bool) -> None:
        """The breaker of the mount with this id opened or closed."""


class Unwatched:
    """Looks away."""

    def backend(self, _mount: Mount, _operation: Operation[Any], answer: Awaitable[R]) -> Awaitable[R]:
        """The answer itself."""
        return answer

    def breaker(self, mount: str, *, is_open: bool) -> None:
        """Tell nobody."""
