"""Tests of one attribute, or of two: closures that answer True, False, or None for unknown."""

from __future__ import annotations

import ipaddress
import operator
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from wardgate.pipeline.authorize.conditions.attributes import Attribute, Kind
from wardgate.pipeline.authorize.conditions.globs import Glob
from wardgate.pipeline.authorize.conditions.question import Question
from wardgate.pipeline.authorize.conditions.syntax import Items, Literal, Operand
from wardgate.pipeline.authorize.conditions.windows import SECOND
from wardgate.pipeline.authorize.pattern import Pattern, Target
from wardgate.spi.errors import InvalidValue
from wardgate.spi.operations.base import Action
from wardgate.spi.options import nearest
from wardgate.spi.path import Path

Truth = bool | None
Ask = Callable[[Question], Truth]

ORDERS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_ACTIONS: Final = tuple(action.value for action in Action)


def negation(ask: Ask) -> Ask:
    """The contrary; unknown stays unknown."""

    def contrary(question: Question) -> Truth:
        truth = ask(question)
        return None if truth is None else not truth

    return contrary


def text_of(operand: Operand) -> str:
    """A single text. Raises InvalidValue."""
    if not isinstance(operand, Literal) or not isinstance(operand.value, str):
        raise InvalidValue("a text in quotes was expected")
    return operand.value


def texts_of(operand: Operand) -> tuple[str, ...]:
    """A text, or a list of them. Raises InvalidValue."""
    return operand.texts if isinstance(operand, Items) else (text_of(operand),)


def moment_of(operand: Operand) -> int:
    """A moment, written with its offset, in Unix nanoseconds. Raises InvalidValue."""
    text = text_of(operand)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidValue(f"{text[:80]!r} is no moment; write it with its offset: 2026-12-31T18:00:00+01:00")
    return int(moment.timestamp()) * SECOND


def text_equals(left: Attribute, right: Operand) -> Ask:
    """``name == "ci"``."""
    return _text_among(left, (text_of(right),))


def text_in(left: Attribute, right: Operand) -> Ask:
    """``name in ["ci", "cd"]``."""
    return _text_among(left, texts_of(right))


def _text_among(left: Attribute, texts: tuple[str, ...]) -> Ask:
    if left.name == "action":
        for text in texts:
            if text not in _ACTIONS:
                raise InvalidValue(f"unknown action {text[:80]!r}{nearest(text[:80], _ACTIONS)}")
    read, known = left.read, frozenset(texts)

    def among(question: Question) -> Truth:
        value = read(question)
        return value in known if type(value) is str else None

    return among


def text_like(left: Attribute, right: Operand) -> Ask:
    """``name like "ci-*"``."""
    read, globs = left.read, tuple(Glob.parse(text) for text in texts_of(right))

    def like(question: Question) -> Truth:
        value = read(question)
        return any(glob.fits(value) for glob in globs) if type(value) is str else None

    return like


def text_starts(left: Attribute, right: Operand) -> Ask:
    """``name startswith "ci-"``."""
    read, prefixes = left.read, texts_of(right)

    def starts(question: Question) -> Truth:
        value = read(question)
        return value.startswith(prefixes) if type(value) is str else None

    return starts


def path_equals(left: Attribute, right: Operand) -> Ask:
    """``path == "secret/app"``."""
    read, segments = left.read, Path.parse(text_of(right)).segments

    def equals(question: Question) -> Truth:
        value = read(question)
        return value == segments if type(value) is tuple else None

    return equals


def path_like(left: Attribute, right: Operand) -> Ask:
    """``path like "secret/team/**"``: the patterns of rules, which cover a folder as those do."""
    read, patterns = left.read, tuple(Pattern.parse(text) for text in texts_of(right))

    def like(question: Question) -> Truth:
        value = read(question)
        if type(value) is not tuple:
            return None
        target = Target(value, question.folder)
        return any(pattern.matches(target) for pattern in patterns)

    return like


def address_in(_left: Attribute, right: Operand) -> Ask:
    """``source in ["10.0.0.0/8", "fd00::/8"]``, ``source == "10.0.0.1"``."""
    networks = []
    for text in texts_of(right):
        try:
            networks.append(ipaddress.ip_network(text))
        except ValueError as error:
            shown = f"{text[:80]!r} is no network"
            hint = "no bit may be set after its length" if "host bits" in str(error) else "write it as 10.0.0.0/8"
            raise InvalidValue(f"{shown}; {hint}") from None

    def within(question: Question) -> Truth:
        address = question.address
        return None if address is None else any(address in network for network in networks)

    return within


def number_order(order: str) -> Callable[[Attribute, Operand], Ask]:
    """``path.depth < 4``."""
    compare: Callable[[Any, Any], bool] = ORDERS.get(order, operator.eq)

    def make(left: Attribute, right: Operand) -> Ask:
        if not isinstance(right, Literal) or not isinstance(right.value, int):
            raise InvalidValue("a number was expected")
        read, number = left.read, right.value

        def ordered(question: Question) -> Truth:
            value = read(question)
            return compare(value, number) if type(value) is int else None

        return ordered

    return make


def two(left: Attribute, right: Attribute) -> Ask:
    """``path.segment.2 == principal.name``: two texts."""
    read_left, read_right = left.read, right.read

    def equals(question: Question) -> Truth:
        one, other = read_left(question), read_right(question)
        return one == other if type(one) is str and type(other) is str else None

    return equals


def among_texts(left: Attribute | str, right: Attribute) -> Ask:
    """``"ops" in principal.policies``, ``principal.name in principal.policies``."""
    read_right = right.read
    assert right.kind is Kind.TEXTS
    if isinstance(left, str):
        text = left

        def among(question: Question) -> Truth:
            texts = read_right(question)
            return text in texts if type(texts) is tuple else None

        return among
    read_left = left.read

    def value_among(question: Question) -> Truth:
        value, texts = read_left(question), read_right(question)
        return value in texts if type(value) is str and type(texts) is tuple else None

    return value_among


CONSTANT: Final[dict[tuple[Kind, str], Callable[[Attribute, Operand], Ask]]] = {
    (Kind.TEXT, "=="): text_equals,
    (Kind.TEXT, "in"): text_in,
    (Kind.TEXT, "like"): text_like,
    (Kind.TEXT, "startswith"): text_starts,
    (Kind.PATH, "=="): path_equals,
    (Kind.PATH, "like"): path_like,
    (Kind.ADDRESS, "=="): address_in,
    (Kind.ADDRESS, "in"): address_in,
    **{(Kind.NUMBER, order): number_order(order) for order in (*ORDERS, "==")},
}
"""How an attribute of a kind is compared with what stands in the text; the time's are the compiler's own."""
