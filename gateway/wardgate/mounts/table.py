"""Mounts: opened backends at prefixes, and the table of them a request is looked up in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from wardgate.spi.backend import Backend
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import WardgateError
from wardgate.spi.frontend import MountView
from wardgate.spi.path import Path


@dataclass(frozen=True, slots=True)
class Mount:
    """A configured backend at a prefix. ``backend`` is None while it cannot be opened; ``fault`` then says why.

    ``embedded``: its store is the gateway's own storage, so that a read never waits for another machine.
    ``cache_ttl``: nanoseconds that what was read is remembered; None: the gateway's default, 0: never.
    """

    id: str
    namespace: str
    prefix: Path
    type: str
    presentation: Mapping[str, str]
    backend: Backend | None
    fault: str = ""
    embedded: bool = False
    cache_ttl: int | None = None

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"mount {self.prefix}/"

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

    def views(self) -> Iterable[MountView]:
        """What a front-end may know of each mount."""
        return self._views.values()

    def find(self, path: Path) -> MountView | None:
        """What a front-end may know of the mount that ``path`` is at or below."""
        for length in self._lengths:
            view = self._views.get(path.segments[:length])
            if view is not None:
                return view
        return None


class MountRow(Protocol):
    """A mount as the state remembers it; ``options`` are opened, secrets and all."""

    @property
    def id(self) -> str:
        """Never reused; a changed mount keeps its id."""

    @property
    def prefix(self) -> Path:
        """Where it stands in its namespace."""

    @property
    def type(self) -> str:
        """Name of its backend type."""

    @property
    def presentation(self) -> Mapping[str, str]:
        """How front-ends show it."""

    @property
    def options(self) -> Mapping[str, object]:
        """As given to the backend type."""

    @property
    def fault(self) -> str:
        """Why it must not be opened; empty for a good one."""

    @property
    def cache_ttl(self) -> int | None:
        """Nanoseconds that what was read is remembered; None: the gateway's default, 0: never."""


class OpenMounts:
    """The mounts of every namespace, each backend opened once in this process.

    Args:
        rows: what the state remembers of a namespace's mounts; the same object as long as nothing changed.
        open_backend: opens one for (namespace id, row); raises one of the closed list.
        embedded: whether backends of a type keep all they hold in the gateway's storage.
    """

    def __init__(
        self,
        rows: Callable[[str], Sequence[MountRow]],
        open_backend: Callable[[str, MountRow], Backend],
        embedded: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._rows = rows
        self._open_backend = open_backend
        self._embedded = embedded
        self._opened: dict[str, tuple[Sequence[MountRow], Mounts]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def of(self, namespace: str) -> Mounts:
        """The mounts of a namespace, reopened where they changed."""
        rows = self._rows(namespace)
        known = self._opened.get(namespace)
        if known is not None and known[0] is rows:
            return known[1]
        return self._reopen(namespace, rows, {} if known is None else {row.id: row for row in known[0]})

    async def close(self) -> None:
        """Close every backend."""
        for _, mounts in self._opened.values():
            for mount in mounts:
                if mount.backend is not None:
                    await mount.backend.close()
        self._opened.clear()

    def _reopen(self, namespace: str, rows: Sequence[MountRow], before: Mapping[str, MountRow]) -> Mounts:
        old = {mount.id: mount for mount in self._opened[namespace][1]} if before else {}
        kept = {row.id for row in rows if row.id in old and _same(row, before[row.id]) and old[row.id].backend}
        mounts = Mounts(_tuned(old[row.id], row) if row.id in kept else self._mount(namespace, row) for row in rows)
        if rows:
            self._opened[namespace] = (rows, mounts)
        else:
            self._opened.pop(namespace, None)  # nothing is kept of a namespace that was deleted
        for mount in old.values():
            if mount.id not in kept and mount.backend is not None:
                task = asyncio.get_running_loop().create_task(mount.backend.close())
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)
        return mounts

    def _mount(self, namespace: str, row: MountRow) -> Mount:
        backend, fault = None, row.fault
        if not fault:
            try:
                backend = self._open_backend(namespace, row)
            except WardgateError as error:
                fault = error.message  # one mount that cannot be opened never touches another
        embedded = self._embedded(row.type)
        return Mount(row.id, namespace, row.prefix, row.type, row.presentation, backend, fault, embedded, row.cache_ttl)


def _same(row: MountRow, other: MountRow) -> bool:
    """Whether the backend of one can go on as the other's."""
    return (row.prefix, row.type, row.options) == (other.prefix, other.type, other.options)


def _tuned(mount: Mount, row: MountRow) -> Mount:
    """The same open backend with what may change while it is open."""
    if (mount.presentation, mount.cache_ttl) == (row.presentation, row.cache_ttl):
        return mount
    return replace(mount, presentation=row.presentation, cache_ttl=row.cache_ttl)
