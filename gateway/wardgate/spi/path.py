"""The one canonical path type: made once, then used by policy, cache, audit and backends alike."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from wardgate.spi.errors import Malformed

MAX_SEGMENTS = 32
MAX_SEGMENT_BYTES = 255
REPLACEMENT_CHARACTER = "\ufffd"
SERVICES = frozenset({"sys", "auth"})
"""First segments below which the gateway itself answers, from its own state."""
OWN = SERVICES | {"cubbyhole", "identity"}
"""First segments that no mount and no child namespace can take."""
# What most names are, in one look: printable ASCII but slash and backslash, no space at the ends, and no dots alone.
_is_plain = re.compile(r"(?!\.{1,2}\Z)[!-.0-\[\]-~](?:[ -.0-\[\]-~]{0,253}[!-.0-\[\]-~])?").fullmatch
_NO_NAMES = frozenset({"", ".", ".."})
_PLAIN = bytes(range(0x21, 0x7F)).translate(None, b"/\\")
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
# Cc: control characters; Cf would refuse emoji joiners; Cs: lone surrogates; Zl, Zp: line breaks in disguise.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})


def _check_segment(segment: str) -> None:
    if _is_plain(segment):
        return
    if not segment:
        raise Malformed("the path has an empty segment; write it without doubled slashes")
    if segment in {".", ".."}:
        raise Malformed("the path has a '.' or '..' segment; write the path it stands for")
    if segment != segment.strip():
        raise Malformed("a path segment begins or ends with white space")
    if segment.isascii():
        if not segment.isprintable() or "\\" in segment:
            raise Malformed("the path has a control character or a backslash")
    else:
        _check_unicode_segment(segment)
    if len(segment) > MAX_SEGMENT_BYTES or len(segment.encode()) > MAX_SEGMENT_BYTES:
        raise Malformed(f"a path segment is longer than {MAX_SEGMENT_BYTES} bytes")


def _check_unicode_segment(segment: str) -> None:
    if REPLACEMENT_CHARACTER in segment or "\\" in segment:
        raise Malformed("the path has a backslash or U+FFFD, the sign of a failed decoding")
    if any(unicodedata.category(character) in _REFUSED_CATEGORIES for character in segment):
        raise Malformed("the path has a control character")
    if not unicodedata.is_normalized("NFC", segment):
        raise Malformed("the path is not in Unicode normalization form C")


def is_segment(name: str) -> bool:
    """Whether a path can have a segment of this name."""
    try:
        _check_segment(name)
    except Malformed:
        return False
    return "/" not in name


def all_plain(names: Sequence[str]) -> bool:
    """Whether all are printable ASCII without spaces and slashes, so that a path can have each as a segment.

    Of others :func:`is_segment` tells. One look at all of thousands: one after another takes most of a list's time.
    """
    text = "".join(names)
    if not text.isascii() or text.encode().translate(None, _PLAIN):
        return False
    return _NO_NAMES.isdisjoint(names) and max(map(len, names), default=0) <= MAX_SEGMENT_BYTES


@dataclass(frozen=True, slots=True, order=True)
class Path:
    """Zero to 32 segments of 1 to 255 UTF-8 bytes, in NFC; zero only for the root of a mount or namespace.

    Construct with :meth:`parse` or :meth:`from_raw`, which check; the bare constructor is for segments that
    were checked before.
    """

    segments: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Path:
        """Read ``a/b/c``, as it stands in a body, a header or a configuration.

        Raises:
            Malformed: for anything outside the grammar, an empty path included.
        """
        segments = tuple(text.split("/"))
        if len(segments) > MAX_SEGMENTS:
            raise Malformed(f"the path has more than {MAX_SEGMENTS} segments")
        for segment in segments:
            _check_segment(segment)
        return cls(segments)

    @classmethod
    def from_raw(cls, raw: bytes) -> Path:
        """Read a percent-encoded path as it came over the wire, decoding exactly once.

        Raises:
            Malformed: for anything outside the grammar, and for bytes that are not UTF-8.
        """
        if b"%" in raw and _BROKEN_ESCAPE.search(raw):
            raise Malformed("the path has a '%' without two hexadecimal digits; write it as %25")
        try:
            text = (unquote_to_bytes(raw) if b"%" in raw else raw).decode("utf-8", errors="strict")
        except UnicodeDecodeError:
            raise Malformed("the path is not UTF-8") from None
        if b"%2f" in raw or b"%2F" in raw:
            raise Malformed("the path has an encoded slash; a segment cannot hold one")
        return cls.parse(text)

    def child(self, name: str) -> Path:
        """The path one segment below. Raises Malformed when ``name`` is no segment."""
        if "/" in name:
            raise Malformed("a path segment cannot hold a slash")
        _check_segment(name)
        return Path((*self.segments, name))

    def starts_with(self, prefix: Path) -> bool:
        """Whether this path is ``prefix`` or lies below it."""
        return self.segments[: len(prefix.segments)] == prefix.segments

    def below(self, prefix: Path) -> Path:
        """What is left of this path below ``prefix``, which it must start with."""
        return Path(self.segments[len(prefix.segments) :])

    def joined(self, other: Path) -> Path:
        """This path with ``other`` below it. Raises Malformed past 32 segments."""
        if len(self.segments) + len(other.segments) > MAX_SEGMENTS:
            raise Malformed(f"the path has more than {MAX_SEGMENTS} segments")
        return Path(self.segments + other.segments)

    def __str__(self) -> str:
        return "/".join(self.segments)


ROOT = Path(())
"""The root of a mount or of a namespace: a folder, never a secret."""
