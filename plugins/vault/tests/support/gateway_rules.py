"""What the gateway's rules allow, by its own patterns: what a policy of Vault's came to here."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from wardgate.pipeline.authorize.pattern import Pattern, Target
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.policies import Effect, Rule

_parsed = cache(Pattern.parse)


def allowed(rules: Sequence[Rule], action: Action, path: Sequence[str]) -> bool:
    """A denial wins; no rule denies."""
    target = Target(tuple(path), folder=action is Action.LIST)
    effects = {
        rule.effect
        for rule in rules
        if action.value in rule.actions and any(_parsed(text).matches(target) for text in rule.paths)
    }
    return effects == {Effect.ALLOW}
