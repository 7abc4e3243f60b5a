"""Pages over stores that give a whole folder at once: a backend cuts them here, and the cursor is the last entry."""

from __future__ import annotations

import base64
import json
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from wardgate.spi.errors import Malformed
from wardgate.spi.values import Entry, Page


def position(cursor: str | None) -> Entry | None:
    """Where the page of this cursor begins; None at the start. Raises Malformed for what is no cursor."""
    if cursor is None:
        return None
    try:
        name, folder = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
        str(name).encode()
    except (ValueError, TypeError):
        raise Malformed("the cursor is not one of this list's") from None
    return Entry(str(name), bool(folder))


def ordered(entries: Iterable[Entry]) -> Sequence[Entry]:
    """All of a folder's entries in the order of pages."""
    return sorted(entries)


def page_of(entries: Sequence[Entry], after: Entry | None, limit: int) -> Page:
    """The ``limit`` entries that follow ``after``, out of all of a folder's in their order."""
    start = 0 if after is None else bisect_right(entries, after)
    page = tuple(entries[start : start + limit])
    return Page(page, _cursor(page[-1]) if start + limit < len(entries) else None)


def cut(entries: Iterable[Entry], after: Entry | None, limit: int) -> Page:
    """As ``page_of``, out of entries in any order."""
    return page_of(ordered(entries), after, limit)


def _cursor(entry: Entry) -> str:
    return base64.urlsafe_b64encode(json.dumps(entry).encode()).decode()
