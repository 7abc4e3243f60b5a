"""Reads the text of a condition into a tree; bounded in length, depth, and number of tests.

::

    condition = both ("or" both)*
    both      = one ("and" one)*
    one       = "not" one | "(" condition ")" | "has" "(" attribute ")" | test
    test      = operand operator operand
    operator  = "==" | "!=" | "<" | "<=" | ">" | ">=" | ["not"] ("in" | "like" | "startswith")
    operand   = attribute | text | number | "[" text ("," text)* "]" | word "(" text ("," text)* ")"
    attribute = word ("." word)* | word ("." word)* "[" text "]"
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from wardgate.spi.errors import InvalidValue
from wardgate.spi.options import nearest

MAX_CHARACTERS: Final = 2_000
MAX_DEPTH: Final = 16
MAX_TESTS: Final = 64
MAX_ITEMS: Final = 64
"""Texts in one list."""

_TOKEN: Final = re.compile(
    r"""(?P<space>\s+)
    |(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<number>[0-9]{1,9})(?![A-Za-z0-9_.-])
    |(?P<word>[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*)
    |(?P<mark>==|!=|<=|>=|[<>()\[\],])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_KEYWORDS: Final = frozenset({"and", "or", "not", "in", "like", "startswith", "has"})
_COMPARING: Final = frozenset({"==", "!=", "<", "<=", ">", ">="})
_WORDED: Final = frozenset({"in", "like", "startswith"})


@dataclass(frozen=True, slots=True)
class Name:
    """An attribute's name; ``key`` what stood in brackets. ``at``: the character it begins at, from 1."""

    text: str
    key: str | None
    at: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A text or a number."""

    value: str | int
    at: int


@dataclass(frozen=True, slots=True)
class Items:
    """A list of texts."""

    texts: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """A window of time: ``hours("08:00-18:00", "UTC")``."""

    name: str
    arguments: tuple[str, ...]
    at: int


Operand = Name | Literal | Items | Call


@dataclass(frozen=True, slots=True)
class Test:
    """Two operands and what is asked of them."""

    left: Operand
    operator: str
    right: Operand
    at: int


@dataclass(frozen=True, slots=True)
class Has:
    """Whether there is such an attribute."""

    name: Name


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary."""

    tree: Tree


@dataclass(frozen=True, slots=True)
class All:
    """``and``."""

    trees: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """``or``."""

    trees: tuple[Tree, ...]


Tree = Test | Has | Not | All | Either


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def parse(text: str) -> Tree:
    """Read a condition.

    Raises:
        InvalidValue: it is not of the grammar, or too large; the message names the character.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidValue(f"the condition has more than {MAX_CHARACTERS} characters; split the rule")
    reader = _Reader(_tokens(text), len(text) + 1)
    tree = reader.either(0)
    reader.end()
    return tree


def wrong(at: int, message: str) -> InvalidValue:
    """What is wrong at a character."""
    return InvalidValue(f"at character {at}: {message}")


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            if text[at] in "\"'":
                raise wrong(at + 1, "the text has no end; close its quotes")
            meant = "; did you mean '=='?" if text[at] == "=" else ""
            raise wrong(at + 1, f"{text[at]!r} means nothing here{meant}")
        kind = match.lastgroup or ""
        if kind != "space":
            found.append(_Token(kind, match.group(), at + 1))
        at = match.end()
    return found


class _Reader:
    """Goes through the tokens once."""

    def __init__(self, tokens: list[_Token], end: int) -> None:
        self._tokens = tokens
        self._next = 0
        self._end = _Token("end", "", end)
        self._tests = 0

    def either(self, depth: int) -> Tree:
        if depth > MAX_DEPTH:
            raise wrong(self._peek().at, f"parentheses and 'not' are nested more than {MAX_DEPTH} deep")
        trees = [self._both(depth)]
        while self._took("or"):
            trees.append(self._both(depth))
        return trees[0] if len(trees) == 1 else Either(tuple(trees))

    def end(self) -> None:
        left = self._peek()
        if left.kind != "end":
            raise wrong(left.at, f"{left.text[:40]!r} stands where 'and', 'or' or the end was expected")

    def _both(self, depth: int) -> Tree:
        trees = [self._one(depth)]
        while self._took("and"):
            trees.append(self._one(depth))
        return trees[0] if len(trees) == 1 else All(tuple(trees))

    def _one(self, depth: int) -> Tree:
        if depth > MAX_DEPTH:
            raise wrong(self._peek().at, f"parentheses and 'not' are nested more than {MAX_DEPTH} deep")
        if self._took("not"):
            return Not(self._one(depth + 1))
        if self._took("("):
            tree = self.either(depth + 1)
            self._expect(")")
            return tree
        self._tests += 1
        if self._tests > MAX_TESTS:
            raise wrong(self._peek().at, f"the condition has more than {MAX_TESTS} tests; split the rule")
        if self._took("has"):
            self._expect("(")
            name = self._name()
            self._expect(")")
            return Has(name)
        return self._test()

    def _test(self) -> Tree:
        left = self._operand()
        token = self._take()
        negated = token.text == "not" and token.kind == "word"
        if negated:
            token = self._take()
        if token.text in _WORDED and token.kind == "word":
            test = Test(left, token.text, self._operand(), token.at)
            return Not(test) if negated else test
        if token.kind == "mark" and token.text in _COMPARING and not negated:
            return Test(left, token.text, self._operand(), token.at)
        if not token.text:
            raise wrong(token.at, "the condition ends where an operator was expected, such as '=='")
        raise wrong(token.at, f"{token.text[:40]!r} is no operator{nearest(token.text, _COMPARING | _WORDED)}")

    def _operand(self) -> Operand:
        token = self._peek()
        if token.kind == "text":
            return Literal(self._text(), token.at)
        if token.kind == "number":
            self._take()
            return Literal(int(token.text), token.at)
        if token.text == "[":
            self._take()
            return Items(self._texts("]"), token.at)
        if token.kind == "word" and token.text not in _KEYWORDS:
            if self._follows("("):
                self._next += 2
                return Call(token.text, self._texts(")"), token.at)
            return self._name()
        shown = f"{token.text[:40]!r} stands" if token.text else "the condition ends"
        raise wrong(token.at, f"{shown} where an attribute, a text, a number or a list was expected")

    def _name(self) -> Name:
        token = self._take()
        if token.kind != "word" or token.text in _KEYWORDS:
            raise wrong(token.at, "an attribute was expected, such as principal.name")
        key = None
        if self._took("["):
            key = self._text()
            self._expect("]")
        return Name(token.text, key, token.at)

    def _texts(self, closing: str) -> tuple[str, ...]:
        texts = [self._text()]
        while self._took(","):
            texts.append(self._text())
            if len(texts) > MAX_ITEMS:
                raise wrong(self._peek().at, f"the list has more than {MAX_ITEMS} texts")
        self._expect(closing)
        return tuple(texts)

    def _text(self) -> str:
        token = self._take()
        if token.kind != "text":
            raise wrong(token.at, "a text in quotes was expected")
        if not token.text.isprintable():
            raise wrong(token.at, "the text has a control character")
        for escaped in _ESCAPE.findall(token.text):
            if escaped not in "\"'\\":
                raise wrong(token.at, "a backslash stands before a quote or another backslash only")
        return _ESCAPE.sub(r"\1", token.text[1:-1])

    def _peek(self) -> _Token:
        return self._tokens[self._next] if self._next < len(self._tokens) else self._end

    def _follows(self, text: str) -> bool:
        return self._next + 1 < len(self._tokens) and self._tokens[self._next + 1].text == text

    def _take(self) -> _Token:
        token = self._peek()
        self._next += 1
        return token

    def _took(self, text: str) -> bool:
        token = self._peek()
        if token.text != text or token.kind == "text":
            return False
        self._next += 1
        return True

    def _expect(self, text: str) -> None:
        token = self._peek()
        if not self._took(text):
            shown = f"{token.text[:40]!r} stands" if token.text else "the condition ends"
            raise wrong(token.at, f"{shown} where {text!r} was expected")
