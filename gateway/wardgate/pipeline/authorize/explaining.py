"""Decides one question afresh, and says why: the rule that decided, and what the conditions turned on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from wardgate.pipeline.authorize.compiled import Compiled, Row, applying, deciding
from wardgate.pipeline.authorize.conditions import NO_LABELS, Labels, Question
from wardgate.pipeline.authorize.decider import Decider
from wardgate.pipeline.authorize.pattern import Segments, Target
from wardgate.spi.operations.base import Action
from wardgate.spi.operations.policies import Considered, Explanation, Supposed

MAX_CONSIDERED: Final = 50
"""Conditions one explanation tells of."""


@dataclass(frozen=True, slots=True)
class _SupposedAsker:
    """Somebody who carries these policies."""

    policies: tuple[str, ...]
    id: str | None
    name: str | None
    method: str | None
    attributes: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _SupposedLabels:
    """The labels that are supposed of the one path asked about."""

    labels: Mapping[str, str]

    def of(self, segments: Segments) -> Mapping[str, str]:  # noqa: ARG002  # the protocol's signature
        """What was supposed."""
        return self.labels


def explanation(
    decider: Decider,
    compiled: Compiled,
    policies: Sequence[str],
    action: Action,
    target: Target,
    supposed: Supposed | None = None,
    labels: Labels = NO_LABELS,
) -> Explanation:
    """Decide one question afresh, and say by which rule.

    Args:
        decider: asks Casbin.
        compiled: the policies of a namespace.
        policies: what is carried.
        action: what is asked.
        target: of what.
        supposed: of who asks, whence and when; what it does not state is missing.
        labels: of the namespace, where nothing is supposed of them.
    """
    supposed = supposed or Supposed()
    asker = _SupposedAsker(tuple(policies), supposed.id, supposed.name, supposed.method, supposed.attributes)
    kept = labels if supposed.labels is None else _SupposedLabels(supposed.labels)
    question = Question(asker, action.value, target.segments, supposed.source, supposed.time, kept, target.folder)
    candidates = compiled.candidates(policies, action, target)
    applicable = applying(candidates, question)
    allowed = decider.allows(compiled.namespace, policies, action, target, applicable, question)
    row = deciding(applicable)
    # A rule may cover the question by several of its paths.
    conditional = {(row.policy, row.rule): row for row in candidates if row.when is not None}
    considered = tuple(
        _considered(compiled, conditional[key], question) for key in sorted(conditional)[:MAX_CONSIDERED]
    )
    if row is None:
        return Explanation(allowed, None, None, len(candidates), None, considered)
    return Explanation(allowed, row.policy, compiled.rule(row), len(candidates), row.rule, considered)


def _considered(compiled: Compiled, row: Row, question: Question) -> Considered:
    assert row.when is not None
    return Considered(
        row.policy,
        row.rule,
        compiled.rule(row),
        row.when.truth(question),
        row.when.applies(question, row.effect),
        {attribute.name: attribute.shown(question) for attribute in row.when.reads},
    )
