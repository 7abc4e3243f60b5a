"""The terminal: what may be shown on it, and whether somebody sits there."""

from __future__ import annotations

import sys


def printable(text: str) -> str:
    """The text with whatever could steer a terminal shown as its escape; line breaks and tabs stay."""
    return "".join(
        character if character.isprintable() or character in "\n\t" else character.encode("unicode_escape").decode()
        for character in text
    )


def somebody_is_there() -> bool:
    """Whether a person sits at stdin and can be asked."""
    return sys.stdin.isatty()
