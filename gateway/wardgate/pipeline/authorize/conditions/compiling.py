"""Checks the tree of a condition against the types of its attributes, and makes closures of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from wardgate.pipeline.authorize.conditions import comparing, syntax
from wardgate.pipeline.authorize.conditions.attributes import Attribute, Kind, find
from wardgate.pipeline.authorize.conditions.comparing import CONSTANT, ORDERS, Ask, Truth
from wardgate.pipeline.authorize.conditions.question import UNKNOWN, Question
from wardgate.pipeline.authorize.conditions.syntax import Call, Name, Operand, Test, Tree, wrong
from wardgate.pipeline.authorize.conditions.windows import window
from wardgate.spi.errors import InvalidValue, Malformed, WardgateError
from wardgate.spi.operations.policies import Effect

NEVER: Final = 1 << 63
"""Past every time there is: the end of what never changes."""

_TURNED: Final = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_TIMED: Final = ("in", *ORDERS)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition. ``reads``: the attributes it names; ``timed``: the time is among them.

    ``of_path``: it may be true of one name of a folder and false of another.
    """

    text: str
    reads: tuple[Attribute, ...] = field(compare=False)
    timed: bool = field(compare=False)
    of_path: bool = field(compare=False)
    _ask: Ask = field(repr=False, compare=False)
    _untils: tuple[Callable[[int], int], ...] = field(repr=False, compare=False)

    def truth(self, question: Question) -> Truth:
        """True, False, or None for unknown: an attribute that matters is missing, or an error.

        Raises:
            WardgateError: the state, which holds the labels, cannot be asked.
        """
        try:
            return self._ask(question)
        except WardgateError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, nothing is known
            told = {"event": "condition_failed"}
            _log.error("a condition failed with %s and is taken as unknown", type(error).__name__, extra=told)
            return None

    def applies(self, question: Question, effect: str) -> bool:
        """Whether a rule of this effect applies: an allow where it is true, a deny unless it is false."""
        truth = self.truth(question)
        return truth is True if effect == Effect.ALLOW else truth is not False

    def until(self, time: int) -> int:
        """A later time, in Unix nanoseconds, before which the passing of time alone changes nothing."""
        return min((until(time) for until in self._untils), default=NEVER)


@lru_cache(maxsize=4_096)
def compile_condition(text: str) -> Condition:
    """Compile the text of a rule's ``when``.

    Raises:
        InvalidValue: not of the grammar, an unknown attribute, or types that do not go together; the message names the
            character and, for a word, the nearest right one.
    """
    compiler = _Compiler()
    ask = compiler.tree(syntax.parse(text))
    reads = tuple(compiler.reads.values())
    return Condition(
        text,
        reads,
        any(attribute.kind is Kind.TIME for attribute in reads),
        any(attribute.of_path for attribute in reads),
        ask,
        tuple(compiler.untils),
    )


def _all(asks: Sequence[Ask]) -> Ask:
    def conjunction(question: Question) -> Truth:
        result: Truth = True
        for ask in asks:
            truth = ask(question)
            if truth is False:
                return False
            if truth is None:
                result = None
        return result

    return conjunction


def _any(asks: Sequence[Ask]) -> Ask:
    def disjunction(question: Question) -> Truth:
        result: Truth = False
        for ask in asks:
            truth = ask(question)
            if truth is True:
                return True
            if truth is None:
                result = None
        return result

    return disjunction


class _Compiler:
    """Makes closures of one tree, and notes what they read."""

    def __init__(self) -> None:
        self.reads: dict[str, Attribute] = {}
        self.untils: list[Callable[[int], int]] = []

    def tree(self, tree: Tree) -> Ask:
        match tree:
            case syntax.Not(inner):
                return comparing.negation(self.tree(inner))
            case syntax.All(trees):
                return _all([self.tree(inner) for inner in trees])
            case syntax.Either(trees):
                return _any([self.tree(inner) for inner in trees])
            case syntax.Has(name):
                return self._has(name)
            case Test():
                return self._test(tree)

    def _has(self, name: Name) -> Ask:
        read = self._attribute(name).read

        def has(question: Question) -> Truth:
            value = read(question)
            return None if value is UNKNOWN else value is not None

        return has

    def _test(self, test: Test) -> Ask:
        left, right = self._side(test.left), self._side(test.right)
        if right is not None and test.operator == "in":
            return _among(test, left, right)
        if left is not None and right is not None:
            return _two(test, left, right)
        if left is None and right is None:
            raise wrong(test.at, "neither side is an attribute, so the answer never changes")
        if left is None:
            if test.operator not in _TURNED:
                raise wrong(test.left.at, f"the attribute stands left of {test.operator!r}")
            assert right is not None
            left, test = right, Test(test.right, _TURNED[test.operator], test.left, test.at)
        operator = "==" if test.operator == "!=" else test.operator
        make = self._maker(left, operator, test)
        try:
            ask = make(left, test.right)
        except (InvalidValue, Malformed) as error:
            raise wrong(test.right.at, error.message) from None
        return comparing.negation(ask) if test.operator == "!=" else ask

    def _side(self, operand: Operand) -> Attribute | None:
        return self._attribute(operand) if isinstance(operand, Name) else None

    def _attribute(self, name: Name) -> Attribute:
        try:
            found = find(name.text, name.key)
        except InvalidValue as error:
            raise wrong(name.at, error.message) from None
        return self.reads.setdefault(found.name, found)

    def _maker(self, left: Attribute, operator: str, test: Test) -> Callable[[Attribute, Operand], Ask]:
        if left.kind is Kind.TIME and operator in _TIMED:
            return self._time_in if operator == "in" else self._time_order(operator)
        maker = CONSTANT.get((left.kind, operator))
        if maker is None:
            possible = _TIMED if left.kind is Kind.TIME else [found for kind, found in CONSTANT if kind is left.kind]
            raise wrong(
                test.at,
                f"{left.name} is {left.kind.value}, of which {test.operator!r} cannot be asked;"
                f" there are: {', '.join(possible) or 'in, with a text on its left'}",
            )
        return maker

    def _time_in(self, left: Attribute, right: Operand) -> Ask:
        if not isinstance(right, Call):
            raise InvalidValue("a window of time was expected: hours(…), weekdays(…) or dates(…)")
        read, found = left.read, window(right.name, right.arguments)
        self.untils.append(found.until)

        def within(question: Question) -> Truth:
            time = read(question)
            return found.holds(time) if type(time) is int else None

        return within

    def _time_order(self, order: str) -> Callable[[Attribute, Operand], Ask]:
        def make(left: Attribute, right: Operand) -> Ask:
            moment = comparing.moment_of(right)
            # The answer changes at the moment itself, or one nanosecond past it.
            changes = moment + (order in {"<=", ">"})
            self.untils.append(lambda time: changes if time < changes else NEVER)
            read, compare = left.read, ORDERS[order]

            def ordered(question: Question) -> Truth:
                time = read(question)
                return compare(time, moment) if type(time) is int else None

            return ordered

        return make


def _two(test: Test, left: Attribute, right: Attribute) -> Ask:
    if (left.kind, right.kind) != (Kind.TEXT, Kind.TEXT):
        raise wrong(
            test.at,
            f"{left.name} is {left.kind.value} and {right.name} {right.kind.value}; two attributes must both be texts",
        )
    if test.operator not in {"==", "!="}:
        raise wrong(test.at, f"two attributes are compared with '==' or '!=', not with {test.operator!r}")
    ask = comparing.two(left, right)
    return comparing.negation(ask) if test.operator == "!=" else ask


def _among(test: Test, left: Attribute | None, right: Attribute) -> Ask:
    if right.kind is not Kind.TEXTS:
        raise wrong(test.right.at, f"{right.name} is {right.kind.value}; 'in' asks of a list, a network or a window")
    if left is not None and left.kind is not Kind.TEXT:
        raise wrong(test.left.at, f"{left.name} is {left.kind.value}; {right.name} holds texts")
    try:
        return comparing.among_texts(left or comparing.text_of(test.left), right)
    except InvalidValue as error:
        raise wrong(test.left.at, error.message) from None
