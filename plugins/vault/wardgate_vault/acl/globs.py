"""Vault's path patterns, and what of them reaches one of the gateway's surfaces, in the gateway's own patterns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from wardgate.spi.errors import InvalidValue, Malformed
from wardgate.spi.path import MAX_SEGMENTS, Path

PLUS = "+"
_MAX_SEGMENTS = MAX_SEGMENTS + 1
"""Those of a path here, and the word behind the mount that tells what is asked of it."""
ONE = "*"
"""In a template: any one segment. In a piece: the same, as in the gateway's patterns."""
REST = "**"
"""At a template's end: any number of segments."""

# Which of Vault's tries finds a stanza for a list of "folder/"; the higher decides.
EXACT_FOLDER, EXACT, GLOB, GLOB_OF_FOLDER = 3, 2, 1, 0

Key = tuple[int, int, bool, int, int, str]


@dataclass(frozen=True, slots=True)
class Glob:
    """A pattern of Vault's: whole segments (``+`` is any one), then what the next begins with, if it ends in ``*``.

    ``tail``: that beginning, "" after a slash; None for a pattern without a star. ``folder``: it ends in a slash.
    ``key``: of two that cover a path, the greater decides.
    """

    text: str
    segments: tuple[str, ...]
    tail: str | None
    folder: bool
    key: Key

    @classmethod
    def parse(cls, text: str) -> Glob:
        """Read one.

        Raises:
            InvalidValue: it means something that the gateway's patterns cannot say.
        """
        plain = text.removesuffix("*")
        of = f'path "{text[:200]}"'
        if "{{" in text:
            raise InvalidValue(f"{of}: templates cannot be said in rules; write a path for each")
        if "*" in plain:
            raise InvalidValue(f"{of}: a '*' elsewhere than at the end is a plain character in Vault, and none here")
        segments = plain.split("/")
        glob, folder = plain != text, False
        tail: str | None = None
        if glob:
            tail = segments.pop()
        elif len(segments) > 1 and not segments[-1]:
            folder = True
            segments.pop()
        if len(segments) > _MAX_SEGMENTS:
            raise InvalidValue(f"{of}: it has more than {_MAX_SEGMENTS} segments, as no path has here")
        for segment in [*segments, *([tail] if tail else [])]:
            if segment.startswith(PLUS) and (segment != PLUS or segment is tail):
                raise InvalidValue(f"{of}: a '+' stands for one whole segment")
            try:
                Path.parse(segment)
            except Malformed as error:
                raise InvalidValue(f"{of}: {error.message}") from None
        pluses = segments.count(PLUS)
        first = plain.index(PLUS) if pluses else len(plain)
        nonexact = bool(pluses or glob)
        key = (int(not nonexact), first, not glob, -pluses, len(plain), plain)
        return cls(text, tuple(segments), tail, folder, key)


class Piece(NamedTuple):
    """What of a pattern lies within a surface: one part for each hole of the template, then the rest's.

    ``parts`` are the gateway's: literal, ``*``, ``team-*``; ``rest``: ``**`` follows. ``try_``: see above.
    """

    parts: tuple[str, ...]
    rest: bool
    try_: int = GLOB


def reach(glob: Glob, template: Sequence[str], *, folder: bool) -> list[Piece]:
    """The pieces of ``glob`` within a surface; ``folder``: for a list, whose path ends in a slash."""
    open_ended = template[-1] == REST
    fixed = template[:-1] if open_ended else template
    holes = _holes(glob, fixed)
    if holes is None:
        return []
    rest = glob.segments[len(fixed) :]
    pieces = _below(glob, len(fixed), rest, folder=folder)
    if not open_ended:
        ends = [piece for piece in pieces if not piece.parts and (folder or not piece.rest)]
        pieces = [Piece((), rest=False, try_=piece.try_) for piece in ends[:1]]
    elif not folder:
        pieces = [piece for piece in pieces if piece.parts or piece.rest]  # a mount itself is no secret
    return [Piece(holes + piece.parts, piece.rest, piece.try_) for piece in pieces]


def _holes(glob: Glob, fixed: Sequence[str]) -> tuple[str, ...] | None:
    """What stands in the holes of a template's fixed part; None where the pattern does not come so far."""
    holes: list[str] = []
    count = len(glob.segments)
    for index, wanted in enumerate(fixed):
        if index < count:
            found = glob.segments[index]
            if wanted == ONE:
                holes.append(ONE if found == PLUS else found)
            elif found not in {PLUS, wanted}:
                return None
        elif glob.tail is None:
            return None
        else:
            begun = glob.tail if index == count else ""
            if wanted == ONE:
                holes.append(begun + ONE)
            elif not wanted.startswith(begun):
                return None
    return tuple(holes)


def _below(glob: Glob, depth: int, segments: Sequence[str], *, folder: bool) -> list[Piece]:
    """The pieces below a template's fixed part, ``depth`` segments long."""
    rest = tuple(ONE if segment == PLUS else segment for segment in segments)
    tail = glob.tail
    if tail is not None and len(glob.segments) < depth:
        # The star stands before the end of the fixed part: all below is covered, and so is that end itself.
        return [Piece((), rest=True)] if folder else [Piece((), rest=True), Piece((), rest=False)]
    if tail is None:
        if folder:
            exact = PLUS not in glob.segments
            fits = (EXACT_FOLDER if exact else GLOB_OF_FOLDER) if glob.folder else (EXACT if exact else GLOB)
            itself = [Piece(rest, rest=False, try_=fits)]
            # A list's path ends in a slash, behind which a last '+' finds an empty segment.
            return (
                [*itself, Piece(rest[:-1], rest=False, try_=GLOB_OF_FOLDER)]
                if rest[-1:] == (ONE,) and not glob.folder
                else itself
            )
        return [] if glob.folder else [Piece(rest, rest=False)]
    if tail:
        begun = (*rest, tail + ONE)
        return [Piece(begun, rest=True)] if folder else [Piece(begun, rest=False), Piece(begun, rest=True)]
    if folder:
        return [Piece((*rest, ONE), rest=True), Piece(rest, rest=False, try_=GLOB_OF_FOLDER)]
    return [Piece(rest, rest=True)]


def overlap(one: Piece, other: Piece) -> bool:
    """Whether a path may be covered by both; True where in doubt."""
    shorter, longer = (one, other) if len(one.parts) <= len(other.parts) else (other, one)
    if len(shorter.parts) < len(longer.parts) and not shorter.rest:
        return False
    return all(map(_parts_overlap, shorter.parts, longer.parts))


def within(inner: Piece, outer: Piece) -> bool:
    """Whether every path that ``inner`` covers is covered by ``outer``; False where in doubt."""
    if len(inner.parts) < len(outer.parts) or not all(map(_part_within, inner.parts, outer.parts)):
        return False
    same = len(inner.parts) == len(outer.parts)
    return (inner.rest == outer.rest) if same else outer.rest


def _parts_overlap(one: str, other: str) -> bool:
    if one == other:
        return True
    first, second = one.removesuffix(ONE), other.removesuffix(ONE)
    if one == first and other == second:
        return False
    if one == first:
        return one.startswith(second)
    if other == second:
        return other.startswith(first)
    return first.startswith(second) or second.startswith(first)


def _part_within(inner: str, outer: str) -> bool:
    if not outer.endswith(ONE):
        return inner == outer
    return inner.removesuffix(ONE).startswith(outer.removesuffix(ONE))
