"""What a written policy must be before it is kept or compiled."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from wardgate.pipeline.authorize.built_in import RESERVED
from wardgate.pipeline.authorize.conditions import compile_condition
from wardgate.pipeline.authorize.pattern import Pattern
from wardgate.spi.errors import InvalidValue
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.policies import Policy, Rule
from wardgate.spi.options import nearest

ANY_ACTION: Final = "*"
MAX_RULES: Final = 250
MAX_PATTERNS: Final = 1_000
"""Paths in one policy, over all its rules."""

MAX_NAMESPACE_PATTERNS: Final = 10_000
"""Paths in all policies of one namespace: they are compiled while requests wait."""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_ACTIONS: Final = frozenset(action.value for action in Action)


def validate(policy: Policy, beside: Iterable[Policy] = ()) -> None:
    """Refuse a policy that cannot be kept, with a sentence that says what to change.

    Args:
        policy: what is to be written.
        beside: the policies already in its namespace, for the limit they share; one of the same name is replaced.

    Raises:
        InvalidValue: its name, its size, an action, a pattern or a condition.
    """
    check_name(policy.name)
    of = f"policy {policy.name!r}"
    if policy.built_in:
        raise InvalidValue(f"{of}: a written policy is not built in")
    if not policy.rules:
        raise InvalidValue(f"{of}: it has no rules; give it at least one")
    if len(policy.rules) > MAX_RULES:
        raise InvalidValue(f"{of}: it has more than {MAX_RULES} rules; split it")
    if _size(policy) > MAX_PATTERNS:
        raise InvalidValue(f"{of}: it has more than {MAX_PATTERNS} paths; split it, or use '*' and '**'")
    if _size(policy) + sum(_size(other) for other in beside if other.name != policy.name) > MAX_NAMESPACE_PATTERNS:
        raise InvalidValue(f"{of}: the policies of a namespace hold at most {MAX_NAMESPACE_PATTERNS} paths together")
    for number, rule in enumerate(policy.rules, start=1):
        _check_rule(rule, f"{of}, rule {number}")


def check_name(name: str) -> None:
    """Refuse a name outside the grammar, or one that looks like a built-in's in any spelling.

    Raises:
        InvalidValue: the name cannot be taken.
    """
    # Reserved names are looked for in the canonical form, and the grammar then holds for the name as it is: no
    # later step can turn an accepted name into another one.
    if unicodedata.normalize("NFKC", name).strip().casefold() in RESERVED:
        raise InvalidValue(f"the policy name {name!r} is reserved; choose another")
    if not _NAME.fullmatch(name):
        raise InvalidValue(
            f"the policy name {name[:80]!r} must be 1 to 63 small letters, digits, '-' or '_', and begin with a letter"
            " or digit"
        )


def _size(policy: Policy) -> int:
    return sum(len(rule.paths) for rule in policy.rules)


def _check_rule(rule: Rule, of: str) -> None:
    # An empty list never means "all": it is refused, so that nobody has to know what it means.
    if not rule.actions:
        raise InvalidValue(f"{of}: name at least one action")
    if not rule.paths:
        raise InvalidValue(f"{of}: name at least one path")
    if rule.when:
        try:
            compile_condition(rule.when)
        except InvalidValue as error:
            raise InvalidValue(f"{of}, when: {error.message}") from None
    if ANY_ACTION in rule.actions and rule.actions != (ANY_ACTION,):
        raise InvalidValue(f"{of}: '*' is all actions; let it stand alone")
    for action in rule.actions:
        if action != ANY_ACTION and action not in _ACTIONS:
            raise InvalidValue(f"{of}: unknown action {action[:80]!r}{nearest(action[:80], _ACTIONS)}")
    for path in rule.paths:
        try:
            Pattern.parse(path)
        except InvalidValue as error:
            raise InvalidValue(f"{of}: {error.message}") from None
