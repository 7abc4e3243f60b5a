"""The door between front-ends and the road: births each request's context and nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from wardgate.context import Context
from wardgate.mounts import Mounts
from wardgate.pipeline import Handler
from wardgate.spi.frontend import ARRIVAL, MountTable, Outcome, Repeat, Scope, Wrap
from wardgate.spi.identity import Credential
from wardgate.spi.operations.base import Operation

R = TypeVar("R")
NO_MOUNTS = Mounts()


class Gateway:
    """Implements :class:`wardgate.spi.frontend.Gateway`.

    Args:
        road: the composed layers.
        resolve: path of a namespace, as the wire gave it, to its id; "" when there is none.
        mounts_of: the mounts of a namespace, by its id.
    """

    def __init__(self, road: Handler, resolve: Callable[[str], str], mounts_of: Callable[[str], Mounts]) -> None:
        self._road = road
        self._resolve = resolve
        self._mounts_of = mounts_of

    def mounts(self, namespace: str) -> MountTable:
        """The mounts of the namespace of this path; empty when there is no such namespace."""
        found = self._resolve(namespace)
        return self._mounts_of(found) if found else NO_MOUNTS

    def perform(
        self,
        scope: Scope,
        operation: Operation[R],
        *,
        credential: Credential | None,
        namespace: str = "",
        wrap: Wrap | None = None,
        repeat: Repeat | None = None,
    ) -> Awaitable[Outcome[R]]:
        """Send one operation down the road; raises one of the closed list."""
        found = self._resolve(namespace)
        mount = self._mounts_of(found).locate(operation.path) if found else None
        return self._road(Context(scope[ARRIVAL], operation, credential, found, mount, wrap, repeat))
