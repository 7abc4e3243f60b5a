"""Idempotency keys: which changes were asked for under a key, and what was answered, for whoever asks again."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from wardgate.crypto import RootKey
from wardgate.crypto.envelope import pack
from wardgate.spi.errors import AlreadyExists, InvalidValue, OutcomeUnknown, RateLimited
from wardgate.spi.services import Clock
from wardgate.state.codes import Codes
from wardgate.state.database import Database, operation_id
from wardgate.state.tables import idempotency_keys

KEPT = 3_600 * 10**9
"""How long a key is remembered: one hour, in nanoseconds."""
MAX_KEYS = 10_000
"""Keys that one principal may have remembered at a time."""
MAX_BYTES = 64 * 1024 * 1024
"""Bytes of all answers kept for one principal."""
MAX_ANSWER = 1024 * 1024
"""Bytes of one answer; a longer one is not kept, and a repeat is told that nobody knows how it ended."""

T = TypeVar("T")

_SWEPT = 16
_keys = idempotency_keys
# Built once: SQLAlchemy takes longer to build a statement than SQLite to run it.
_FIND = select(_keys).where(_keys.c.lookup == bindparam("lookup"))
_INSERT = insert(_keys)
_REMOVE = delete(_keys).where(_keys.c.lookup == bindparam("lookup"))
_SWEEP = delete(_keys).where(
    _keys.c.lookup.in_(select(_keys.c.lookup).where(_keys.c.expires_at <= bindparam("now")).limit(_SWEPT))
)
_AS_CLAIMED = (_keys.c.lookup == bindparam("known")) & (_keys.c.mac == bindparam("known_mac"))
_KEEP = (
    update(_keys)
    .where(_AS_CLAIMED)
    .values(answer=bindparam("answer"), size=bindparam("size"), mac=bindparam("mac"))
)  # fmt: skip
_FORGET = delete(_keys).where(_AS_CLAIMED)
_HELD = select(func.count(), func.coalesce(func.sum(_keys.c.size), 0)).where(
    (_keys.c.namespace == bindparam("namespace"))
    & (_keys.c.principal == bindparam("principal"))
    & (_keys.c.expires_at > bindparam("now"))
)

Claim = Mapping[str, Any]
"""The row of a key that is new: its change may be made."""


class IdempotencyKeys:
    """Remembers keys, by keyed hashes of them and of what was asked for; one insertion decides who is first.

    Its writes are no part of the operation that is made under a key: they do not prove that it was made.
    """

    def __init__(self, database: Database, codes: Codes, clock: Clock, root: RootKey) -> None:
        self._database = database
        self._codes = codes
        self._clock = clock
        self._lookup_key = root.derive("idempotency-lookup")
        self._request_key = root.derive("idempotency-request")

    async def claim(
        self, namespace: str, principal: str, key: str, request: Sequence[bytes], busy: int
    ) -> Claim | bytes:
        """The claim of the first who asks under this key; whoever asks later gets the answer that was kept.

        Args:
            namespace: its id.
            principal: id of who asks; a key is its own.
            key: as the caller chose it.
            request: what was asked for.
            busy: nanoseconds that the change may take.

        Raises:
            AlreadyExists: the first one is still under way.
            InvalidValue: the key was that of another request.
            OutcomeUnknown: the first one never said how it ended, or its row was changed outside the gateway.
            RateLimited: this principal has as many keys remembered as it may.
        """
        now = self._clock.now()
        lookup = hmac.digest(self._lookup_key, pack([part.encode() for part in (namespace, principal, key)]), "sha256")
        fingerprint = hmac.digest(self._request_key, pack(list(request)), "sha256")
        row = self._codes.signed(
            _keys,
            {
                "lookup": lookup,
                "namespace": namespace,
                "principal": principal,
                "request": fingerprint,
                "busy_until": now + busy,
                "expires_at": now + KEPT,
                "answer": None,
                "size": 0,
            },
        )
        found = await self._write(lambda connection: _first(connection, row, now))
        if found is None:
            return row
        if not self._codes.vouch(_keys, found):
            raise OutcomeUnknown("what is remembered of this idempotency key cannot be trusted; read, then use another")
        if not hmac.compare_digest(found["request"], fingerprint):
            raise InvalidValue("this idempotency key was used for another request; take a new one for each request")
        if found["answer"] is not None:
            return bytes(found["answer"])
        if now < found["busy_until"]:
            raise AlreadyExists("a request with this idempotency key is still under way; try again later")
        raise OutcomeUnknown("how the request with this idempotency key ended is not known; read, then use another key")

    async def keep(self, claim: Claim, answer: bytes) -> None:
        """Keep the answer for whoever asks again."""
        if len(answer) > MAX_ANSWER:
            return
        row = self._codes.signed(_keys, {**claim, "answer": answer, "size": len(answer)})
        kept = {"answer": answer, "size": len(answer), "mac": row["mac"]}
        await self._write(lambda connection: connection.execute(_KEEP, {**_known(claim), **kept}))

    async def forget(self, claim: Claim) -> None:
        """Nothing was changed: whoever asks again is the first."""
        await self._write(lambda connection: connection.execute(_FORGET, _known(claim)))

    async def _write(self, work: Callable[[Connection], T]) -> T:
        outer = operation_id.set(None)
        try:
            return await self._database.write(work)
        finally:
            operation_id.reset(outer)


def _known(claim: Claim) -> dict[str, Any]:
    return {"known": claim["lookup"], "known_mac": claim["mac"]}


def _first(connection: Connection, row: Mapping[str, Any], now: int) -> dict[str, Any] | None:
    """Insert the row of a new key; or the row that is there already. Raises RateLimited."""
    connection.execute(_SWEEP, {"now": now})
    found = connection.execute(_FIND, {"lookup": row["lookup"]}).mappings().first()
    if found is not None and found["expires_at"] > now:
        return dict(found)
    connection.execute(_REMOVE, {"lookup": row["lookup"]})
    of = {"namespace": row["namespace"], "principal": row["principal"], "now": now}
    count, size = connection.execute(_HELD, of).one()
    if count >= MAX_KEYS or size >= MAX_BYTES:
        raise RateLimited("too many idempotency keys of this principal are remembered; each is for an hour")
    connection.execute(_INSERT, dict(row))
    return None
