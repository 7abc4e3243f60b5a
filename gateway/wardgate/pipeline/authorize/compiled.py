"""The policies of one namespace, compiled: an index that picks the rules a question could turn on."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from wardgate.pipeline.authorize.built_in import BUILT_IN, DEFAULT
from wardgate.pipeline.authorize.pattern import Pattern, Segments, Target
from wardgate.pipeline.authorize.validation import ANY_ACTION, validate
from wardgate.spi.errors import InvalidValue
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.policies import Effect, Policy, Rule

ALL_ACTIONS: Final = tuple(action.value for action in Action)
_generations = itertools.count(1)


class Row(NamedTuple):
    """One line of Casbin's policy, in the order of ``p`` in model.conf; ``rule`` counts from 1 within its policy."""

    policy: str
    namespace: str
    action: str
    pattern: Pattern
    effect: str
    when: str
    rule: int


class Shelf:
    """The rows of one policy and one action, found by the literal segments their patterns begin with."""

    def __init__(self, rows: Iterable[Row]) -> None:
        by_literals: defaultdict[Segments, list[Row]] = defaultdict(list)
        for row in rows:
            by_literals[row.pattern.literals].append(row)
        self._by_literals = dict(by_literals)
        self._lengths = sorted({len(literals) for literals in by_literals})

    def __iter__(self) -> Iterator[Row]:
        return itertools.chain.from_iterable(self._by_literals.values())

    def add_candidates(self, segments: Segments, to: list[Row]) -> None:
        """Append every row whose literal segments ``segments`` begins with."""
        for length in self._lengths:
            if length > len(segments):
                return
            found = self._by_literals.get(segments[:length])
            if found:
                to.extend(found)


class Compiled:
    """The policies of one namespace, the built-in ones among them; immutable.

    ``generation`` is a number no other compiled set of this process has: what is remembered under it dies with it.

    Raises:
        InvalidValue: one policy is not valid, or two have one name; nothing of the set is then used.
    """

    def __init__(self, namespace: str, policies: Sequence[Policy]) -> None:
        self.namespace = namespace
        self.generation = next(_generations)
        self._policies = dict(BUILT_IN)
        for policy in policies:
            validate(policy)
            if policy.name in self._policies:
                raise InvalidValue(f"there are two policies named {policy.name!r}")
            self._policies[policy.name] = policy
        rows: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
        for policy in self._policies.values():
            for row in _rows(namespace, policy):
                rows[policy.name, row.action].append(row)
        self._shelves = {key: Shelf(found) for key, found in rows.items()}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all policies, the built-in ones among them."""
        return tuple(self._policies)

    def rule(self, row: Row) -> Rule:
        """The rule that ``row`` was made from."""
        return self._policies[row.policy].rules[row.rule - 1]

    def candidates(self, policies: Sequence[str], action: str, segments: Segments) -> list[Row]:
        """The rows of these policies, and of ``default``, that could cover a path: a superset, usually a short one."""
        found: list[Row] = []
        for shelf in self._of(policies, action):
            shelf.add_candidates(segments, found)
        return found

    def rows(self, policies: Sequence[str], action: str) -> Iterator[Row]:
        """All rows of these policies, and of ``default``, for an action."""
        return itertools.chain.from_iterable(self._of(policies, action))

    def _of(self, policies: Sequence[str], action: str) -> Iterator[Shelf]:
        for name in dict.fromkeys((*policies, DEFAULT.name)):
            shelf = self._shelves.get((name, action))
            if shelf is not None:
                yield shelf


def deciding(rows: Iterable[Row], target: Target) -> Row | None:
    """The row that decides without asking Casbin: the first deny that matches, else the first allow, else none.

    For questions about many names at once; the tests hold it to what Casbin says.
    """
    allowed: Row | None = None
    for row in rows:
        if row.pattern.matches(target):
            if row.effect != Effect.ALLOW:
                return row
            allowed = allowed or row
    return allowed


def _rows(namespace: str, policy: Policy) -> Iterator[Row]:
    for number, rule in enumerate(policy.rules, start=1):
        actions = ALL_ACTIONS if rule.actions == (ANY_ACTION,) else tuple(dict.fromkeys(rule.actions))
        for path in dict.fromkeys(rule.paths):
            pattern = Pattern.parse(path)
            for action in actions:
                yield Row(policy.name, namespace, action, pattern, rule.effect.value, rule.when, number)
