"""A request's head: what is refused in it because two readers could read it differently, or because it is too much."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from wardgate.config import Limits

CHUNKED: Final = -1
"""Instead of a body's length: it comes in chunks."""

_REQUEST_LINE = re.compile(rb"([!-~]+) (/[!-\"$-~]*) (HTTP/1\.[01])\r\n")  # the target: visible ASCII without '#'
# HTTP's own. A front-end refuses what is repeated of its wire's headers: in its own form, and audited.
_ONCE = (b"authorization", b"content-encoding", b"content-length", b"content-type", b"host", b"transfer-encoding")
_UPGRADE = re.compile(rb"\r\nupgrade:", re.IGNORECASE)
_LONGEST_NUMBER = 18


class BadRequest(Exception):
    """The request is answered with ``status`` and one plain sentence, and its connection is closed."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


def request_line(head: bytes) -> tuple[bytes, bytes, bytes]:
    """The verb, target and version that a head starts with.

    Raises:
        BadRequest: the target is not a path (origin-form), or the line has other than single spaces.
    """
    line = _REQUEST_LINE.match(head)
    if line is None:
        raise BadRequest(400, "the first line must be: METHOD /path HTTP/1.1, with no # in the path")
    return line.groups()  # type: ignore[return-value]  # the pattern has three groups


def without_upgrade(head: bytes) -> bytes:
    """The head with any Upgrade header under a name that means nothing.

    The parser would take a body for the other protocol's bytes, and the next request out of them. Nothing is ever
    upgraded here; ignoring the wish is what HTTP asks for, and Java's client has it in its first request.
    """
    return _UPGRADE.sub(b"\r\nx-upgrade-ignored:", head)


def body_length(version: bytes, headers: list[tuple[bytes, bytes]], limits: Limits) -> int:
    """Bytes of the body that follows, or CHUNKED. The headers' names are in lower case.

    Raises:
        BadRequest: a header is repeated, missing or contradicts another, or the body is over its limit.
    """
    named = dict(headers)
    if len(named) != len(headers):
        _refuse_repeated([name for name, _ in headers])
    if len(headers) > limits.header_count:
        raise BadRequest(431, f"the request has more than {limits.header_count} header lines")
    if b"host" not in named and version == b"HTTP/1.1":
        raise BadRequest(400, "the request has no Host header")
    if b"transfer-encoding" in named:
        _check_chunked(version, named)
        return CHUNKED
    if b"content-length" in named:
        return _content_length(named[b"content-length"], limits)
    return 0


def too_large(limits: Limits) -> BadRequest:
    """The body is over its limit."""
    return BadRequest(413, f"the request's body is larger than {limits.body_bytes} bytes")


def _refuse_repeated(names: list[bytes]) -> None:
    for name in _ONCE:
        if names.count(name) > 1:
            raise BadRequest(400, f"the header {name.decode()} is given twice")


def _check_chunked(version: bytes, named: Mapping[bytes, bytes]) -> None:
    if b"content-length" in named:
        raise BadRequest(400, "Content-Length and Transfer-Encoding cannot both be given")
    if version != b"HTTP/1.1" or named[b"transfer-encoding"].lower() != b"chunked":
        raise BadRequest(400, "the only Transfer-Encoding is chunked, in HTTP/1.1")


def _content_length(text: bytes, limits: Limits) -> int:
    if not text.isdigit() or len(text) > _LONGEST_NUMBER:
        raise BadRequest(400, "Content-Length is not a number")
    length = int(text)
    if length > limits.body_bytes:
        raise too_large(limits)
    return length
