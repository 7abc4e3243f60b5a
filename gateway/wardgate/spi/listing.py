"""Lists of stores that give more than a page at once: a whole folder, or all names where there are no folders."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from wardgate.spi import pages
from wardgate.spi.flights import Flights
from wardgate.spi.path import Path
from wardgate.spi.services import Clock
from wardgate.spi.values import Entry, Page

KEPT_SECONDS = 30.0
"""How long the names that a first page listed serve the pages after it."""
KEPT_FOLDERS = 8
"""Folders whose names are kept at once: the one that was listed longest ago makes room."""
_Names = Sequence[tuple[str, ...]]
"""All names of a store, as segments, in order: those below a folder stand together."""


class _Walk:
    """What was fetched for one request that asks folder after folder."""

    def __init__(self, *, resumed: bool) -> None:
        self.resumed = resumed
        self.fetched: dict[Listing, _Names] = {}


_walk: ContextVar[_Walk | None] = ContextVar("walk", default=None)


@contextmanager
def one_walk(*, resumed: bool) -> Iterator[None]:
    """The lists of all folders within are one: a store whose names are fetched whole is asked for them once.

    ``resumed``: the walk began in a request before, and may go on in what was fetched then.
    """
    token = _walk.set(_Walk(resumed=resumed))
    try:
        yield
    finally:
        _walk.reset(token)


class FolderListing:
    """Pages of a folder, from all its entries.

    A first page always asks the store. Those that follow go on in what it listed, since a store's own order is seldom
    that of the names' bytes, and asking for everything again at each page would cost the square of it.

    Args:
        fetch: all entries of a folder, in any order; they are gone through in a thread.
        clock: for the age of what is kept.
    """

    def __init__(self, fetch: Callable[[Path], Awaitable[Iterable[Entry]]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._kept: dict[Path, tuple[float, Sequence[Entry]]] = {}

    async def page(self, folder: Path, *, cursor: str | None, limit: int) -> Page:
        """The names directly below ``folder``.

        Raises:
            Malformed: the cursor is not one of a list's.
        """
        after = pages.position(cursor)
        entries = None if after is None else self._recent(folder)
        if entries is None:
            # Thousands of names would hold up the loop, which serves others too. All mounts share these threads: what
            # runs in them waits for no store, so that none can keep them from another.
            entries = await asyncio.to_thread(pages.ordered, await self._fetch(folder))
            if len(entries) > limit:
                self._keep(folder, entries)
        return pages.page_of(entries, after, limit)

    def _recent(self, folder: Path) -> Sequence[Entry] | None:
        since, entries = self._kept.get(folder, (float("-inf"), ()))
        return entries if self._clock.monotonic() - since <= KEPT_SECONDS else None

    def _keep(self, folder: Path, entries: Sequence[Entry]) -> None:
        now = self._clock.monotonic()
        self._kept.pop(folder, None)
        kept = [(known, one) for known, one in self._kept.items() if now - one[0] <= KEPT_SECONDS]
        self._kept = {**dict(kept[1 - KEPT_FOLDERS :]), folder: (now, entries)}


class Listing(FolderListing):
    """Pages of a folder, from all the paths of a store: a folder is what its names have in common.

    The store is asked by one fetch at a time. Those who ask while one runs share the next: what they are told is as
    new as their question, and no store is asked for everything by each of many callers.

    Args:
        fetch: all paths of the store, in any order; they are gone through in a thread.
        clock: for the age of what is kept.
    """

    def __init__(self, fetch: Callable[[], Awaitable[Iterable[Path]]], clock: Clock) -> None:
        super().__init__(self._entries, clock)
        self._paths = fetch
        self._turn = asyncio.Lock()
        self._begun = 0
        self._flights = Flights[None, _Names]()
        self._latest: tuple[float, _Names] = (float("-inf"), ())

    async def _entries(self, folder: Path) -> Iterable[Entry]:
        walk = _walk.get()
        if walk is None:
            return _entries(await self._fetched(), folder)
        if self not in walk.fetched:
            since, names = self._latest
            recent = walk.resumed and self._clock.monotonic() - since <= KEPT_SECONDS
            walk.fetched[self] = names if recent else await self._fetched()
        return _entries(walk.fetched[self], folder)

    async def _fetched(self) -> _Names:
        return await self._flights.join(None, self._begun, self._ask)

    async def _ask(self) -> _Names:
        async with self._turn:
            self._begun += 1  # who asks from now on is not served by it
            names = await asyncio.to_thread(_ordered, await self._paths())
            self._latest = (self._clock.monotonic(), names)
            return names


def _ordered(paths: Iterable[Path]) -> _Names:
    return sorted(path.segments for path in paths)


def _entries(names: _Names, folder: Path) -> Collection[Entry]:
    depth = len(folder.segments)
    first, last = bisect_left(names, folder.segments), len(names)
    if depth:
        *above, name = folder.segments
        last = bisect_left(names, (*above, name + "\0"), first)  # no name comes between
    return {Entry(name[depth], len(name) > depth + 1) for name in names[first:last] if len(name) > depth}
