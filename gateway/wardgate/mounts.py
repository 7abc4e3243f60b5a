"""Mounts: opened backends at prefixes, and the table of them a request is looked up in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from wardgate.spi.backend import Backend
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import AlreadyExists, InvalidValue
from wardgate.spi.frontend import MountView
from wardgate.spi.path import Path

RESERVED = frozenset({"sys", "auth", "cubbyhole", "identity"})
"""First segments no mount or child namespace can take; the first two are the services'."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A configured backend at a prefix. ``backend`` is None while it cannot be opened; ``fault`` then says why."""

    id: str
    namespace: str
    prefix: Path
    type: str
    presentation: Mapping[str, str]
    backend: Backend | None
    fault: str = ""

    @property
    def capabilities(self) -> Capabilities:
        """What the backend declares; nothing while it is not open."""
        return self.backend.capabilities if self.backend else Capabilities()


class Mounts:
    """The mounts of one namespace; immutable: a change makes a new table."""

    def __init__(self, mounts: Iterable[Mount] = ()) -> None:
        self._by_prefix = {mount.prefix.segments: mount for mount in mounts}
        self._lengths = sorted({len(prefix) for prefix in self._by_prefix})
        self._views = {
            prefix: MountView(mount.prefix, mount.presentation, mount.capabilities)
            for prefix, mount in self._by_prefix.items()
        }

    def __iter__(self) -> Iterator[Mount]:
        return iter(self._by_prefix.values())

    def locate(self, path: Path) -> Mount | None:
        """The mount that ``path`` is at or below."""
        for length in self._lengths:
            mount = self._by_prefix.get(path.segments[:length])
            if mount is not None:
                return mount
        return None

    def find(self, path: Path) -> MountView | None:
        """What a front-end may know of the mount that ``path`` is at or below."""
        for length in self._lengths:
            view = self._views.get(path.segments[:length])
            if view is not None:
                return view
        return None


def check_prefix(prefix: Path, *, mounts: Iterable[Path], children: Iterable[str]) -> None:
    """Refuse a prefix that nests with a mount, equals a child namespace, or is reserved.

    Raises:
        InvalidValue: the prefix is empty, reserved, or a child namespace's.
        AlreadyExists: a mount is there, above it, or below it.
    """
    if not prefix.segments:
        raise InvalidValue("a mount needs a prefix, such as secret/")
    first = prefix.segments[0].casefold()
    if first in RESERVED:
        raise InvalidValue(f"the prefix {first}/ is reserved; choose another")
    if first in {child.casefold() for child in children}:
        raise InvalidValue(f"{first}/ is a child namespace; choose another prefix")
    for other in mounts:
        if prefix.starts_with(other) or other.starts_with(prefix):
            raise AlreadyExists(f"there is a mount at {other}/; mounts cannot nest")
