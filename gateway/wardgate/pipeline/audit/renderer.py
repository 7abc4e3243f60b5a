"""Turns what is known of a request into the bytes of a record: the one place that decides what is shown."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from functools import partial
from itertools import repeat
from typing import Any, Final

import msgspec

from wardgate import __version__
from wardgate.context import Context, Decision
from wardgate.pipeline.audit.details import details_of, wrapping_of
from wardgate.pipeline.audit.fragments import Fragments, Parts, fields_of
from wardgate.pipeline.audit.record import Item, Record, Stamps, encode
from wardgate.spi.errors import WardgateError
from wardgate.spi.frontend import Outcome, Repeated
from wardgate.spi.identity import Principal
from wardgate.spi.operations.base import Batch, Operation
from wardgate.spi.operations.secrets import WriteSecret
from wardgate.spi.operations.wrapping import Wrapped
from wardgate.spi.path import Path
from wardgate.spi.services import Clock
from wardgate.spi.values import SecretVersion

_TOKEN_PREFIX: Final = "wg_"  # noqa: S105  # what tokens begin with, not a token
_TOKEN: Final = re.compile(r"wg_[0-9A-Za-z_-]{37,}")
_NANOSECONDS: Final = 1_000
_WIDEST: Final = 4
"""Bytes that a character takes at most."""

_AFTER_TIME: Final = b'","kind":""}'
_REQUEST: Final = b'","kind":"request","request":"'
_CLOSING: Final = b'","kind":"closing","request":"'
_DIGEST: Final = "audit"
_EMPTY: Final = Record(0, "", "", "")

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
        self._now = clock.now
        self._head = encode(Record(slot, boot, "", ""))[: -len(_AFTER_TIME)]
        self._fragments = Fragments(self._parts)
        self._stamp = Stamps()
        self._tokens = KeyedHash(hmac.digest(key, b"token", "sha256"))
        self._values = KeyedHash(hmac.digest(key, b"value", "sha256"))
        self._paths = KeyedHash(hmac.digest(key, b"path", "sha256"))

    def request(self, context: Context, pair: str) -> bytes:
        """The record before a change."""
        operation = context.operation
        value = self._digest(operation.value.data) if isinstance(operation, WriteSecret) else b""
        return self._of(context, _REQUEST, pair, "", 0, value, None)

    def closing(self, context: Context, pair: str, code: str, outcome: Outcome[Any] | None) -> bytes:
        """The record before an answer; the value's HMAC is that of the value read."""
        duration = max(0, self._now() - context.arrival.received_at) // _NANOSECONDS
        value = self._read(outcome) if outcome and isinstance(outcome.result, SecretVersion) else b""
        return self._of(context, _CLOSING, pair, code, duration, value, outcome)

    def recovered(self, request: Record, code: str, found: str) -> bytes:
        """The closing record of a change that a crash left open; ``request`` is its request record."""
        return encode(
            Record(
                self._slot, self._boot, self._stamp(self._now()), "closing", request.request, request.pair,
                request.namespace, request.principal, request.name, request.accessor, request.method,
                request.operation, request.action, request.path, request.mount, request.source,
                code=code, recovered=found,
            )
        )  # fmt: skip

    def summary(self, count: int, since: int, *, source: str = "", principal: str = "", code: str = "") -> bytes:
        """Records of one source or principal that were counted, not written; ``since`` in Unix nanoseconds."""
        return encode(
            Record(
                self._slot, self._boot, self._stamp(self._now()), "summary",
                principal=principal, source=source, code=code, count=count, since=self._stamp(since),
            )
        )  # fmt: skip

    def boot(self, previous: str, cut: int) -> bytes:
        """The first record of a run."""
        now = self._stamp(self._now())
        record = Record(self._slot, self._boot, now, "boot", version=__version__, previous=previous, cut=cut)
        return encode(record)

    def _of(
        self,
        context: Context,
        kind: bytes,
        pair: str,
        code: str,
        duration: int,
        value: bytes,
        outcome: Outcome[Any] | None,
    ) -> bytes:
        """Join the parts in the order of :class:`Record`'s fields."""
        arrival, credential = context.arrival, context.credential
        subject, rule = self._fragments.of(context, code, outcome)
        token = context.fingerprint or (self.fingerprint(credential.secret) if credential else "")
        return b"".join(
            (
                self._head,
                self._stamp.encoded(self._now()),
                kind,
                arrival.id.encode(),
                b'","pair":"%b"' % pair.encode() if pair else b'"',
                subject,
                b',"duration":%d' % duration if duration else b"",
                rule,
                b',"token":"%b"' % token.encode() if token else b"",
                b',"value":"%b"}' % value if value else b"}",
            )
        )

    def _parts(self, context: Context, code: str, outcome: Outcome[Any] | None) -> Parts:
        decision = context.known("decision")
        rule = Record(0, "", "", "", policy=decision.policy, rule=decision.rule) if decision else _EMPTY
        return Parts(fields_of(self._subject(context, code, outcome)), fields_of(rule))

    def _items(self, context: Context, batch: Batch[Any], outcome: Outcome[Any] | None) -> tuple[msgspec.Raw, ...]:
        wrapped = outcome is not None and isinstance(outcome.result, Wrapped | Repeated)
        results = outcome.result if outcome and not wrapped else repeat(None)
        decisions = context.known("decisions") or repeat(None)
        return tuple(map(partial(self._item, context.defects), batch.items, decisions, results))

    def _item(
        self, defects: Sequence[WardgateError], item: Operation[Any], decision: Decision | None, result: Any
    ) -> msgspec.Raw:
        if isinstance(item, WriteSecret):
            value = self._digest(item.value.data)
        else:
            value = self._digest(result.value.data) if isinstance(result, SecretVersion) else b""
        code = "" if result is None else result.code if isinstance(result, WardgateError) else "ok"
        if any(result is defect for defect in defects):
            code = "internal"
        return msgspec.Raw(
            encode(
                Item(
                    self._path(item.path),
                    details=details_of(item, self._hidden),
                    code=code,
                    policy=decision.policy if decision else "",
                    rule=decision.rule if decision else -1,
                    value=value.decode(),
                )
            )
        )

    def _subject(self, context: Context, code: str, outcome: Outcome[Any] | None) -> Record:
        operation = context.operation
        principal: Principal | None = context.known("principal")
        return Record(
            0, "", "", "",
            namespace=context.namespace,
            principal=principal.id if principal else "",
            name=principal.name if principal else "",
            accessor=principal.accessor if principal else "",
            method=principal.method if principal else "",
            operation=operation.name(),
            action=operation.action.value,
            path=self._path(operation.path),
            mount=context.mount.id if context.mount else "",
            source=context.arrival.source,
            details=wrapping_of(context.wrap, outcome, details_of(operation, self._hidden), self._hidden),
            items=self._items(context, operation, outcome) if isinstance(operation, Batch) else (),
            code=code,
        )  # fmt: skip

    def _path(self, path: Path) -> str:
        whole = "/".join(path.segments)
        text = self._hidden(whole)
        if len(text) * _WIDEST <= LONGEST_PATH:
            return text
        encoded = text.encode()
        if len(encoded) <= LONGEST_PATH:
            return text
        # A character that the cut goes through is left out.
        return f"{encoded[:PATH_PREFIX].decode(errors='ignore')}…{self._paths(whole.encode())}"

    def _hidden(self, text: str) -> str:
        """The same without tokens, which people write where they do not belong."""
        return _TOKEN.sub(lambda token: self.fingerprint(token[0]), text) if _TOKEN_PREFIX in text else text

    def fingerprint(self, token: str) -> str:
        """The HMAC that stands for a token in every record."""
        return self._tokens(token.encode("utf-8", "surrogatepass"))

    def _digest(self, value: bytes) -> bytes:
        return self._values(value).encode()

    def _read(self, outcome: Outcome[Any]) -> bytes:
        """The HMAC of the value read; kept as long as the cache keeps the value."""
        if outcome.rendered is None:
            return self._digest(outcome.result.value.data)
        digest = outcome.rendered.get(_DIGEST)
        if digest is None:
            digest = outcome.rendered[_DIGEST] = self._digest(outcome.result.value.data)
        return digest
