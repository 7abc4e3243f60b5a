"""The door between front-ends and the road: births each request's context and nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from wardgate.context import Context
from wardgate.mounts import Mounts
from wardgate.pipeline import Handler
from wardgate.spi.frontend import Arrival, MountTable, Outcome, Repeat, Wrap
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
        epoch: a number that moves with any change of the two.
    """

    def __init__(
        self,
        road: Handler,
        resolve: Callable[[str], str],
        mounts_of: Callable[[str], Mounts],
        epoch: Callable[[], int],
    ) -> None:
        self._road = road
        self._resolve = resolve
        self._mounts_of = mounts_of
        self._epoch = epoch
        self._seen = -1
        self._found: dict[str, tuple[str, Mounts]] = {}

    def mounts(self, namespace: str) -> MountTable:
        """The mounts of the namespace of this path; empty when there is no such namespace."""
        return self._find(namespace)[1]

    def perform(
        self,
        arrival: Arrival,
        operation: Operation[R],
        *,
        credential: Credential | None,
        namespace: str = "",
        wrap: Wrap | None = None,
        repeat: Repeat | None = None,
    ) -> Awaitable[Outcome[R]]:
        """Send one operation down the road; raises one of the closed list."""
        found, mounts = self._find(namespace)
        mount = mounts.locate(operation.path)
        return self._road(Context(arrival, operation, credential, found, mount, wrap, repeat))

    def _find(self, namespace: str) -> tuple[str, Mounts]:
        epoch = self._epoch()  # before anything is read: what changes meanwhile moves it again
        if epoch != self._seen:
            self._found.clear()
            self._seen = epoch
        known = self._found.get(namespace)
        if known is not None:
            return known
        found = self._resolve(namespace)
        if not found:
            return "", NO_MOUNTS  # not kept: callers can name any number of namespaces that are none
        known = self._found[namespace] = (found, self._mounts_of(found))
        return known
