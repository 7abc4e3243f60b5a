"""Wrapped answers: kept under a token that is itself kept nowhere, and given out once."""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from wardgate.crypto import NamespaceKeyring, RootKey, envelope
from wardgate.spi.errors import InvalidValue, RateLimited, TooLarge
from wardgate.spi.operations.wrapping import MAX_TTL, Unwrapped, Wrapped
from wardgate.spi.services import Clock, SealedMessage
from wardgate.state.codes import Codes
from wardgate.state.database import Database
from wardgate.state.tables import wrapped
from wardgate.state.tokens import new_id, new_token

MAX_KEPT = 10_000
"""Answers kept at a time for one namespace."""
MAX_BYTES = 64 * 1024 * 1024
"""Bytes of all answers kept for one namespace."""
OWN_KEPT = MAX_KEPT // 8
"""Answers of one maker among them."""
OWN_BYTES = MAX_BYTES // 8
"""Bytes of one maker's answers; the largest one has room in it."""
MAX_ANSWER = 4 * 1024 * 1024
"""Bytes of one answer."""
GONE = "wrapping token is not valid or does not exist"
"""The one answer to any token that does not hold, whatever is wrong with it."""

_STORE = "wrapping"
_INFO = b"wardgate/1/wrapping"
_NO_SALT = bytes(envelope.SALT_BYTES)
_SWEPT = 16
# Built once: SQLAlchemy takes longer to build a statement than SQLite to run it.
_BY_LOOKUP = select(wrapped).where(wrapped.c.lookup == bindparam("lookup"))
_INSERT = insert(wrapped)
_TAKE = (
    delete(wrapped)
    .where((wrapped.c.accessor == bindparam("known")) & (wrapped.c.mac == bindparam("known_mac")))
    .returning(wrapped.c.accessor)
)
_SWEEP = delete(wrapped).where(
    wrapped.c.accessor.in_(select(wrapped.c.accessor).where(wrapped.c.expires_at <= bindparam("now")).limit(_SWEPT))
)
_HELD = select(func.count(), func.coalesce(func.sum(wrapped.c.size), 0)).where(
    (wrapped.c.namespace == bindparam("namespace")) & (wrapped.c.expires_at > bindparam("now"))
)
_OWN = _HELD.where(wrapped.c.maker == bindparam("maker"))


class Wrapping:
    """Keeps answers, and gives each out to the first who shows its token.

    A payload is sealed twice: under a key that only the token gives (HKDF-SHA512 of it), and then under the
    namespace's keys. So neither the file with the root key, nor the token without them, is enough.
    """

    def __init__(
        self,
        database: Database,
        codes: Codes,
        clock: Clock,
        keyring: Callable[[str], NamespaceKeyring],
        root: RootKey,
    ) -> None:
        self._database = database
        self._codes = codes
        self._clock = clock
        self._keyring = keyring
        self._lookup_key = root.derive("wrapping-lookup")

    def check(self, namespace: str, ttl: int, maker: str | None = None) -> None:
        """Refuse before anything is done what could not be kept afterwards; ``maker`` None: not known yet.

        Raises:
            InvalidValue: the time is none, or too long.
            RateLimited: there is no room.
        """
        if not 0 < ttl <= MAX_TTL:
            raise InvalidValue("an answer is kept wrapped for more than nothing and at most 32 days")
        with self._database.reading() as connection:
            self._check_room(connection, namespace, maker, 0)

    async def keep(
        self,
        namespace: str,
        payload: bytes,
        *,
        ttl: int,
        creation_path: str,
        wrapped_accessor: str = "",
        maker: str = "",
    ) -> Wrapped:
        """Keep an answer; the token is in what is returned, and nowhere else.

        Args:
            namespace: its id; only there the answer can be unwrapped.
            payload: what unwrapping gives.
            ttl: nanoseconds.
            creation_path: where the answer came from.
            wrapped_accessor: of the token inside it, if any.
            maker: whose share of the room it takes; empty: that of all who are nobody.

        Raises:
            TooLarge: the answer is over ``MAX_ANSWER``.
            RateLimited: the namespace keeps as many as it may, or the maker.
        """
        made = Wrapped(new_id(), ttl, self._clock.now(), creation_path, wrapped_accessor, new_token())
        row = self._sealed(namespace, made, payload, maker)

        def work(connection: Connection) -> None:
            self._insert(connection, row)

        await self._database.write(work)
        return made

    def lookup(self, namespace: str, token: str) -> Wrapped:
        """What is told of a kept answer. Raises InvalidValue."""
        return _shown(self._row(namespace, token))

    async def take(self, namespace: str, token: str) -> Unwrapped:
        """Give an answer out and forget it: of all who ask at once, in any worker, one gets it.

        Raises:
            InvalidValue: unknown, used, expired, forged, or another namespace's; the message does not say which.
        """
        row = self._row(namespace, token)
        payload = self._opened(row, token)
        await self._database.write(lambda connection: _take(connection, row))
        return Unwrapped(_shown(row), payload)

    async def renew(self, namespace: str, token: str) -> Wrapped:
        """Keep an answer under a new token for as long as it was kept first. Raises InvalidValue as ``take`` does."""
        row = self._row(namespace, token)
        old = _shown(row)
        made = Wrapped(
            new_id(), old.ttl, self._clock.now(), old.creation_path, old.wrapped_accessor, new_token()
        )  # fmt: skip
        again = self._sealed(namespace, made, self._opened(row, token), row["maker"])

        def work(connection: Connection) -> None:
            _take(connection, row)
            self._insert(connection, again)

        await self._database.write(work)
        return made

    def _row(self, namespace: str, token: str) -> Mapping[str, Any]:
        with self._database.reading() as connection:
            found = connection.execute(_BY_LOOKUP, {"lookup": self._lookup(token)}).mappings().first()
        row = dict(found or {})
        if (
            not row
            or not self._codes.vouch(wrapped, row)
            or row["namespace"] != namespace
            or row["expires_at"] <= self._clock.now()
        ):
            raise InvalidValue(GONE)
        return row

    def _sealed(self, namespace: str, made: Wrapped, payload: bytes, maker: str | None) -> dict[str, Any]:
        if len(payload) > MAX_ANSWER:
            raise TooLarge(f"the answer is longer than the {MAX_ANSWER} bytes that can be kept; ask for it unwrapped")
        binding = [made.accessor.encode()]
        inner = envelope.seal_data(
            payload, data_key=_key(made.token), salt=os.urandom(envelope.SALT_BYTES), aad=envelope.pack(binding)
        )
        message = self._keyring(namespace).scoped(_STORE).seal(inner, data=binding, key=binding)
        return self._codes.signed(
            wrapped,
            {
                "accessor": made.accessor,
                "namespace": namespace,
                "lookup": self._lookup(made.token),
                "created_at": made.created_at,
                "expires_at": made.created_at + made.ttl,
                "creation_path": made.creation_path,
                "wrapped_accessor": made.wrapped_accessor,
                "payload_key": message.wrapped_key,
                "payload": message.ciphertext,
                "size": len(message.ciphertext),
                "maker": maker,
            },
        )

    def _opened(self, row: Mapping[str, Any], token: str) -> bytes:
        binding = [str(row["accessor"]).encode()]
        message = SealedMessage(row["payload_key"], row["payload"])
        inner = self._keyring(row["namespace"]).scoped(_STORE).open(message, data=binding, key=binding)
        return envelope.open_data(inner, data_key=_key(token), aad=envelope.pack(binding))

    def _insert(self, connection: Connection, row: Mapping[str, Any]) -> None:
        connection.execute(_SWEEP, {"now": self._clock.now()})
        self._check_room(connection, row["namespace"], row["maker"], row["size"])
        connection.execute(_INSERT, dict(row))

    def _check_room(self, connection: Connection, namespace: str, maker: str | None, more: int) -> None:
        asked = {"namespace": namespace, "now": self._clock.now()}
        count, size = connection.execute(_HELD, asked).one()
        if count >= MAX_KEPT or size + more > MAX_BYTES:
            raise RateLimited("this namespace keeps as many wrapped answers as it may; unwrap some, or let them expire")
        if maker is None:
            return
        count, size = connection.execute(_OWN, {**asked, "maker": maker}).one()
        if count >= OWN_KEPT or size + more > OWN_BYTES:
            raise RateLimited("whoever asks has as many wrapped answers as one may; unwrap some, or let them expire")

    def _lookup(self, token: str) -> bytes:
        return hmac.digest(self._lookup_key, token.encode("utf-8", "surrogatepass"), "sha256")


def _key(token: str) -> bytes:
    # The token has 256 random bits, so that no salt is needed.
    return envelope.hkdf(
        token.encode("utf-8", "surrogatepass"), salt=_NO_SALT, info=_INFO, length=envelope.KEY_BYTES
    )  # fmt: skip


def _take(connection: Connection, row: Mapping[str, Any]) -> None:
    taken = connection.execute(_TAKE, {"known": row["accessor"], "known_mac": row["mac"]}).scalar()
    if taken is None:
        raise InvalidValue(GONE)


def _shown(row: Mapping[str, Any]) -> Wrapped:
    return Wrapped(
        row["accessor"],
        row["expires_at"] - row["created_at"],
        row["created_at"],
        row["creation_path"],
        row["wrapped_accessor"],
    )
