"""The terminal: what may be shown on it, and whether somebody sits there."""

from __future__ import annotations

import sys
import unicodedata

# Control characters, surrogates, line breaks in disguise, and what turns the direction of text around.
_STEERING = frozenset({"Cc", "Cs", "Zl", "Zp"})
_BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def printable(text: str) -> str:
    """The text with whatever could steer a terminal shown as its escape; line breaks and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode() if _steers(character) else character for character in text
    )


def _steers(character: str) -> bool:
    return character not in "\n\t" and (character in _BIDIRECTIONAL or unicodedata.category(character) in _STEERING)


def somebody_is_there() -> bool:
    """Whether a person sits at stdin and can be asked."""
    return sys.stdin.isatty()


def somebody_reads() -> bool:
    """Whether stdout is a screen, and not a pipe or a file."""
    return sys.stdout.isatty()


def somebody_watches() -> bool:
    """Whether stderr is a screen, on which progress can be shown."""
    return sys.stderr.isatty()
