"""A front-end: translates one wire API. It holds no backend, so it cannot skip a layer."""

from __future__ import annotations

import abc
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from wardgate.spi.capabilities import Capabilities
from wardgate.spi.identity import Credential
from wardgate.spi.operations.base import Operation
from wardgate.spi.path import Path

R = TypeVar("R")
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

ARRIVAL = "wardgate"
"""Key in the ASGI scope under which the accept layer leaves the request's :class:`Arrival`."""


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """Facts of a request that no front-end can choose.

    ``id``: a UUID. ``received_at``: Unix nanoseconds. ``deadline``: monotonic seconds. ``source``: the peer's
    address without port. ``peer_certificate``: DER, where the client showed one.
    """

    id: str
    received_at: int
    deadline: float
    source: str
    peer_certificate: bytes | None = None


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old an answer is: seconds since its last successful fetch; ``stale`` past its soft TTL."""

    age: float
    stale: bool


@dataclass(frozen=True, slots=True)
class Outcome(Generic[R]):
    """An answer without its wire.

    ``warnings``: sentences for the caller beside the result. ``freshness``: nothing sets it yet.
    ``rendered``: where the cache keeps this outcome, what front-ends made of it, by names of their own, to be kept as
    long; None elsewhere. Only what depends on the result alone may go there.
    """

    result: R
    warnings: tuple[str, ...] = ()
    freshness: Freshness | None = None
    rendered: dict[str, bytes] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Wrap:
    """Asks that an answer be kept for whoever shows a wrapping token, instead of being given.

    ``ttl``: nanoseconds. ``encode`` makes the payload that unwrapping returns, of the form that
    :mod:`wardgate.spi.operations.wrapping` tells; nothing where there is nothing to keep.
    ``creation_path``: what the wrapping's holder is told of where the answer came from. ``narrow`` leaves of an outcome
    what its caller may see; set on the way, where that is not all.
    """

    ttl: int
    creation_path: str
    encode: Callable[[Outcome[Any]], bytes]
    narrow: Callable[[Outcome[Any]], Awaitable[Outcome[Any]]] | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    """Asks that a change be made once, however often one principal asks for it under ``key``.

    ``request``: all that was asked for, in fields that are equal for equal requests alone; only a keyed hash of it is
    kept. ``encode`` makes, in the front-end's own wire, what of the answer is kept for a repeat: nothing secret.
    """

    key: str = field(repr=False)
    request: tuple[bytes, ...] = field(repr=False)
    encode: Callable[[Outcome[Any]], bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Repeated:
    """Instead of a result: the request was done before, and this is what :class:`Repeat` kept of its answer."""

    answer: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class MountView:
    """What a front-end may know of a mount before anything is authorized."""

    prefix: Path
    presentation: Mapping[str, str]
    capabilities: Capabilities


class MountTable(Protocol):
    """The mounts of one namespace, read-only."""

    def find(self, path: Path) -> MountView | None:
        """The mount that ``path`` is at or below, if any. Mounts never nest, so there is at most one."""

    def views(self) -> Iterable[MountView]:
        """All of them."""


class Gateway(Protocol):
    """The one door to the road."""

    def mounts(self, namespace: str) -> MountTable:
        """The mounts of the namespace of this path (``""``: the root); empty when there is no such namespace."""

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
        """Send one operation down the road.

        Args:
            arrival: facts of the request; over HTTP the accept layer left them in the ASGI scope, at ``ARRIVAL``.
            operation: what is asked.
            credential: what the caller showed, if anything.
            namespace: path of the namespace, as the wire gave it; ``""`` is the root.
            wrap: keep the answer; the outcome's result is then a
                :class:`wardgate.spi.operations.wrapping.Wrapped` instead of the operation's own.
            repeat: do it once under this key; the outcome's result is a :class:`Repeated` when it was done before.

        Raises:
            WardgateError: one of the closed list.
        """


@dataclass(frozen=True, slots=True)
class Claims:
    """What a front-end answers on a shared listener. Overlapping claims stop the start."""

    path_prefixes: tuple[str, ...]


class Frontend(abc.ABC):
    """An opened front-end: an ASGI application for what its type claims."""

    @abc.abstractmethod
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request (ASGI 3).

        No header that HTTP itself needs once, nor ``authorization``, comes twice. Others may: refuse those of your wire
        that say who asks, where or for what, for whoever stands in between may have read the other one.
        """
