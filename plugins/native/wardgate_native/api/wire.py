"""The forms of the wire: answers, times, durations and entity tags."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import quote, unquote

import msgspec
from wardgate.spi.errors import Malformed

SECOND = 1_000_000_000
_MAX_SECONDS = 100 * 366 * 86_400
# All that RFC 9110 allows between the quotes of an entity tag, but the per cent sign that we escape with.
_ETAG_SAFE = "!#$&'()*+,-./:;<=>?@[]^_`{|}~"

Seconds = Annotated[int, msgspec.Meta(ge=0, le=_MAX_SECONDS)]


class Body(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Base of what callers send and receive: unknown fields are refused."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response without its socket: ``body`` is a struct for JSON, bytes as they are, or None."""

    body: msgspec.Struct | bytes | None = field(default=None, repr=False)
    status: int = 200
    media_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


def rfc3339(nanoseconds: int | None) -> str | None:
    """Unix nanoseconds as RFC 3339 in UTC, to the microsecond; None for None."""
    if nanoseconds is None:
        return None
    seconds, rest = divmod(nanoseconds, SECOND)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1_000)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def seconds(nanoseconds: int | None) -> int | None:
    """Whole seconds, rounded down; None for None."""
    return None if nanoseconds is None else nanoseconds // SECOND


def nanoseconds(of_seconds: int | None) -> int | None:
    """The opposite of :func:`seconds`."""
    return None if of_seconds is None else of_seconds * SECOND


def etag(version: str) -> str:
    """A store's version id as an entity tag; reversible."""
    return f'"{quote(version, safe=_ETAG_SAFE)}"'


def version_of(tag: str) -> str:
    """The version id of an entity tag. Raises Malformed for a weak one, a list, or ``*``."""
    inner = tag[1:-1]
    if len(tag) < len('"x"') or tag[0] != '"' or tag[-1] != '"' or '"' in inner:
        raise Malformed('name one version as it stood in ETag, with its quotes: If-Match: "3"')
    try:
        return unquote(inner, errors="strict")
    except UnicodeDecodeError:
        raise Malformed("the entity tag is not one of ours") from None


def header_text(text: str) -> str:
    """Text made safe for a header: printable ASCII, anything else as its escape."""
    return "".join(
        character if character.isprintable() and character.isascii() else f"\\u{ord(character):04x}"
        for character in text
    )


def encode_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Header pairs as ASGI wants them."""
    return [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
