"""Folders in stores that only have flat names: the names are listed whole, and a folder is what they have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from wardgate.spi import pages
from wardgate.spi.path import Path
from wardgate.spi.services import Clock
from wardgate.spi.values import Entry, Page

KEPT_SECONDS = 30.0
"""How long the names that a first page listed serve the pages after it."""


class Listing:
    """Pages of a folder, from all the paths of a store.

    A first page always asks the store. Those that follow go on in what it listed, since a store's own order is seldom
    that of the names' bytes, and asking for everything again at each page would cost the square of it.

    Args:
        fetch: all paths of the store, in any order.
        clock: for the age of what is kept.
    """

    def __init__(self, fetch: Callable[[], Awaitable[Iterable[Path]]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._kept: tuple[float, tuple[Path, ...]] | None = None

    async def page(self, folder: Path, *, cursor: str | None, limit: int) -> Page:
        """The names directly below ``folder``.

        Raises:
            Malformed: the cursor is not one of a list's.
        """
        after = pages.position(cursor)
        kept = self._kept
        if after is None or kept is None or self._clock.monotonic() - kept[0] > KEPT_SECONDS:
            paths = tuple(await self._fetch())
            self._kept = kept = (self._clock.monotonic(), paths)
        page = pages.cut(_entries(kept[1], folder), after, limit)
        if page.cursor is None:
            self._kept = None
        return page


def _entries(paths: Iterable[Path], folder: Path) -> set[Entry]:
    depth = len(folder.segments)
    below = (path.segments for path in paths if len(path.segments) > depth and path.starts_with(folder))
    return {Entry(segments[depth], folder=len(segments) > depth + 1) for segments in below}
