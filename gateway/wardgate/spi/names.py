"""Paths in stores whose names have a narrower alphabet: an injective mapping, and back.

A character that the store cannot hold becomes its UTF-8 bytes, each an escape and two hexadecimal digits. A character
of the alphabet that would then be misread is escaped too, and nothing else is: what a vendor's own tool named reads
naturally. A name that no path maps to has no path.
"""

from __future__ import annotations

import re
from contextlib import suppress

from wardgate.spi.errors import InvalidValue, Malformed, SecretNotFound, TooLarge
from wardgate.spi.path import Path


class Names:
    """The mapping of one kind of store.

    Args:
        plain: characters that a name can hold beside the separator's.
        escape: begins an escaped byte; made of plain characters.
        separator: stands between segments. One that is made of plain characters is escaped within a segment.
        fold: names that differ in case alone are one name; ``plain`` then has no capital letter.
        max_length: characters of the longest name.
    """

    def __init__(self, *, plain: str, escape: str, separator: str = "/", fold: bool = False, max_length: int) -> None:
        self._plain = frozenset(plain)
        self._escape = escape
        self._separator = separator
        self._edge = separator[0] if separator[0] in self._plain else None
        self._fold = fold
        self._max_length = max_length
        digits = "[0-9a-f]" if fold else "[0-9A-F]"
        self._byte = "02x" if fold else "02X"
        self._escaped = re.compile(f"{re.escape(escape)}({digits}{{2}})")
        self._run = re.compile(f"(?:{re.escape(escape)}{digits}{{2}})+")
        self._token = re.compile(f"({re.escape(separator)})|(?:{re.escape(escape)}{digits}{{2}})+|.", re.DOTALL)
        inner = f"[{re.escape(''.join(sorted(self._plain - {self._edge})))}]+"
        segment = inner if self._edge is None else f"{inner}(?:{re.escape(self._edge)}{inner})*"
        self._natural = re.compile(f"(?!.*{re.escape(escape)}){segment}")
        self._natural_name = re.compile(f"(?!.*{re.escape(escape)}){segment}(?:{re.escape(separator)}{segment})*")

    def name_of(self, path: Path) -> str:
        """The name that stands for ``path``, and for no other.

        Raises:
            InvalidValue: it is the root, which is no secret.
            TooLarge: it would be longer than the store can hold.
        """
        if not path.segments:
            raise InvalidValue("the root is no secret")
        name = self._separator.join(map(self._encoded, path.segments))
        if len(name) > self._max_length:
            raise TooLarge(f"the path takes a name of more than the {self._max_length} characters this store can hold")
        return name

    def existing(self, path: Path) -> str:
        """The name of a secret to be asked for: one that the store cannot hold is not there. Raises SecretNotFound."""
        with suppress(InvalidValue, TooLarge):
            return self.name_of(path)
        raise SecretNotFound

    def path_of(self, name: str) -> Path | None:
        """The path that ``name`` stands for; None where there is none, so that nobody could ask for it."""
        if self._fold:
            name = name.lower()
        natural = len(name) <= self._max_length and self._natural_name.fullmatch(name)
        try:
            if natural:
                return Path.parse(name if self._separator == "/" else name.replace(self._separator, "/"))
            path = Path.parse("/".join(self._segments(name)))
            return path if Names.name_of(self, path) == name else None
        except (Malformed, TooLarge, UnicodeDecodeError):
            return None

    def _encoded(self, segment: str) -> str:
        if self._natural.fullmatch(segment):
            return segment
        return "".join(
            self._bytes(character) if self._misread(segment, place) else character
            for place, character in enumerate(segment)
        )

    def _misread(self, segment: str, place: int) -> bool:
        """Whether the character at this place cannot stand for itself."""
        character = segment[place]
        if character not in self._plain:
            return True
        if self._escaped.match(segment, place):
            return True
        if character != self._edge:
            return False
        beside = segment[place - 1 : place] + segment[place + 1 : place + 2]
        at_edge = place in {0, len(segment) - 1}
        return at_edge or self._edge in beside or segment[place + 1] not in self._plain

    def _bytes(self, character: str) -> str:
        return "".join(f"{self._escape}{byte:{self._byte}}" for byte in character.encode())

    def _segments(self, name: str) -> list[str]:
        segments = [""]
        for token in self._token.finditer(name):
            if token[1]:
                segments.append("")
            elif self._run.fullmatch(token[0]):
                segments[-1] += bytes(int(digits, 16) for digits in self._escaped.findall(token[0])).decode()
            else:
                segments[-1] += token[0]
        # A slash that was escaped would make two segments of one; no path's segment holds one.
        return ["" if "/" in segment else segment for segment in segments]
