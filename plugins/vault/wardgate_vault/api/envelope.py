"""Answers as Vault writes them: the envelope around every result, and the bare list of errors."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from typing import NamedTuple

import msgspec
from wardgate.spi import http
from wardgate.spi.frontend import Freshness, Send

JSON_HEADERS = ((b"content-type", b"application/json"), (b"cache-control", b"no-store"))
"""On every answer. The content type is exact: hvac compares it, and loses the errors when it finds a charset."""

NO_CONTENT_STATUS = 204
_ENCODER = msgspec.json.Encoder()
_BEFORE_DATA = b'","lease_id":"","renewable":false,"lease_duration":0,"data":'
_EMPTY_TAIL = b',"wrap_info":null,"warnings":null,"auth":null}\n'


class Answer(NamedTuple):
    """A response without its transport. ``headers`` come on top of those every answer has."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()


NO_CONTENT = Answer(NO_CONTENT_STATUS)


def encode(value: object) -> bytes:
    """JSON text of anything msgspec knows, dictionaries in their own order."""
    return _ENCODER.encode(value)


def envelope(
    request_id: str,
    data: bytes = b"null",
    *,
    auth: object = None,
    wrap_info: object = None,
    warnings: Iterable[str] = (),
    status: int = 200,
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> Answer:
    """The answer around ``data``, which is JSON text already."""
    return Answer(
        status, b"".join((b'{"request_id":"', *_parts(request_id, data, auth, tuple(warnings), wrap_info))), headers
    )


def leased(answer: Answer, seconds: int) -> Answer:
    """The same answer with how long its data may be kept, as KV version 1 says it: no lease, and a duration."""
    body = answer.body.replace(b'"lease_duration":0', b'"lease_duration":%d' % seconds, 1)
    return Answer(answer.status, body, answer.headers)


def stale(freshness: Freshness) -> tuple[str, tuple[bytes, bytes]]:
    """The warning and the header of an answer that is older than it should be."""
    age = int(freshness.age)
    return f"the store does not answer; this value was read {age} seconds ago", (b"age", b"%d" % age)


def flattened(request_id: str, data: Mapping[str, object]) -> Answer:
    """The answer of some of Vault's system paths: ``data``, and its fields once more at the top, first."""
    text = encode(data)
    top = text[:-1] + b',"request_id":"' if data else b'{"request_id":"'
    return Answer(200, b"".join((top, *_parts(request_id, text, None, ()))))


def _parts(
    request_id: str, data: bytes, auth: object, warnings: tuple[str, ...], wrap_info: object = None
) -> tuple[bytes, ...]:
    if auth is None and wrap_info is None and not warnings:
        return (request_id.encode(), _BEFORE_DATA, data, _EMPTY_TAIL)
    tail = (
        b',"wrap_info":',
        encode(wrap_info),
        b',"warnings":',
        encode(warnings or None),
        b',"auth":',
        encode(auth),
        b"}\n",
    )
    return (request_id.encode(), _BEFORE_DATA, data, *tail)


def refusal(status: int, *errors: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Answer:
    """The answer of a failure: a list of sentences, which Vault leaves empty for a plain 404."""
    return Answer(status, encode({"errors": errors}) + b"\n", headers)


def one_error(status: int, error: str, *more: str) -> Answer:
    """A failure in the frame that Vault's core puts around errors of its own."""
    return refusal(status, f"1 error occurred:\n\t* {error}\n\n", *more)


def send_answer(send: Send, answer: Answer, *, head: bool = False) -> Awaitable[None]:
    """Write the answer; ``head`` leaves the body out and keeps its length."""
    content = None if answer.status == NO_CONTENT_STATUS else answer.body
    return http.answer(send, answer.status, (*JSON_HEADERS, *answer.headers), content, head=head)
