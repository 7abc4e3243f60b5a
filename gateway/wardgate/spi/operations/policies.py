"""Operations on policies, at ``sys/policies/<name>``, and questions about them."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from wardgate.spi.operations.base import Action, Operation
from wardgate.spi.path import Path

POLICIES = Path(("sys", "policies"))
ADMINISTRATOR = "administrator"
"""The built-in policy that allows everything in its namespace."""
DEFAULT = "default"
"""The built-in policy that every principal carries."""


class Effect(enum.StrEnum):
    """An explicit deny wins over every allow."""

    ALLOW = "allow"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: an effect on actions below path patterns (``*`` one segment, ``team-*`` within one, ``**`` the rest).

    ``actions`` holds names of :class:`Action`, or ``*`` alone. ``when`` is a condition's text; empty: always.
    """

    effect: Effect
    actions: tuple[str, ...]
    paths: tuple[str, ...]
    when: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """A named set of rules. ``built_in`` ones (``default``, ``administrator``) cannot be changed.

    ``text``: what it was written as in a language that a front-end turned into the rules, so that it can be read back;
    empty for one written as rules. The rules alone decide.
    """

    name: str
    rules: tuple[Rule, ...]
    built_in: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A policy whose text is not read yet: that can take long, and is done only for those who may write it.

    ``read``: the rules of the text, and warnings of what a reader might miss in them. It runs in a thread, and raises
    InvalidValue.
    """

    name: str
    text: str = field(repr=False)
    read: Callable[[str], tuple[tuple[Rule, ...], tuple[str, ...]]] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Supposed:
    """What a question about policies supposes of who asks, from where and when; None: not stated.

    ``time``: Unix nanoseconds. ``labels``: of the path, instead of those the gateway keeps.
    """

    id: str | None = None
    name: str | None = None
    method: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None
    time: int | None = None
    labels: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Considered:
    """A rule that covers the question and has a condition, as it turned out.

    ``truth``: None is unknown. ``values``: each attribute the condition names; None: missing.
    """

    policy: str
    number: int
    rule: Rule
    truth: bool | None
    applies: bool
    values: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a question was decided: the rule that decided, and the policy it stands in; none: default deny.

    ``number`` of the rule counts from 1. ``considered``: the conditions asked, the first 50.
    """

    allowed: bool
    policy: str | None
    rule: Rule | None
    candidates: int
    number: int | None = None
    considered: tuple[Considered, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPolicies(Operation[tuple[str, ...]]):
    """The names of all policies."""

    action = Action.LIST
    folder = True
    path: Path = POLICIES


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPolicy(Operation[Policy]):
    """One policy; ``path`` is ``sys/policies/<name>``."""

    action = Action.READ


@dataclass(frozen=True, slots=True, kw_only=True)
class WritePolicy(Operation[None]):
    """Create or replace a policy; a bad one is refused and the old one kept. ``path`` ends in ``policy.name``."""

    action = Action.MANAGE
    mutates = True
    policy: Policy | Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletePolicy(Operation[None]):
    """Delete a policy; principals that carry it lose what it gave."""

    action = Action.MANAGE
    mutates = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainPolicy(Operation[Explanation]):
    """Would a principal with these policies be allowed this, and which rule decides?"""

    action = Action.READ
    path: Path = Path(("sys", "policies-explain"))
    policies: tuple[str, ...]
    asked_action: Action
    asked_path: Path
    asked_folder: bool = False
    supposed: Supposed = field(default_factory=Supposed, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCapabilities(Operation[Mapping[str, frozenset[Action]]]):
    """What may I do at these paths? ``path`` of the operation is fixed; the answer is keyed by the paths asked for."""

    action = Action.READ
    path: Path = Path(("sys", "capabilities-self"))
    asked: tuple[Path, ...]
