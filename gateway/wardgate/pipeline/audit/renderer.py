"""Turns what is known of a request into the bytes of a record: the one place that decides what is shown."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Final

from wardgate import __version__
from wardgate.context import Context
from wardgate.pipeline.audit.details import details_of
from wardgate.pipeline.audit.record import Record, Stamps, encode
from wardgate.spi.frontend import Outcome
from wardgate.spi.identity import Principal
from wardgate.spi.operations.secrets import WriteSecret
from wardgate.spi.path import Path
from wardgate.spi.services import Clock
from wardgate.spi.values import SecretVersion

_TOKEN_PREFIX: Final = "wg_"  # noqa: S105  # what tokens begin with, not a token
_SHORTEST_TOKEN: Final = 40
_NANOSECONDS: Final = 1_000
_WIDEST: Final = 4
"""Bytes that a character takes at most."""

LONGEST_PATH: Final = 512
PATH_PREFIX: Final = 256
"""Bytes: what is left of a path that is longer than ``LONGEST_PATH``."""


class KeyedHash:
    """HMAC-SHA256 (RFC 2104) under one key, in half the time ``hmac`` takes: the key's two blocks are hashed once."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        block = key.ljust(hashlib.sha256().block_size, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def __call__(self, message: bytes) -> str:
        """The HMAC in hexadecimal digits. Keys are 64 bytes at most."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.hexdigest()


class Renderer:
    """Renders the records of one worker's run. ``key``: 32 bytes, from which those of the HMACs are made."""

    def __init__(self, slot: int, boot: str, key: bytes, clock: Clock) -> None:
        self._slot = slot
        self._boot = boot
        self._clock = clock
        self._stamp = Stamps()
        self._tokens = KeyedHash(hmac.digest(key, b"token", "sha256"))
        self._values = KeyedHash(hmac.digest(key, b"value", "sha256"))
        self._paths = KeyedHash(hmac.digest(key, b"path", "sha256"))

    def request(self, context: Context, pair: str) -> bytes:
        """The record before a change."""
        operation = context.operation
        value = operation.value.data if isinstance(operation, WriteSecret) else None
        return self._of(context, "request", pair, "", 0, self._digest(value))

    def closing(self, context: Context, pair: str, code: str, outcome: Outcome[Any] | None) -> bytes:
        """The record before an answer; the value's HMAC is that of the value read."""
        duration = max(0, self._clock.now() - context.arrival.received_at) // _NANOSECONDS
        value = outcome.result.value.data if outcome and isinstance(outcome.result, SecretVersion) else None
        return self._of(context, "closing", pair, code, duration, self._digest(value))

    def recovered(self, request: Record, code: str, found: str) -> bytes:
        """The closing record of a change that a crash left open; ``request`` is its request record."""
        return encode(
            Record(
                self._slot, self._boot, self._stamp(self._clock.now()), "closing", request.request, request.pair,
                request.namespace, request.principal, request.name, request.accessor, request.method,
                request.operation, request.action, request.path, request.mount, request.source,
                code=code, recovered=found,
            )
        )  # fmt: skip

    def summary(self, count: int, since: int, *, source: str = "", principal: str = "", code: str = "") -> bytes:
        """Records of one source or principal that were counted, not written; ``since`` in Unix nanoseconds."""
        return encode(
            Record(
                self._slot, self._boot, self._stamp(self._clock.now()), "summary",
                principal=principal, source=source, code=code, count=count, since=self._stamp(since),
            )
        )  # fmt: skip

    def boot(self, previous: str, cut: int) -> bytes:
        """The first record of a run."""
        now = self._stamp(self._clock.now())
        record = Record(self._slot, self._boot, now, "boot", version=__version__, previous=previous, cut=cut)
        return encode(record)

    def _of(self, context: Context, kind: str, pair: str, code: str, duration: int, value: str) -> bytes:
        operation, arrival, credential = context.operation, context.arrival, context.credential
        principal: Principal | None = context.known("principal")
        decision = context.known("decision")
        mount = context.mount
        return encode(
            Record(
                self._slot,
                self._boot,
                self._stamp(self._clock.now()),
                kind,
                arrival.id,
                pair,
                context.namespace,
                principal.id if principal else "",
                principal.name if principal else "",
                principal.accessor if principal else "",
                principal.method if principal else "",
                operation.name(),
                operation.action.value,
                self._path(operation.path),
                mount.id if mount else "",
                arrival.source,
                details_of(operation),
                code,
                duration,
                decision.policy if decision else "",
                decision.rule if decision else -1,
                self._token(credential.secret) if credential else "",
                value,
            )
        )

    def _path(self, path: Path) -> str:
        text = whole = "/".join(path.segments)
        if _TOKEN_PREFIX in text:
            text = "/".join(
                self._token(segment)
                if segment.startswith(_TOKEN_PREFIX) and len(segment) >= _SHORTEST_TOKEN
                else segment
                for segment in path.segments
            )
        if len(text) * _WIDEST <= LONGEST_PATH:
            return text
        encoded = text.encode()
        if len(encoded) <= LONGEST_PATH:
            return text
        # A character that the cut goes through is left out.
        return f"{encoded[:PATH_PREFIX].decode(errors='ignore')}…{self._paths(whole.encode())}"

    def _token(self, token: str) -> str:
        return self._tokens(token.encode("utf-8", "surrogatepass"))

    def _digest(self, value: bytes | None) -> str:
        return "" if value is None else self._values(value)
