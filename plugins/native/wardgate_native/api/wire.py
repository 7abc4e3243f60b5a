"""The forms of the wire: answers, times, durations and entity tags."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any, ClassVar
from urllib.parse import quote, unquote

import msgspec
from wardgate.spi.errors import Conflict, Malformed
from wardgate.spi.operations.secrets import VersionId
from wardgate.spi.values import VersionInfo

SECOND = 1_000_000_000
_MAX_SECONDS = 100 * 366 * 86_400
# All that RFC 9110 allows between the quotes of an entity tag, but the per cent sign that we escape with, the
# comma that parts them in a list, and the semicolon.
_ETAG_SAFE = "!#$&'()*+-./:<=>?@[]^_`{|}~"
_MARK = ";"
"""In an entity tag: between a version's id and what tells its value from others under that id."""
TAG = r'^"[!#-~]+"$'
"""Pattern of an entity tag in a request's condition."""
TAG_FORMAT = "wardgate-etag"
"""Format of one."""
_PRIVATE = "default-src 'none'; frame-ancestors 'none'; sandbox"

PATH_FORMAT = "wardgate-path"
"""Format of a path: 1 to 32 segments with slashes between, as :mod:`wardgate.spi.path` reads them."""
NAME_FORMAT = "wardgate-name"
"""Format of one segment of a path."""

PathText = Annotated[str, msgspec.Meta(max_length=32 * 256, extra_json_schema={"minLength": 1, "format": PATH_FORMAT})]
NameText = Annotated[str, msgspec.Meta(max_length=255, extra_json_schema={"minLength": 1, "format": NAME_FORMAT})]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=_MAX_SECONDS)]


class Body(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Base of what callers send and receive: unknown fields are refused.

    ``more``: what a JSON Schema can say of it beyond its fields.
    """

    more: ClassVar[Mapping[str, Any]] = {}


class Refused(msgspec.Struct):
    """What the first layer refuses, before any API is asked."""

    errors: list[str]


class ShownOnce(msgspec.Struct):
    """Base of answers with fields (``once``, which can be null) that are never kept for a repeat of the request."""

    once: ClassVar[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A response without its socket: ``body`` is a struct for JSON, bytes as they are, or None.

    ``status`` None: the one its route declares. ``policy``: its Content-Security-Policy; the usual one lets no browser
    do anything with what a value holds.
    """

    body: msgspec.Struct | bytes | None = field(default=None, repr=False)
    status: int | None = None
    media_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    policy: str = _PRIVATE


def to_keep(body: Any) -> Any:
    """The body of an answer as it can be kept and shown again: what is shown once is null."""
    if isinstance(body, msgspec.Struct):
        once = body.once if isinstance(body, ShownOnce) else ()
        kept = {name: None if name in once else to_keep(getattr(body, name)) for name in body.__struct_fields__}
        return msgspec.structs.replace(body, **kept)
    return [to_keep(item) for item in body] if isinstance(body, list) else body


@lru_cache(maxsize=1_024)
def _second(seconds: int) -> str:
    # What is read together was often written together.
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def rfc3339(nanoseconds: int | None) -> str | None:
    """Unix nanoseconds as RFC 3339 in UTC, to the microsecond; None for None."""
    if nanoseconds is None:
        return None
    seconds, rest = divmod(nanoseconds, SECOND)
    return f"{_second(seconds)}.{rest // 1_000:06d}Z"


def seconds(nanoseconds: int | None) -> int | None:
    """Whole seconds, rounded down; None for None."""
    return None if nanoseconds is None else nanoseconds // SECOND


def nanoseconds(of_seconds: int | None) -> int | None:
    """The opposite of :func:`seconds`."""
    return None if of_seconds is None else of_seconds * SECOND


def etag(info: VersionInfo) -> str:
    """A version's entity tag: the store's id, reversibly, and what tells its value from others under that id.

    A secret that was destroyed and is written again may count its versions from 1 again.
    """
    version = info.id
    name = version if version.isalnum() and version.isascii() else quote(version, safe=_ETAG_SAFE)
    mark = info.mark()
    return f'"{name}{_MARK}{mark}"' if mark else f'"{name}"'


def version_of(tag: str) -> VersionId:
    """The version that an entity tag names; of a mere id in quotes, whatever its value is.

    Raises:
        Malformed: a weak one, a list, or ``*``.
        Conflict: no version has such a tag.
    """
    inner = tag[1:-1]
    if len(tag) < len('"x"') or tag[0] != '"' or tag[-1] != '"' or '"' in inner:
        raise Malformed('name one version as it stood in ETag, with its quotes: If-Match: "3"')
    try:
        name, _, mark = inner.partition(_MARK)
        version = unquote(name, errors="strict")
    except UnicodeDecodeError:
        version = ""
    if not version:
        raise Conflict("no version has this entity tag")
    return VersionId(version, mark or None)


def header_text(text: str) -> str:
    """Text made safe for a header: printable ASCII, anything else as its escape."""
    return "".join(
        character if character.isprintable() and character.isascii() else f"\\u{ord(character):04x}"
        for character in text
    )


def encode_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Header pairs as ASGI wants them."""
    return [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
