"""What a condition is asked about: who, what, where, when, from where."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, Final, Protocol

from wardgate.pipeline.authorize.pattern import Segments

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Unknown:
    """The type of :data:`UNKNOWN`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()
"""Stands for an attribute that has a value which is not known yet; None is a missing one."""


class Asker(Protocol):
    """Who asks: a principal, or one that is supposed; None where nothing is known."""

    @property
    def id(self) -> str | None:
        """Its id."""

    @property
    def name(self) -> str | None:
        """Its name."""

    @property
    def method(self) -> str | None:
        """How it proved itself."""

    @property
    def policies(self) -> tuple[str, ...]:
        """The names of its policies."""

    @property
    def attributes(self) -> Mapping[str, str]:
        """What else its authenticator says of it."""


class _AnyAttributes(dict[str, str]):
    """The attributes of anybody."""

    def get(self, _name: str, _default: object = None) -> Any:
        """Not known yet."""
        return UNKNOWN


class _Anybody:
    """The type of :data:`ANYBODY`."""

    id: Any = UNKNOWN
    name: Any = UNKNOWN
    method: Any = UNKNOWN
    policies: Any = UNKNOWN
    attributes: Mapping[str, str] = _AnyAttributes()


ANYBODY: Final[Asker] = _Anybody()
"""Whoever asks: nothing of him is known yet."""


class Facts(Protocol):
    """What no caller can choose: an arrival has them."""

    @property
    def source(self) -> str:
        """The peer's address."""

    @property
    def received_at(self) -> int:
        """Unix nanoseconds."""


class Labels(Protocol):
    """The labels of one namespace, as the gateway's state has them."""

    def of(self, segments: Segments) -> Mapping[str, str]:
        """Those of a path: of each name the value set at the path, or else at the nearest ancestor that sets it."""


class NoLabels:
    """The labels of a namespace without any."""

    def of(self, segments: Segments) -> Mapping[str, str]:  # noqa: ARG002  # the protocol's signature
        """None."""
        return {}


NO_LABELS: Final = NoLabels()


class Question:
    """One question; an attribute is read from it when a condition asks.

    Args:
        asker: who.
        action: the action's name; UNKNOWN: any.
        segments: of the path; UNKNOWN: any path, so that its labels are unknown too.
        folder: whether the path names a folder.
        source: the peer's address; None: not stated.
        time: Unix nanoseconds; None: not stated.
        labels: of the namespace.

    A value that is UNKNOWN is one that is not known yet, as where a whole folder is asked about.
    """

    __slots__ = ("_address", "_found", "_labels", "action", "asker", "folder", "segments", "source", "time")

    def __init__(
        self,
        asker: Asker,
        action: str | Unknown,
        segments: Segments | Unknown,
        source: str | Unknown | None,
        time: int | Unknown | None,
        labels: Labels,
        folder: bool = False,  # noqa: FBT001, FBT002  # made for every decision: a name costs
    ) -> None:
        self.asker = asker
        # Comparisons look for a text that is nothing else; of an action's name they would know nothing.
        self.action = action if isinstance(action, Unknown) else str.__str__(action)
        self.segments = segments
        self.folder = folder
        self.source = source
        self.time = time
        self._labels = labels
        self._found: Mapping[str, str] | None = None
        self._address: Address | Unknown | None = UNKNOWN

    def __str__(self) -> str:
        # Casbin renders each request for its log, which is silenced; nothing of it must stand there in any case.
        return "question"

    def at(self, segments: Segments | Unknown, *, folder: bool = False) -> Question:
        """The same question of another path."""
        return Question(self.asker, self.action, segments, self.source, self.time, self._labels, folder)

    def label(self, name: str) -> str | Unknown | None:
        """One label of the path. Raises what reading the state raises."""
        if self._found is None:
            if isinstance(self.segments, Unknown):
                return UNKNOWN
            self._found = self._labels.of(self.segments)
        return self._found.get(name)

    @property
    def address(self) -> Address | None:
        """The source as an address; None where it is none, or not known."""
        if isinstance(self._address, Unknown):
            self._address = _parsed(self.source)
        return self._address


def _parsed(source: object) -> Address | None:
    if not isinstance(source, str):
        return None
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
