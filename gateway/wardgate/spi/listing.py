"""Lists of stores that give more than a page at once: a whole folder, or all names where there are no folders."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

from wardgate.spi import pages
from wardgate.spi.path import Path
from wardgate.spi.services import Clock
from wardgate.spi.values import Entry, Page

KEPT_SECONDS = 30.0
"""How long the names that a first page listed serve the pages after it."""
KEPT_FOLDERS = 8
"""Folders whose names are kept at once: the one that was listed longest ago makes room."""


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

    Args:
        fetch: all paths of the store, in any order; they are gone through in a thread.
        clock: for the age of what is kept.
    """

    def __init__(self, fetch: Callable[[], Awaitable[Iterable[Path]]], clock: Clock) -> None:
        async def entries(folder: Path) -> Iterable[Entry]:
            return _entries(await fetch(), folder)

        super().__init__(entries, clock)


def _entries(paths: Iterable[Path], folder: Path) -> Iterator[Entry]:
    depth = len(folder.segments)
    below = (path.segments for path in paths if len(path.segments) > depth and path.starts_with(folder))
    found = {(segments[depth], len(segments) > depth + 1) for segments in below}
    yield from (Entry(name, folder=has_more) for name, has_more in found)
