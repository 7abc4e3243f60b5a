"""A walk through all folders below one, in pages: bounded in calls and time, and resumed where the last page ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import msgspec

from wardgate.pipeline.dispatch.versions import Versions
from wardgate.spi.backend import Backend
from wardgate.spi.errors import Malformed
from wardgate.spi.listing import one_walk
from wardgate.spi.operations.secrets import ScanSecrets
from wardgate.spi.path import Path
from wardgate.spi.values import Entry, Page

MAX_CALLS: Final = 64
"""Pages a store is asked for to fill one page of a scan."""
MAX_SECONDS: Final = 5.0
"""After which no further page of the store is asked for; what was found until then is the answer."""
MAX_CURSOR: Final = 8_192
_LEAST_ASKED: Final = 100

_Position = tuple[bytes, bool]


class _Folder(msgspec.Struct, array_like=True):
    """Where the walk stands in one folder: the store's page, and the last name done with, or gone down into."""

    cursor: str | None = None
    last: str = ""
    last_was_folder: bool = False
    ended: bool = False

    def start(self) -> _Position:
        """Names up to here were done with before."""
        return _order(self.last), self.last_was_folder

    def done(self, entry: Entry) -> None:
        """Go on after this name next time."""
        self.last, self.last_was_folder = entry.name, entry.folder

    def turn(self, page: Page) -> None:
        """Go on with the store's next page; a store that gives its own cursor back has no other."""
        self.ended = page.cursor is None or page.cursor == self.cursor
        self.cursor = page.cursor


class _Listed(NamedTuple):
    """One page of a store, as far as the walk is not past it."""

    page: Page
    entries: Iterator[Entry]


class _Walk:
    """A depth-first walk. ``folders`` leads from the folder that was asked about to where it is.

    Args:
        root: the folder as the backend knows it.
        whole: the folder from the root of the namespace.
    """

    def __init__(self, backend: Backend, root: Path, whole: Path, cursor: str | None) -> None:
        self._backend = backend
        self._root = root
        self._whole = whole
        self.folders = [_Folder()] if cursor is None else _decoded(cursor)
        self._listed: list[_Listed | None] = [None] * len(self.folders)

    async def next(self, limit: int) -> Entry | None:
        """The next secret; None after a step that found none. At most one call of the store."""
        folder, listed = self.folders[-1], self._listed[-1]
        if listed is None:
            if folder.ended:
                self._leave()
                return None
            listed = self._listed[-1] = await self._list(folder, limit)
        for entry in listed.entries:
            path = self._path(entry.name)
            if path is None:
                continue
            folder.done(entry)
            if not entry.folder:
                return Entry("/".join(path))
            self.folders.append(_Folder())
            self._listed.append(None)
            return None
        folder.turn(listed.page)
        self._listed[-1] = None
        return None

    @property
    def about_to_call(self) -> bool:
        """Whether the next step asks the store."""
        return bool(self.folders) and self._listed[-1] is None and not self.folders[-1].ended

    def cursor(self) -> str | None:
        """From here on. A cursor too long forgets the outer folders' pages first: those are then walked again."""
        if not self.folders:
            return None
        text = _encoded(self.folders)
        for folder in self.folders:
            if len(text) <= MAX_CURSOR:
                break
            if folder.cursor is not None and not folder.ended:
                folder.cursor = None
                text = _encoded(self.folders)
        return text

    async def _list(self, folder: _Folder, limit: int) -> _Listed:
        page = await self._backend.list(self._root.joined(Path(self._above())), cursor=folder.cursor, limit=limit)
        start = folder.start()
        return _Listed(page, (entry for entry in page.entries if (_order(entry.name), entry.folder) > start))

    def _above(self) -> tuple[str, ...]:
        return tuple(folder.last for folder in self.folders[:-1])

    def _path(self, name: str) -> tuple[str, ...] | None:
        """The name from the root of the walk; None for one that nobody could ask for, however it came to be there."""
        try:
            below = Path(self._above()).child(name)
            self._whole.joined(below)
        except (Malformed, UnicodeError):
            return None
        return below.segments

    def _leave(self) -> None:
        self.folders.pop()
        self._listed.pop()


async def scan(operation: ScanSecrets, backend: Backend, versions: Versions, *, clock: Callable[[], float]) -> Page:
    """One page of the secrets below a folder. It may hold fewer than the limit, or none, and still not be the last.

    ``clock``: seconds that only grow.

    Raises:
        Malformed: the limit, or the cursor, is none.
    """
    if operation.limit < 1:
        raise Malformed("the limit of a page must be at least 1")
    size = backend.capabilities.page_size
    limit = min(operation.limit, size)
    asked = min(max(limit, _LEAST_ASKED), size)
    walk = _Walk(backend, versions.path, operation.path, operation.cursor)
    found: list[Entry] = []
    calls, started = 0, clock()
    with one_walk(resumed=operation.cursor is not None):
        while walk.folders and len(found) < limit:
            if walk.about_to_call:
                if calls and (calls >= MAX_CALLS or clock() - started >= MAX_SECONDS):
                    break
                calls += 1
                await asyncio.sleep(0)  # an embedded store answers at once: others must have their turn between calls
            entry = await walk.next(asked)
            if entry is not None:
                found.append(entry)
    return Page(tuple(found), walk.cursor())


def _order(name: str) -> bytes:
    return name.encode(errors="surrogatepass")  # a store can say anything


def _encoded(folders: list[_Folder]) -> str:
    return msgspec.json.encode(folders).decode()


def _decoded(cursor: str) -> list[_Folder]:
    try:
        folders = msgspec.json.decode(cursor, type=list[_Folder])
    except msgspec.MsgspecError:
        folders = []
    if not folders:
        raise Malformed("the cursor is not one of this folder's; begin again without it")
    return folders
