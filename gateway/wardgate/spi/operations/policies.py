"""Operations on policies, at ``sys/policies/<name>``, and questions about them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

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

    ``actions`` holds names of :class:`Action`, or ``*`` alone. ``when`` is a condition's source text; none as yet.
    """

    effect: Effect
    actions: tuple[str, ...]
    paths: tuple[str, ...]
    when: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """A named set of rules. ``built_in`` ones (``default``, ``administrator``) cannot be changed."""

    name: str
    rules: tuple[Rule, ...]
    built_in: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a question was decided: the rule that decided, and the policy it stands in; none: default deny."""

    allowed: bool
    policy: str | None
    rule: Rule | None
    candidates: int


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
    policy: Policy


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCapabilities(Operation[Mapping[str, frozenset[Action]]]):
    """What may I do at these paths? ``path`` of the operation is fixed; the answer is keyed by the paths asked for."""

    action = Action.READ
    path: Path = Path(("sys", "capabilities-self"))
    asked: tuple[Path, ...]
