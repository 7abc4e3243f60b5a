"""Idempotency keys on this wire: the header, and answers kept for whoever sends the same request again.

The header is that of draft-ietf-httpapi-idempotency-key-header; its text may stand without the quotes, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from wardgate.spi.errors import Malformed
from wardgate.spi.frontend import Outcome, Repeat, Repeated

from wardgate_native.api.wire import Answer, to_keep

HEADER = "idempotency-key"
REPLAYED = ("idempotent-replayed", "true")
# Headers that change what a request means; its credential does not, and its principal is told apart by the gateway.
_MEANT = ("content-type", "if-match", "if-none-match")
PATTERN = r'^([!#-+\--~]{1,255}|"([ !#-\[\]-~]|\\["\\]){1,255}")$'
"""What a key looks like, bare or as a structured field's string."""
_KEY = re.compile(PATTERN)


class _Kept(msgspec.Struct, array_like=True):
    """What is kept of an answer: the body is JSON, or None."""

    status: int
    headers: list[tuple[str, str]]
    media_type: str
    body: bytes | None


_encode_body = msgspec.json.Encoder().encode
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Kept).decode


def key_of(headers: Mapping[str, str]) -> str | None:
    """The key of ``Idempotency-Key``: 1 to 255 printable ASCII characters. Raises Malformed."""
    given = headers.get(HEADER)
    if given is None:
        return None
    given = given.strip()
    if not _KEY.fullmatch(given):
        raise Malformed('Idempotency-Key is 1 to 255 printable characters, with or without quotes: "8e03978e-40d5"')
    return re.sub(r"\\(.)", r"\1", given[1:-1]) if given.startswith('"') else given


def repeat(
    key: str,
    target: tuple[bytes, ...],
    headers: Mapping[str, str],
    body: bytes,
    answer: Callable[[Outcome[Any]], Answer],
) -> Repeat:
    """What the gateway is asked to do once; ``target``: the method and all that stands in the request's line."""
    meant = (headers.get(name, "").encode("latin-1") for name in _MEANT)
    return Repeat(key, (*target, *meant, body), lambda outcome: _keep(answer(outcome)))


def _keep(answer: Answer) -> bytes:
    # Only values travel as bytes, and no answer to a change has one.
    assert not isinstance(answer.body, bytes)
    body = None if answer.body is None else _encode_body(to_keep(answer.body))
    return _encode(_Kept(answer.status or 0, list(answer.headers), answer.media_type, body))


def again(repeated: Repeated) -> Answer:
    """The answer that was kept."""
    kept = _decode(repeated.answer)
    return Answer(kept.body, kept.status, kept.media_type, (*kept.headers, REPLAYED))
