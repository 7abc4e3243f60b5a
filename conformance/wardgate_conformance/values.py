"""Small words the cases share: paths, values, and what it means that two values are the same."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

from wardgate.spi.backend import Backend
from wardgate.spi.path import Path
from wardgate.spi.values import JSON, Entry, Value

CANARY = "canary-5b1f0c2e never+to be seen"
SECRET = Path.parse("team/database")
OTHER = Path.parse("team/queue")
MISSING = Path.parse("team/nobody-wrote-this")


def document(**fields: str) -> Value:
    """A JSON object."""
    return Value(json.dumps(fields).encode(), JSON)


def shows(text: str) -> bool:
    """Whether the canary can be made out, as it is or in a form that stores, addresses and logs give a value."""
    return any(form in text.casefold() for form in _FORMS)


def _forms(plain: bytes) -> frozenset[str]:
    # Base64 of a text within a longer one depends on how many bytes stand before it; its ends on what is around.
    aligned = (base64.b64encode(b" " * skip + plain)[4:-4].decode() for skip in range(3))
    quoted = {quote(plain), quote(plain, safe=""), quote_plus(plain)}
    return frozenset(form.casefold() for form in (plain.decode(), plain.hex(), *quoted, *aligned))


_FORMS = _forms(CANARY.encode())


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
