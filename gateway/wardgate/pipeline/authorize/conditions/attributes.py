"""The attributes a condition can name: what each is, and how it is read from a question."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

from wardgate.pipeline.authorize.conditions.question import UNKNOWN, Question, Unknown
from wardgate.spi.errors import InvalidValue
from wardgate.spi.identity import KNOWN_AS, KNOWN_ID, KNOWN_POLICIES
from wardgate.spi.options import nearest
from wardgate.spi.path import MAX_SEGMENTS


class Kind(enum.Enum):
    """The types of the grammar; the value is how a message calls it."""

    TEXT = "a text"
    TEXTS = "a list of texts"
    NUMBER = "a number"
    PATH = "a path"
    TIME = "a time"
    ADDRESS = "a network address"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute. ``read`` gives its value, None where it is missing, UNKNOWN where it is not known yet.

    ``of_path``: names of one folder differ in it. ``asked``: it is said by what is asked and when; answers are
    remembered by that already, so its value need not be among the attributes they differ by.
    """

    name: str
    kind: Kind
    read: Callable[[Question], Any] = field(repr=False, compare=False)
    of_path: bool = False
    asked: bool = False

    def shown(self, question: Question) -> str | None:
        """The value for people; None where it is missing."""
        value = self.read(question)
        if value is None or isinstance(value, Unknown):
            return None
        if self.kind is Kind.TIME:
            return datetime.fromtimestamp(value // 10**9, UTC).isoformat().replace("+00:00", "Z")
        if self.kind is Kind.PATH:
            return "/".join(value)
        return ", ".join(value) if self.kind is Kind.TEXTS else str(value)


FAMILIES: Final = ("principal.attribute.NAME", "path.segment.N", "label.NAME")
"""Those whose name ends in a name or number of the author's choice."""

MAX_NAME: Final = 128
_SEGMENT: Final = re.compile(r"[1-9][0-9]?")


def find(name: str, key: str | None = None) -> Attribute:
    """The attribute of this name; ``key`` is what stood in brackets, as in ``label["env"]``.

    Raises:
        InvalidValue: there is none; the message says the nearest right name.
    """
    if key is None and name in _FIXED:
        return _FIXED[name]
    family, key = (name, key) if key is not None else _split(name)
    if family in _NAMED and key:
        if len(key) > MAX_NAME:
            raise InvalidValue(f"the name of an attribute has at most {MAX_NAME} characters")
        return _NAMED[family](key)
    if family == "path.segment" and key and _SEGMENT.fullmatch(key) and int(key) <= MAX_SEGMENTS:
        return _segment(int(key))
    if family == "path.segment":
        raise InvalidValue(f"path.segment ends in a number from 1 to {MAX_SEGMENTS}: path.segment.2")
    shown = name[:80]
    raise InvalidValue(f"unknown attribute {shown!r}{_nearest(shown)}")


def _nearest(name: str) -> str:
    said = nearest(name, (*PLAIN, *FAMILIES))
    if said.startswith("; did"):
        return said
    return nearest(f"{name.rpartition('.')[0]}.NAME", (*PLAIN, *FAMILIES))


def _split(name: str) -> tuple[str, str]:
    for family in (*_NAMED, "path.segment"):
        if name.startswith(f"{family}."):
            return family, name[len(family) + 1 :]
    return name, ""


def _of_asker(what: str) -> Callable[[Question], Any]:
    return attrgetter(f"asker.{what}")


def _id(question: Question) -> str | None:
    return question.asker.attributes.get(KNOWN_ID, question.asker.id)


def _name(question: Question) -> str | None:
    return question.asker.attributes.get(KNOWN_AS, question.asker.name)


def _policies(question: Question) -> tuple[str, ...]:
    known = question.asker.attributes.get(KNOWN_POLICIES)
    return question.asker.policies if known is None else _split_at_commas(known)


@lru_cache(maxsize=4_096)
def _split_at_commas(text: str) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()


def _named(key: str, name: str | None = None) -> Attribute:
    def read(question: Question) -> Any:
        return question.asker.attributes.get(key)

    return Attribute(name or f"principal.attribute.{key}", Kind.TEXT, read)


def _label(key: str) -> Attribute:
    return Attribute(f"label.{key}", Kind.TEXT, lambda question: question.label(key), of_path=True)


def _segment(number: int) -> Attribute:
    def read(question: Question) -> Any:
        segments = question.segments
        if isinstance(segments, Unknown):
            return UNKNOWN
        return segments[number - 1] if len(segments) >= number else None

    return Attribute(f"path.segment.{number}", Kind.TEXT, read, of_path=True, asked=True)


def _depth(question: Question) -> Any:
    return UNKNOWN if isinstance(question.segments, Unknown) else len(question.segments)


_NAMED: Final[dict[str, Callable[[str], Attribute]]] = {"principal.attribute": _named, "label": _label}
_FIXED: Final = {
    attribute.name: attribute
    for attribute in (
        Attribute("principal.id", Kind.TEXT, _id),
        Attribute("principal.name", Kind.TEXT, _name),
        Attribute("principal.method", Kind.TEXT, _of_asker("method")),
        _named("role", "principal.role"),
        Attribute("principal.policies", Kind.TEXTS, _policies),
        Attribute("action", Kind.TEXT, attrgetter("action"), asked=True),
        Attribute("path", Kind.PATH, attrgetter("segments"), of_path=True, asked=True),
        Attribute("path.depth", Kind.NUMBER, _depth, of_path=True, asked=True),
        Attribute("source", Kind.ADDRESS, attrgetter("source")),
        Attribute("time", Kind.TIME, attrgetter("time"), asked=True),
    )
}

PLAIN: Final = tuple(_FIXED)
"""The attributes with a fixed name."""
