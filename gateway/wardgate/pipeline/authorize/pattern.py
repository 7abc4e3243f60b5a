"""Path patterns: parsed once, then compared segment by segment; no part of a caller's path is ever a pattern."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wardgate.spi.errors import InvalidValue, Malformed
from wardgate.spi.path import Path

Segments = tuple[str, ...]

STAR: Final = "*"
REST: Final = "**"


@dataclass(frozen=True, slots=True)
class Wildcard:
    """A segment with one star: any text (even none) stands between ``prefix`` and ``suffix``."""

    prefix: str
    suffix: str

    def fits(self, segment: str) -> bool:
        """Whether ``segment`` begins and ends so, without using a character twice."""
        return (
            len(segment) >= len(self.prefix) + len(self.suffix)
            and segment.startswith(self.prefix)
            and segment.endswith(self.suffix)
        )

    def contains(self, other: Wildcard) -> bool:
        """Whether every segment that fits ``other`` fits this."""
        return other.prefix.startswith(self.prefix) and other.suffix.endswith(self.suffix)

    def overlaps(self, other: Wildcard) -> bool:
        """Whether a segment fits both."""
        begins = self.prefix.startswith(other.prefix) or other.prefix.startswith(self.prefix)
        return begins and (self.suffix.endswith(other.suffix) or other.suffix.endswith(self.suffix))


Part = str | Wildcard


def part_fits(part: Part, segment: str) -> bool:
    """Whether one segment of a path is what one part of a pattern asks for; literals are compared exactly."""
    return part == segment if isinstance(part, str) else part.fits(segment)


def part_contains(part: Part, other: Part) -> bool:
    """Whether every segment that ``other`` asks for is one that ``part`` asks for."""
    if isinstance(other, str):
        return part_fits(part, other)
    return isinstance(part, Wildcard) and part.contains(other)


def part_overlaps(part: Part, other: Part) -> bool:
    """Whether one segment is what both ask for."""
    if isinstance(other, str):
        return part_fits(part, other)
    return other.fits(part) if isinstance(part, str) else part.overlaps(other)


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked for: the segments of a canonical path, and whether it names a folder."""

    segments: Segments
    folder: bool

    def __str__(self) -> str:
        # Casbin renders each request for its log, which is silenced; a path must not stand there in any case.
        return "target"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A parsed pattern. ``rest``: it ends in ``**``."""

    parts: tuple[Part, ...]
    rest: bool

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Read ``a/team-*/**``: the grammar of paths, with stars.

        Raises:
            InvalidValue: no path's grammar, two stars in a segment, or ``**`` elsewhere than at the end.
        """
        if text.endswith("/") or text.startswith("/"):
            raise InvalidValue(f"pattern {text!r}: leave out the slash at its edge; all below a folder is 'folder/**'")
        try:
            segments = Path.parse(text).segments
        except Malformed as error:
            raise InvalidValue(f"pattern {text!r}: {error.message}") from None
        rest = segments[-1] == REST
        if rest:
            segments = segments[:-1]
        return cls(tuple(part_of(segment, text) for segment in segments), rest)

    def matches(self, target: Target) -> bool:
        """Whether the pattern covers the target.

        ``**`` is one or more segments of a secret's path, and zero or more of a folder's: a rule for ``a/**`` is a
        rule for the listing of ``a`` too.
        """
        segments = target.segments
        length = len(self.parts)
        if self.rest:
            if len(segments) < length + (not target.folder):
                return False
        elif len(segments) != length:
            return False
        return all(map(part_fits, self.parts, segments))

    def contains(self, other: Pattern) -> bool:
        """Whether this covers every target that ``other`` covers."""
        length = len(self.parts)
        if self.rest:
            # A secret needs one segment more than the parts; ``other`` covers secrets, whatever else.
            if len(other.parts) + other.rest < length + 1:
                return False
        elif other.rest or len(other.parts) != length:
            return False
        return all(map(part_contains, self.parts, other.parts))

    def overlaps(self, other: Pattern) -> bool:
        """Whether a secret's path is covered by both."""
        mine, theirs = len(self.parts), len(other.parts)
        if not self.rest and not other.rest and mine != theirs:
            return False
        if (self.rest and not other.rest and theirs <= mine) or (other.rest and not self.rest and mine <= theirs):
            return False
        return all(map(part_overlaps, self.parts, other.parts))

    def below(self, prefix: Segments) -> tuple[tuple[Part, ...], bool] | None:
        """What is left of the pattern below ``prefix``: its parts, and whether ``**`` follows.

        None when it covers neither the prefix nor anything below it.
        """
        if len(self.parts) < len(prefix) and not self.rest:
            return None
        if not all(map(part_fits, self.parts, prefix)):
            return None
        return self.parts[len(prefix) :], self.rest


def part_of(segment: str, text: str) -> Part:
    """One segment of the pattern ``text``. Raises InvalidValue: two stars in it, or ``**``."""
    stars = segment.count(STAR)
    if stars == 0:
        return segment
    if segment == REST:
        raise InvalidValue(f"pattern {text!r}: '**' can stand at the end only; use '*' for one segment")
    if stars > 1:
        raise InvalidValue(f"pattern {text!r}: the segment {segment!r} has more than one star")
    prefix, _, suffix = segment.partition(STAR)
    return Wildcard(prefix, suffix)
