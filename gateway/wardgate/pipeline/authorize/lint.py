"""Finds rules that do nothing, and rules that give more than their author may have meant. Needs no gateway.

Each policy is looked at alone, because a principal may carry it alone. The findings, all of them certain:

- ``unreachable``: an allow that never decides: for each of its actions and paths a deny of the same policy, without a
  condition or with the same one, covers it whole; or a rule whose condition is false whatever is asked.
- ``shadowed``: a rule that changes nothing: each of its actions and paths is covered whole by another rule of the same
  effect, without a condition or with the same one. Of two equal rules the later one is shadowed.
- ``over-broad``: an allow without a condition that gives every action on everything; or any action that shows or
  changes values, in every mount; or ``manage`` on policies, keys, roles or labels, with which a principal can give
  itself more.

A rule is found unreachable or shadowed only by single rules that cover it, not by several that do so together.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from wardgate.pipeline.authorize.compiled import ALL_ACTIONS
from wardgate.pipeline.authorize.conditions import ANYBODY, NO_LABELS, UNKNOWN, Condition, Question, compile_condition
from wardgate.pipeline.authorize.pattern import Pattern, Wildcard
from wardgate.pipeline.authorize.validation import ANY_ACTION, validate
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.methods import RESERVED
from wardgate.spi.operations.policies import Effect, Policy, Rule


class Kind(enum.StrEnum):
    """What is wrong with a rule."""

    UNREACHABLE = "unreachable"
    SHADOWED = "shadowed"
    OVER_BROAD = "over-broad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. ``rule`` counts from 1; ``by``: the rules because of which it is so."""

    policy: str
    rule: int
    kind: Kind
    by: tuple[int, ...]
    message: str


@dataclass(frozen=True, slots=True)
class _Line:
    """One action and one path of a rule."""

    rule: int
    effect: Effect
    action: str
    pattern: Pattern
    when: Condition | None

    def covers(self, other: _Line) -> bool:
        """Whether this applies wherever ``other`` does, but for the effect."""
        return (
            self.rule != other.rule
            and self.action == other.action
            and (self.when is None or self.when == other.when)
            and self.pattern.contains(other.pattern)
        )


HARMLESS: Final = frozenset({Action.LIST, Action.DESCRIBE})
"""Actions that show no value and change nothing."""
_ROLES: Final = "auth/*/role/*"
"""Of any login method; the reserved names have none."""
_KEYS_TO_MORE: Final = {
    "sys/policies/*": "policies",
    "auth/keys": "keys",
    "auth/keys/*": "keys",
    _ROLES: "roles",
    "sys/labels/**": "labels, which conditions turn on",
}


def lint(policy: Policy) -> tuple[Finding, ...]:
    """All findings of one policy, by rule. Raises InvalidValue for a policy that cannot be kept."""
    if not policy.built_in:
        validate(policy)
    lines: list[list[_Line]] = [list(_lines(number, rule)) for number, rule in enumerate(policy.rules, start=1)]
    live = [line for of_rule in lines for line in of_rule if not _never(line)]
    findings: list[Finding] = []
    for number, rule in enumerate(policy.rules, start=1):
        idle = _idle(number, lines[number - 1], live)
        if idle is not None:
            kind, by, message = idle
            findings.append(Finding(policy.name, number, kind, by, message))
        broad = _broad(rule)
        if broad:
            findings.append(Finding(policy.name, number, Kind.OVER_BROAD, (), broad))
    return tuple(findings)


def _lines(number: int, rule: Rule) -> Iterable[_Line]:
    when = compile_condition(rule.when) if rule.when else None
    for action in _actions(rule):
        for path in dict.fromkeys(rule.paths):
            yield _Line(number, rule.effect, action, Pattern.parse(path), when)


def _actions(rule: Rule) -> Sequence[str]:
    return ALL_ACTIONS if rule.actions == (ANY_ACTION,) else tuple(dict.fromkeys(rule.actions))


def _never(line: _Line) -> bool:
    """Whether the condition is false for this action, whoever asks, of what, whence and when."""
    if line.when is None:
        return False
    return line.when.truth(Question(ANYBODY, line.action, UNKNOWN, UNKNOWN, UNKNOWN, NO_LABELS)) is False


def _idle(number: int, lines: Sequence[_Line], live: Sequence[_Line]) -> tuple[Kind, tuple[int, ...], str] | None:
    """Whether no line of a rule ever matters, and because of which rules."""
    mine = [line for line in lines if not _never(line)]
    if not mine:
        return Kind.UNREACHABLE, (), "its condition is false for each of its actions"
    by: set[int] = set()
    denied = shadowed = 0
    for line in mine:
        denier = next((o for o in live if _denies(o, line)), None)
        coverer = denier or next((o for o in live if _shadows(o, line)), None)
        if coverer is None:
            return None
        by.add(coverer.rule)
        denied += denier is not None
        shadowed += denier is None
    named = ", ".join(map(str, sorted(by)))
    rules = f"rule {named}" if len(by) == 1 else f"rules {named}"
    if not shadowed:
        return Kind.UNREACHABLE, tuple(sorted(by)), f"{rules} denies all that it allows"
    what = "denies or gives" if denied else "covers"
    return Kind.SHADOWED, tuple(sorted(by)), f"{rules} {what} all that rule {number} does; without it nothing changes"


def _denies(other: _Line, line: _Line) -> bool:
    return line.effect is Effect.ALLOW and other.effect is Effect.DENY and other.covers(line)


def _shadows(other: _Line, line: _Line) -> bool:
    if other.effect is not line.effect or not other.covers(line):
        return False
    # Of two that cover one another the earlier stays.
    return other.rule < line.rule or not line.covers(other)


def _broad(rule: Rule) -> str:
    """Why a rule gives too much; empty: it does not."""
    if rule.effect is not Effect.ALLOW or rule.when:
        return ""
    patterns = [Pattern.parse(path) for path in rule.paths]
    everywhere = [path for path, pattern in zip(rule.paths, patterns, strict=True) if _any_first(pattern)]
    if ANY_ACTION in rule.actions and "**" in rule.paths:
        return "it allows every action on everything, as the policy administrator does"
    telling = [action for action in _actions(rule) if action not in HARMLESS]
    if everywhere and telling:
        shown = "every action" if ANY_ACTION in rule.actions else ", ".join(telling)
        return f"{everywhere[0]!r} reaches every mount and the gateway's own services, for {shown}"
    if ANY_ACTION in rule.actions or Action.MANAGE in rule.actions:
        for family, name in _KEYS_TO_MORE.items():
            if any(_reaches(pattern, family) for pattern in patterns):
                return f"it allows manage on {name}: who carries it can give itself more"
    return ""


def _reaches(pattern: Pattern, family: str) -> bool:
    no_method = family == _ROLES and len(pattern.parts) > 1 and pattern.parts[1] in RESERVED
    return not no_method and pattern.overlaps(Pattern.parse(family))


def _any_first(pattern: Pattern) -> bool:
    return pattern.parts[0] == Wildcard("", "") if pattern.parts else pattern.rest
