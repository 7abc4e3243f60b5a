"""Endpoints of policies, and questions about them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import msgspec
from wardgate.spi.errors import InvalidValue
from wardgate.spi.frontend import Outcome
from wardgate.spi.networks import is_address
from wardgate.spi.operations.base import Action, Operation
from wardgate.spi.operations.policies import (
    POLICIES,
    Considered,
    DeletePolicy,
    Effect,
    ExplainPolicy,
    Explanation,
    ListPolicies,
    Policy,
    ReadCapabilities,
    ReadPolicy,
    Rule,
    Supposed,
    WritePolicy,
)
from wardgate.spi.path import ROOT, Path
from wardgate.spi.policy_document import parse_policy

from wardgate_native.api.routing import Call, Route
from wardgate_native.api.secrets import no_content
from wardgate_native.api.wire import SECOND, Answer, Body, PathText


class RuleDocument(Body, omit_defaults=True):
    """One rule. ``actions``: names of actions, or ``*`` alone; ``paths``: patterns."""

    effect: Effect
    actions: list[str]
    paths: list[str]
    when: str = ""


class PolicyDocument(Body, omit_defaults=True):
    """A policy. In a request ``name`` may be left out; if it stands there it is the one of the URL."""

    rules: list[RuleDocument]
    name: str | None = None


class StoredPolicy(msgspec.Struct, kw_only=True):
    """A policy as it is kept; a built-in one cannot be changed."""

    name: str
    built_in: bool
    rules: list[RuleDocument]


class Policies(msgspec.Struct):
    """The names of all policies."""

    policies: list[str]


class SupposedFacts(Body):
    """What is supposed of who asks, whence and when. Without ``time`` it is now; without ``labels``, those kept."""

    id: str | None = None
    name: str | None = None
    method: str | None = None
    role: str | None = None
    attributes: dict[str, str] = msgspec.field(default_factory=dict)
    source: str | None = None
    time: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    labels: dict[str, str] | None = None


class Question(Body):
    """Would a principal with these policies be allowed this? ``folder``: the path names a folder."""

    policies: list[str]
    action: Action
    path: PathText
    folder: bool = False
    facts: SupposedFacts = msgspec.field(default_factory=SupposedFacts)


class ConsideredRule(msgspec.Struct, kw_only=True):
    """A rule with a condition that covers the question. ``outcome``: ``true``, ``false`` or ``unknown``.

    ``attributes``: each that the condition names, with its value; null: it is missing.
    """

    policy: str
    number: int
    effect: Effect
    when: str
    outcome: str
    applies: bool
    attributes: dict[str, str | None]


class Reason(msgspec.Struct, kw_only=True):
    """Why: the policy and the rule (with its number there) that decided; null: none did, so it is denied."""

    allowed: bool
    policy: str | None
    number: int | None
    rule: RuleDocument | None
    candidates: int
    considered: list[ConsideredRule]


class AskedPaths(Body):
    """The paths to ask about."""

    paths: Annotated[list[PathText], msgspec.Meta(min_length=1, max_length=128)]


class OwnCapabilities(msgspec.Struct):
    """The actions allowed at each path."""

    capabilities: dict[str, list[str]]


def _rule(rule: Rule) -> RuleDocument:
    return RuleDocument(effect=rule.effect, actions=list(rule.actions), paths=list(rule.paths), when=rule.when)


def _write(call: Call) -> Operation[None]:
    document = msgspec.to_builtins(call.body)
    return WritePolicy(path=POLICIES.joined(call.path), policy=parse_policy(document, name=call.path.segments[0]))


def _policy_answer(outcome: Outcome[Policy]) -> Answer:
    policy = outcome.result
    rules = [_rule(rule) for rule in policy.rules]
    return Answer(StoredPolicy(name=policy.name, built_in=policy.built_in, rules=rules))


def _explain(call: Call) -> Operation[Explanation]:
    question: Question = call.body
    folder = question.folder or question.path.endswith("/")
    text = question.path.removesuffix("/")
    return ExplainPolicy(
        policies=tuple(question.policies),
        asked_action=question.action,
        asked_path=Path.parse(text) if text or not folder else ROOT,
        asked_folder=folder,
        supposed=_supposed(question.facts),
    )


def _supposed(facts: SupposedFacts) -> Supposed:
    if facts.source is not None and not is_address(facts.source):
        raise InvalidValue("facts.source must be an address, such as 10.1.2.3")
    role = {} if facts.role is None else {"role": facts.role}
    return Supposed(
        id=facts.id,
        name=facts.name,
        method=facts.method,
        attributes={**facts.attributes, **role},
        source=facts.source,
        time=None if facts.time is None else int(facts.time.timestamp()) * SECOND,
        labels=facts.labels,
    )


def _considered(one: Considered) -> ConsideredRule:
    return ConsideredRule(
        policy=one.policy,
        number=one.number,
        effect=one.rule.effect,
        when=one.rule.when,
        outcome="unknown" if one.truth is None else str(one.truth).lower(),
        applies=one.applies,
        attributes=dict(one.values),
    )


def _reason_answer(outcome: Outcome[Explanation]) -> Answer:
    why = outcome.result
    rule = None if why.rule is None else _rule(why.rule)
    return Answer(
        Reason(
            allowed=why.allowed,
            policy=why.policy,
            number=why.number,
            rule=rule,
            candidates=why.candidates,
            considered=[_considered(one) for one in why.considered],
        )
    )


def _policies_answer(outcome: Outcome[tuple[str, ...]]) -> Answer:
    return Answer(Policies(list(outcome.result)))


def _capabilities(call: Call) -> Operation[Mapping[str, frozenset[Action]]]:
    return ReadCapabilities(asked=tuple(Path.parse(path.removesuffix("/")) for path in call.body.paths))


def _capabilities_answer(outcome: Outcome[Mapping[str, frozenset[Action]]]) -> Answer:
    return Answer(OwnCapabilities({path: sorted(actions) for path, actions in outcome.result.items()}))


ROUTES = (
    Route(
        method="GET", pattern="policies", summary="The names of all policies.", response=Policies,
        operation=lambda _call: ListPolicies(), answer=_policies_answer,
    ),
    Route(
        method="GET", pattern="policies/{name}", summary="One policy.", response=StoredPolicy,
        operation=lambda call: ReadPolicy(path=POLICIES.joined(call.path)), answer=_policy_answer,
    ),
    Route(
        method="PUT", pattern="policies/{name}", summary="Create a policy or replace it; a bad one changes nothing.",
        request=PolicyDocument, operation=_write, answer=no_content,
    ),
    Route(
        method="DELETE", pattern="policies/{name}", summary="Delete a policy.",
        operation=lambda call: DeletePolicy(path=POLICIES.joined(call.path)), answer=no_content,
    ),
    Route(
        method="POST", pattern="explain", summary="Would this be allowed, and which rule decides?",
        request=Question, response=Reason, changes=False, operation=_explain, answer=_reason_answer,
    ),
    Route(
        method="POST", pattern="capabilities", summary="What may I do at these paths?",
        request=AskedPaths, response=OwnCapabilities, changes=False,
        operation=_capabilities, answer=_capabilities_answer,
    ),
)  # fmt: skip
