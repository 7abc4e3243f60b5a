"""Pages of names: a walk along the index that skips through folders, and the sealed cursor between two pages."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator

from sqlalchemy import Connection
from wardgate.spi.errors import InvalidValue, Malformed
from wardgate.spi.path import Path
from wardgate.spi.services import Keyring, SealedMessage
from wardgate.spi.values import Entry, Page

from wardgate_native.store import statements
from wardgate_native.store.damage import damaged
from wardgate_native.store.rows import place_of

_SEPARATOR = b"\x00"
_PAST_FOLDER = b"\x01"
_FIRST_NAME = b"\x01"
"""Above the empty place, which holds the settings of the mount and no secret."""
_PAST_ALL = b"\xff"
_CURSOR = b"cursor 1"
_WRAPPED_BYTES = 118
_MAX_CURSOR = 16_384


class Names:
    """Lists folders of one store."""

    def __init__(self, keyring: Keyring, store: str) -> None:
        self._keyring = keyring
        self._store = store

    def page(self, connection: Connection, folder: Path, cursor: str | None, limit: int) -> Page:
        """``limit`` names at most, directly below ``folder``. Raises Malformed for a cursor that is not of it."""
        place = place_of(folder)
        start = None if cursor is None else self._opened(cursor, place)
        entries: list[Entry] = []
        after = b""
        for entry, position in self._walk(connection, place, start):
            if len(entries) == limit:
                return Page(tuple(entries), self._sealed(after, place))
            entries.append(entry)
            after = position
        return Page(tuple(entries))

    def _walk(self, connection: Connection, place: bytes, start: bytes | None) -> Iterator[tuple[Entry, bytes]]:
        """Each name, and where the walk goes on after it."""
        prefix = place + _SEPARATOR if place else b""
        end = place + _PAST_FOLDER if place else _PAST_ALL
        position: bytes | None = start or prefix or _FIRST_NAME
        while position is not None:
            # Rows are fetched as they are asked for; below a folder the walk seeks past all of it.
            with contextlib.closing(statements.LIST.run(connection, self._store, position, end)) as rows:
                position = None
                for (found,) in rows:
                    name, below, _ = found[len(prefix) :].partition(_SEPARATOR)
                    if below:
                        position = prefix + name + _PAST_FOLDER
                        yield Entry(self._text(name, found), folder=True), position
                        break
                    yield Entry(self._text(name, found)), found + _SEPARATOR

    def _sealed(self, position: bytes, place: bytes) -> str:
        message = self._keyring.seal(position, data=(_CURSOR, place), key=())
        return base64.urlsafe_b64encode(message.wrapped_key + message.ciphertext).decode().rstrip("=")

    def _opened(self, cursor: str, place: bytes) -> bytes:
        try:
            padded = cursor[:_MAX_CURSOR] + "=" * (-len(cursor) % 4)
            raw = base64.b64decode(padded, altchars=b"-_", validate=True)
            message = SealedMessage(raw[:_WRAPPED_BYTES], raw[_WRAPPED_BYTES:])
            return self._keyring.open(message, data=(_CURSOR, place), key=())
        except (ValueError, InvalidValue):
            raise Malformed("the cursor is not one of this folder's; begin again without it") from None

    def _text(self, name: bytes, place: bytes) -> str:
        try:
            return name.decode()
        except UnicodeDecodeError:
            damaged(self._store, place)
