"""Where Casbin decides: the one file that imports it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from casbin.core_enforcer import CoreEnforcer
from casbin.rbac import RoleManager

from wardgate.pipeline.authorize.built_in import DEFAULT
from wardgate.pipeline.authorize.compiled import Row
from wardgate.pipeline.authorize.conditions import Condition, Question
from wardgate.pipeline.authorize.pattern import Target


@dataclass(frozen=True, slots=True)
class Subject:
    """Who asks: the policies it carries, within one namespace."""

    namespace: str
    policies: frozenset[str]

    def __str__(self) -> str:
        return "subject"


class _CarriedRoles(RoleManager):  # type: ignore[misc]  # Casbin ships without types
    """Roles come with the subject: a table of all principals would grow with every token issued."""

    def has_link(self, name1: Subject, name2: str, *domain: str) -> bool:
        """Whether the subject ``name1`` carries the policy ``name2`` in that namespace."""
        return domain == (name1.namespace,) and name2 in name1.policies


class _Matcher:
    """The matcher of model.conf as Python's own code, of which it is written; Casbin would walk its tree each time."""

    def __init__(self, text: str, functions: Mapping[str, Any]) -> None:
        self._code = compile(text.replace("&&", "and").strip(), "model.conf", "eval")
        self._functions = {"__builtins__": {}, **functions}

    def eval(self, parameters: Mapping[str, Any]) -> Any:
        """Whether the matcher holds of the fields of a request and a row, such as ``r_act`` and ``p_act``."""
        return eval(self._code, self._functions, parameters)  # noqa: S307  # the text is this package's, no caller's


class _Enforcer(CoreEnforcer):  # type: ignore[misc]  # Casbin ships without types
    """Reads the matcher once, not once a decision."""

    _matcher: _Matcher | None = None

    def _get_expression(self, expr: str, functions: Any = None) -> Any:
        if self._matcher is None:
            self._matcher = _Matcher(expr, functions)
        return self._matcher


def _fits(*asked_and_ruled: Any) -> bool:
    namespace, action, target, ruled_namespace, ruled_action, pattern = asked_and_ruled
    return bool(namespace == ruled_namespace and action == ruled_action and pattern.matches(target))


def _applies(question: Question | None, condition: Condition | None, effect: str) -> bool:
    if condition is None:
        return True
    # An error denies, whatever the rule's effect: a deny whose condition cannot be asked must not fall away.
    if question is None:
        raise ValueError("a condition without a question")
    return condition.applies(question, effect)


class _Silence:
    """A logger that keeps nothing."""

    def info(self, *_: object) -> None:
        """Say nothing."""

    warning = info


class Decider:
    """Asks Casbin about a few candidate rows. Safe to call from several threads."""

    def __init__(self) -> None:
        model = resources.files("wardgate.pipeline.authorize").joinpath("model.conf").read_text("utf-8")
        self._enforcer = _Enforcer(_Enforcer.new_model(text=model))
        # Casbin logs each request it denies, path and all; other code may enable its logger again at any time.
        self._enforcer.logger = _Silence()
        self._enforcer.fm.add_function("fits", _fits)
        self._enforcer.fm.add_function("applies", _applies)
        self._enforcer.model["g"]["g"].rm = _CarriedRoles()
        self._rules = self._enforcer.model["p"]["p"]
        self._lock = threading.Lock()

    def allows(
        self,
        namespace: str,
        policies: Iterable[str],
        action: str,
        target: Target,
        candidates: Sequence[Row],
        question: Question | None = None,
    ) -> bool:
        """Whether Casbin allows it by these rows and no others. Anything Casbin raises is for the caller to deny.

        Args:
            namespace: id of the namespace the subject is in.
            policies: the names of the policies it carries; ``default`` need not be among them.
            action: the action's name.
            target: what it is asked of.
            candidates: every row that could apply, in any order.
            question: what conditions are asked about; None: no candidate has one.
        """
        if not candidates:
            # Default deny; Casbin itself would evaluate its matcher over empty fields here.
            return False
        subject = Subject(namespace, frozenset((*policies, DEFAULT.name)))
        with self._lock:
            self._rules.policy = candidates
            return bool(self._enforcer.enforce(subject, namespace, action, target, question))
