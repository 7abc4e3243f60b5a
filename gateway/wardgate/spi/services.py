"""What the gateway lends to a plugin when it opens it: a clock, a keyring, storage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Protocol, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")
Fields = Sequence[bytes]


class Clock(Protocol):
    """Time, passed in so that tests need not sleep."""

    def now(self) -> int:
        """Unix time in nanoseconds, UTC."""

    def monotonic(self) -> float:
        """Seconds that only grow."""


@dataclass(frozen=True, slots=True)
class SealedMessage:
    """One sealed message: its wrapped data key (delete that, and it is shredded) and its ciphertext."""

    wrapped_key: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)


class Keyring(Protocol):
    """Seals and opens under one namespace's keys; it never yields a key.

    Fields are bound as additional data, each with its length, in order.
    """

    def seal(self, plaintext: bytes, *, data: Fields, key: Fields) -> SealedMessage:
        """Encrypt under a fresh data key. ``data`` binds the ciphertext; ``data`` and ``key`` bind the wrapped key."""

    def open(self, message: SealedMessage, *, data: Fields, key: Fields) -> bytes:
        """Decrypt. Raises :class:`wardgate.spi.errors.InvalidValue` when anything was changed or moved."""

    def rewrap(self, message: SealedMessage, *, data: Fields, key: Fields, new_key: Fields) -> SealedMessage:
        """The same ciphertext with its data key wrapped anew: a rename, or a newer KEK."""

    def mac(self, purpose: str, fields: Fields) -> bytes:
        """32 bytes that vouch for a row."""

    def verify(self, purpose: str, fields: Fields, mac: bytes) -> bool:
        """Whether ``mac`` vouches for exactly these fields; in constant time."""


class Storage(Protocol):
    """Durable rows of this plugin in this namespace, behind SQL."""

    def migrate(self, scripts: FilePath, *, version_table: str) -> None:
        """Bring the schema to the newest Alembic revision in ``scripts``. Called in ``open``."""

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection of the calling thread for reads; sees every committed write."""

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a savepoint of the next group commit; return its result once it is durable.

        What ``work`` raises undoes that savepoint alone and reaches the caller. ``work`` runs in the writer's
        thread and must not wait. The operation's audit id is committed with it.
        """


@dataclass(frozen=True, slots=True)
class Services:
    """Handed to ``open``. ``namespace`` and ``mount`` are ids, for binding what is sealed.

    An authenticator serves every namespace: it gets the root's, and ``authenticator/NAME`` stands for a mount. Its
    storage is the gateway's own file: its tables, and its version table, begin with its name.
    """

    clock: Clock
    keyring: Keyring
    storage: Storage
    namespace: str
    mount: str
