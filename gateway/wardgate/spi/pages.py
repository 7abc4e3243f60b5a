"""Pages over stores that give a whole folder at once: a backend cuts them here, and the cursor is the last entry."""

from __future__ import annotations

import base64
import heapq
import json
from collections.abc import Iterable

from wardgate.spi.errors import Malformed
from wardgate.spi.values import Entry, Page

Position = tuple[bytes, bool]
"""Where an entry stands in a list: its name's UTF-8 bytes, and a secret before the folder of its name."""


def position(cursor: str | None) -> Position | None:
    """Where the page of this cursor begins; None at the start. Raises Malformed for what is no cursor."""
    if cursor is None:
        return None
    try:
        name, folder = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
        return str(name).encode(), bool(folder)
    except (ValueError, TypeError):
        raise Malformed("the cursor is not one of this list's") from None


def cut(entries: Iterable[Entry], after: Position | None, limit: int) -> Page:
    """The ``limit`` entries that follow ``after``, in order, out of all of a folder's in any order."""
    left = (entry for entry in entries if after is None or _order(entry) > after)
    found = heapq.nsmallest(limit + 1, left, key=_order)
    page = tuple(found[:limit])
    return Page(page, _cursor(page[-1]) if len(found) > limit else None)


def _order(entry: Entry) -> Position:
    return entry.name.encode(), entry.folder


def _cursor(entry: Entry) -> str:
    return base64.urlsafe_b64encode(json.dumps([entry.name, entry.folder]).encode()).decode()
