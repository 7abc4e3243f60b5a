"""Small words the cases share: paths, values, and what it means that two values are the same."""

from __future__ import annotations

import json

from wardgate.spi.backend import Backend
from wardgate.spi.path import Path
from wardgate.spi.values import JSON, Entry, Value

CANARY = "canary-5b1f0c2e-never-to-be-seen"
SECRET = Path.parse("team/database")
OTHER = Path.parse("team/queue")
MISSING = Path.parse("team/nobody-wrote-this")


def document(**fields: str) -> Value:
    """A JSON object."""
    return Value(json.dumps(fields).encode(), JSON)


def same(written: Value, read: Value) -> bool:
    """Bytes come back as bytes; a JSON object as an equal one, since some stores only hold maps."""
    fields = written.fields()
    return written.data == read.data if fields is None else fields == read.fields()


async def names(backend: Backend, folder: Path, *, limit: int = 1_000) -> list[Entry]:
    """Every entry of a folder, page by page."""
    entries: list[Entry] = []
    cursor = None
    while True:
        page = await backend.list(folder, cursor=cursor, limit=limit)
        assert len(page.entries) <= limit
        entries.extend(page.entries)
        if page.cursor is None:
            return entries
        assert page.entries, "a page that is not the last holds something"
        cursor = page.cursor
