"""A request's head: what is refused in it because two readers could read it differently, or because it is too much."""

from __future__ import annotations

import re
from typing import Final

from wardgate.config import Limits

CHUNKED: Final = -1
"""Instead of a body's length: it comes in chunks."""

VERSIONS: Final = (b"HTTP/1.1", b"HTTP/1.0")
_ORIGIN_FORM = re.compile(rb"/[!-\"$-~]*")  # visible ASCII without '#'
_ONCE = (
    b"authorization", b"content-encoding", b"content-length", b"content-type", b"host", b"transfer-encoding",
    b"x-amz-target", b"x-vault-namespace", b"x-vault-token", b"x-vault-wrap-ttl",
)  # fmt: skip
_UPGRADE = re.compile(rb"\r\nupgrade:", re.IGNORECASE)
_LONGEST_NUMBER = 18


class BadRequest(Exception):
    """The request is answered with ``status`` and one plain sentence, and its connection is closed."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


def request_line(head: bytes, limits: Limits) -> tuple[bytes, bytes, bytes]:
    r"""The verb, target and version of a head that ends with its first ``\r\n\r\n``.

    Raises:
        BadRequest: its lines could be split differently (bare CR or LF, folded lines, spaces), there are too many,
            or the target is not a path.
    """
    lines = head.count(b"\r\n")
    if head.count(b"\r") != lines or head.count(b"\n") != lines or b"\n " in head or b"\n\t" in head:
        raise BadRequest(400, "a header line is folded or ends without CR LF")
    if lines - 2 > limits.header_count:
        raise BadRequest(431, f"the request has more than {limits.header_count} header lines")
    words = head[: head.index(b"\r\n")].split(b" ")
    if len(words) != 3 or words[2] not in VERSIONS:  # noqa: PLR2004  # verb, target, version
        raise BadRequest(400, "the first line must be: METHOD /path HTTP/1.1")
    verb, target, version = words
    if not _ORIGIN_FORM.fullmatch(target):
        raise BadRequest(400, "the request's target must be a path: it starts with / and holds no #")
    return verb, target, version


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
    names = {name for name, _ in headers}
    if len(names) != len(headers):
        _refuse_repeated([name for name, _ in headers])
    if version == b"HTTP/1.1" and b"host" not in names:
        raise BadRequest(400, "the request has no Host header")
    if b"transfer-encoding" in names:
        _check_chunked(version, names, headers)
        return CHUNKED
    if b"content-length" in names:
        return _content_length(headers, limits)
    return 0


def too_large(limits: Limits) -> BadRequest:
    """The body is over its limit."""
    return BadRequest(413, f"the request's body is larger than {limits.body_bytes} bytes")


def _refuse_repeated(names: list[bytes]) -> None:
    for name in _ONCE:
        if names.count(name) > 1:
            raise BadRequest(400, f"the header {name.decode()} is given twice")


def _check_chunked(version: bytes, names: set[bytes], headers: list[tuple[bytes, bytes]]) -> None:
    if b"content-length" in names:
        raise BadRequest(400, "Content-Length and Transfer-Encoding cannot both be given")
    coding = next(value for name, value in headers if name == b"transfer-encoding")
    if version != b"HTTP/1.1" or coding.lower() != b"chunked":
        raise BadRequest(400, "the only Transfer-Encoding is chunked, in HTTP/1.1")


def _content_length(headers: list[tuple[bytes, bytes]], limits: Limits) -> int:
    text = next(value for name, value in headers if name == b"content-length")
    if not text.isdigit() or len(text) > _LONGEST_NUMBER:
        raise BadRequest(400, "Content-Length is not a number")
    length = int(text)
    if length > limits.body_bytes:
        raise too_large(limits)
    return length
