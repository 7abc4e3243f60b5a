"""The policies of one namespace, compiled: an index that picks the rules a question could turn on."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final, NamedTuple

from wardgate.pipeline.authorize.built_in import BUILT_IN, DEFAULT
from wardgate.pipeline.authorize.conditions import Condition, Question, compile_condition
from wardgate.pipeline.authorize.pattern import Part, Pattern, Segments, Target, Wildcard
from wardgate.pipeline.authorize.validation import ANY_ACTION, validate
from wardgate.spi.errors import InvalidValue
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.policies import Effect, Policy, Rule

ALL_ACTIONS: Final = tuple(action.value for action in Action)
_NO_SHELVES: Final[dict[str, Shelf]] = {}
_NUMBER = attrgetter("rule")
_generations = itertools.count(1)


class Row(NamedTuple):
    """One line of Casbin's policy, in the order of ``p`` in model.conf; ``rule`` counts from 1 within its policy."""

    policy: str
    namespace: str
    action: str
    pattern: Pattern
    effect: str
    when: Condition | None
    rule: int


class Shelf:
    """The rows of one policy and one action: a tree of the parts of their patterns, literal ones found at once.

    One of these is a node of it: the rows whose patterns end there, and what may follow.
    """

    __slots__ = ("ending", "literals", "rest", "wildcards")

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.ending: list[Row] = []
        self.rest: list[Row] = []
        self.literals: dict[str, Shelf] = {}
        self.wildcards: dict[Wildcard, Shelf] = {}
        for row in rows:
            node = self
            for part in row.pattern.parts:
                node = node.at(part)
            (node.rest if row.pattern.rest else node.ending).append(row)

    def at(self, part: Part) -> Shelf:
        """The node after this one for a part; made where there is none."""
        if isinstance(part, str):
            return self.literals.setdefault(part, Shelf())
        return self.wildcards.setdefault(part, Shelf())

    def __iter__(self) -> Iterator[Row]:
        yield from self.ending
        yield from self.rest
        for node in itertools.chain(self.literals.values(), self.wildcards.values()):
            yield from node

    def covering(self, target: Target) -> list[Row]:
        """Every row that covers the target, in the order of the rules."""
        passed, nodes = self._walk(target.segments)
        rows = [row for node in passed for row in node.rest]
        for node in nodes:
            rows += node.ending
            if target.folder:
                rows += node.rest
        rows.sort(key=_NUMBER)
        return rows

    def reaching(self, folder: Segments) -> tuple[list[Shelf], list[Shelf]]:
        """The nodes whose ``**`` covers all below the folder, and those of which all rows reach there."""
        passed, nodes = self._walk(folder)
        return [node for node in passed if node.rest], nodes

    def _walk(self, segments: Segments) -> tuple[list[Shelf], list[Shelf]]:
        """The nodes that the segments pass by, and those they end at."""
        passed, nodes = [], [self]
        for segment in segments:
            passed += nodes
            nodes = [after for node in nodes for after in node.after(segment)]
            if not nodes:
                break
        return passed, nodes

    def after(self, segment: str) -> Iterator[Shelf]:
        """The nodes after this one that a path's segment comes to."""
        literal = self.literals.get(segment)
        if literal is not None:
            yield literal
        for part, node in self.wildcards.items():
            if part.fits(segment):
                yield node


@dataclass(frozen=True, slots=True)
class Reached:
    """The rows that cover a folder or could cover something below it; of equal ones, the same is left below.

    ``passed``: nodes above it whose ``**`` covers it; ``nodes``: those it is at.
    """

    passed: tuple[Shelf, ...]
    nodes: tuple[Shelf, ...]

    def __iter__(self) -> Iterator[Row]:
        for node in self.passed:
            yield from node.rest
        for node in self.nodes:
            yield from node


class Compiled:
    """The policies of one namespace, the built-in ones among them; immutable.

    ``generation`` is a number no other compiled set of this process has: what is remembered under it dies with it.

    Args:
        namespace: its id.
        policies: the written ones.
        before: the set this one replaces; what did not change is taken over.

    Raises:
        InvalidValue: one policy is not valid, or two have one name; nothing of the set is then used.
    """

    def __init__(self, namespace: str, policies: Sequence[Policy], before: Compiled | None = None) -> None:
        self.namespace = namespace
        self.generation = next(_generations)
        self._policies: dict[str, Policy] = {}
        self._shelves: dict[str, dict[str, Shelf]] = {}
        for policy in (*BUILT_IN.values(), *policies):
            if policy.name in self._policies:
                raise InvalidValue(f"there are two policies named {policy.name!r}")
            self._policies[policy.name] = policy
            if before is not None and before._policies.get(policy.name) == policy:  # noqa: SLF001  # one of us
                self._shelves[policy.name] = before._shelves[policy.name]  # noqa: SLF001  # one of us
            else:
                self._shelves[policy.name] = _shelves(namespace, policy)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all policies, the built-in ones among them."""
        return tuple(self._policies)

    def rule(self, row: Row) -> Rule:
        """The rule that ``row`` was made from."""
        return self._policies[row.policy].rules[row.rule - 1]

    def candidates(self, policies: Sequence[str], action: str, target: Target) -> list[Row]:
        """The rows of these policies, and of ``default``, that cover the target: what the decision turns on."""
        return [row for shelf in self._of(policies, action) for row in shelf.covering(target)]

    def reaching(self, policies: Sequence[str], action: str, folder: Segments) -> Reached:
        """The rows of these policies, and of ``default``, that cover the folder or could cover something below it."""
        found = [shelf.reaching(folder) for shelf in self._of(policies, action)]
        return Reached(
            tuple(node for passed, _ in found for node in passed), tuple(node for _, nodes in found for node in nodes)
        )

    def _of(self, policies: Sequence[str], action: str) -> Iterator[Shelf]:
        for name in dict.fromkeys((*policies, DEFAULT.name)):
            shelf = self._shelves.get(name, _NO_SHELVES).get(action)
            if shelf is not None:
                yield shelf


def applying(candidates: Iterable[Row], question: Question) -> list[Row]:
    """The candidates whose conditions, if they have any, let them apply."""
    return [row for row in candidates if row.when is None or row.when.applies(question, row.effect)]


def deciding(applicable: Iterable[Row]) -> Row | None:
    """The row that decides, without asking Casbin: the first deny, else the first allow, else none.

    It names the rule behind a decision, and answers questions about many names at once; the tests hold it to what
    Casbin says.
    """
    allowed: Row | None = None
    for row in applicable:
        if row.effect != Effect.ALLOW:
            return row
        allowed = allowed or row
    return allowed


def _shelves(namespace: str, policy: Policy) -> dict[str, Shelf]:
    if BUILT_IN.get(policy.name) is not policy:
        validate(policy)
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for number, rule in enumerate(policy.rules, start=1):
        when = compile_condition(rule.when) if rule.when else None
        actions = ALL_ACTIONS if rule.actions == (ANY_ACTION,) else tuple(dict.fromkeys(rule.actions))
        for path in dict.fromkeys(rule.paths):
            pattern = Pattern.parse(path)
            for action in actions:
                rows[action].append(Row(policy.name, namespace, action, pattern, rule.effect.value, when, number))
    return {action: Shelf(found) for action, found in rows.items()}
