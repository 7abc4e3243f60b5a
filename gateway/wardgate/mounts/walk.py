"""A walk over all that an opened backend holds, for whoever looks at a whole store."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from wardgate.spi.backend import Backend
from wardgate.spi.path import ROOT, Path


async def walk(backend: Backend) -> AsyncGenerator[Path]:
    """The path of every secret, folder by folder. Raises what the backend's ``list`` raises."""
    folders = [ROOT]
    while folders:
        folder = folders.pop()
        cursor: str | None = None
        while True:
            page = await backend.list(folder, cursor=cursor)
            for entry in page.entries:
                path = Path((*folder.segments, entry.name))
                if entry.folder:
                    folders.append(path)
                else:
                    yield path
            cursor = page.cursor
            if cursor is None:
                break
