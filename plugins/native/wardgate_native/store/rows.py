"""From rows to secrets and back: every head is verified before it is believed, every value opened or sealed."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection
from wardgate.spi.errors import InvalidValue, SecretNotFound, VersionNotFound
from wardgate.spi.path import ROOT, Path
from wardgate.spi.services import Keyring, SealedMessage
from wardgate.spi.values import SecretVersion, Value

from wardgate_native.store import head as heads
from wardgate_native.store import statements
from wardgate_native.store.changes import Change, Transition
from wardgate_native.store.damage import damaged
from wardgate_native.store.head import Head

_HEAD = "native head 1"


def place_of(path: Path) -> bytes:
    """A path as the index orders it: NUL sorts below every byte a segment can hold."""
    return "\0".join(path.segments).encode()


class Rows:
    """The rows of one store (mount) under one namespace's keyring."""

    def __init__(self, keyring: Keyring, store: str) -> None:
        self._keyring = keyring
        self._store = store
        self._store_field = store.encode()

    def read(self, connection: Connection, path: Path, ordinal: int | None, now: int) -> SecretVersion:
        """One version with its value, by one query; ``ordinal`` None: the current one.

        Raises:
            SecretNotFound, VersionNotFound, Gone: as a backend's ``read``.
            Unavailable: a row was changed or moved.
        """
        place = place_of(path)
        if ordinal is None:
            row = statements.READ_CURRENT.run(connection, self._store, place).fetchone()
        else:
            row = statements.READ_VERSION.run(connection, ordinal, self._store, place).fetchone()
        if row is None:
            raise SecretNotFound("there is no such secret")
        current, encoded, mac, stored, media_type, wrapped_key, ciphertext = row
        head = self._verified(place, current, encoded, mac)
        wanted = head.current if ordinal is None else ordinal
        if wanted not in head.versions:
            raise SecretNotFound("there is no version yet") if ordinal is None else VersionNotFound("no such version")
        info = head.live(wanted, now)
        if stored is None:
            damaged(self._store, place)
        message = SealedMessage(wrapped_key, ciphertext)
        try:
            data = self._keyring.open(message, data=_bound(head, wanted, media_type), key=(str(path).encode(),))
        except (InvalidValue, TypeError, AttributeError):
            damaged(self._store, place)  # a column of another type is a changed row too
        return SecretVersion(info, Value(data, media_type), head.labels)

    def head(self, connection: Connection, path: Path) -> Head:
        """A secret's verified head. Raises SecretNotFound or Unavailable."""
        head = self._found(connection, place_of(path))
        if head is None:
            raise SecretNotFound("there is no such secret")
        return head

    def of_mount(self, connection: Connection) -> Head | None:
        """The verified head that holds the settings of the mount itself, at the one place that is no secret's."""
        return self._found(connection, place_of(ROOT))

    def change(self, connection: Connection, path: Path, transition: Transition, now: int) -> Head | None:
        """Find, verify, change, seal and store, within the caller's transaction; None when there was nothing to do.

        All of it under the writer's lock: a version's number is known no earlier, and preparing it in another thread
        costs more in hand-overs than the lock is held for.
        """
        place = place_of(path)
        found = statements.FIND.run(connection, self._store, place).fetchone()
        number, head = None, None
        if found is not None:
            number, *stored = found
            head = self._verified(place, *stored)
        change = transition(head, now)
        if change is None:
            return None
        encoded = heads.encode(change.head)
        row = (change.head.current, encoded, self._keyring.mac(_HEAD, self._fields(place, encoded)))
        if number is None:
            (number,) = statements.ADD_SECRET.run(connection, self._store, place, *row).fetchone()
        else:
            statements.CHANGE_SECRET.run(connection, *row, number)
        self._store_versions(connection, path, number, change)
        return change.head

    def remove(self, connection: Connection, place: bytes) -> None:
        """Delete a secret and all its versions, forged or not."""
        statements.REMOVE_SECRET.run(connection, self._store, place)

    def _store_versions(self, connection: Connection, path: Path, number: int, change: Change) -> None:
        head, value = change.head, change.value
        if value is not None:
            bound = _bound(head, head.latest, value.media_type)
            sealed = self._keyring.seal(value.data, data=bound, key=(str(path).encode(),))
            kept = (value.media_type, sealed.wrapped_key, sealed.ciphertext)
            statements.ADD_VERSION.run(connection, number, head.latest, *kept)
        for ordinal in change.removed:
            statements.REMOVE_VERSION.run(connection, number, ordinal)

    def _found(self, connection: Connection, place: bytes) -> Head | None:
        found = statements.FIND.run(connection, self._store, place).fetchone()
        return None if found is None else self._verified(place, *found[1:])

    def _fields(self, place: bytes, encoded: bytes) -> tuple[bytes, bytes, bytes]:
        return self._store_field, place, encoded

    def _verified(self, place: bytes, current: Any, encoded: Any, mac: Any) -> Head:
        """The head, once its MAC vouches for it and for where it stands; rows can hold any type."""
        if not isinstance(encoded, bytes) or not isinstance(mac, bytes):
            damaged(self._store, place)
        if not self._keyring.verify(_HEAD, self._fields(place, encoded), mac):
            damaged(self._store, place)
        try:
            head = heads.decode(encoded)
        except msgspec.MsgspecError:
            damaged(self._store, place)
        if head.current != current:
            damaged(self._store, place)
        return head


def _bound(head: Head, ordinal: int, media_type: str) -> tuple[bytes, bytes, bytes]:
    return head.id.encode(), str(ordinal).encode(), media_type.encode()
