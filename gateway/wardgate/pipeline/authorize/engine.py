"""The policy engine: remembers decisions, refuses by raising, and answers questions about policies."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wardgate.context import Decision
from wardgate.pipeline.authorize.compiled import Compiled, Reached, Row, applying, deciding
from wardgate.pipeline.authorize.conditions import NO_LABELS, Facts, Labels, Question
from wardgate.pipeline.authorize.decider import Decider
from wardgate.pipeline.authorize.explaining import explanation
from wardgate.pipeline.authorize.loading import Epochs, Loader, PolicySet
from wardgate.pipeline.authorize.memo import Memo
from wardgate.pipeline.authorize.pattern import Segments, Target
from wardgate.pipeline.authorize.turning import Held, Turning
from wardgate.pipeline.authorize.validation import validate
from wardgate.pipeline.authorize.visible import NOTHING, Visible, compile_visible
from wardgate.spi.errors import PermissionDenied, TooLarge
from wardgate.spi.identity import Principal
from wardgate.spi.operations.base import Action, Operation
from wardgate.spi.operations.policies import Effect, Explanation, Policy, Supposed
from wardgate.spi.path import Path

MAX_REMEMBERED: Final = 50_000
MAX_REMEMBERED_CHARACTERS: Final = 256
"""Decisions about longer paths are not remembered, so that the memo is bounded in bytes too."""

MAX_REMEMBERED_FOLDERS: Final = 256
"""Compiled answers of :meth:`Engine.visible`; each holds names of its rules."""

MAX_ASKED_PATHS: Final = 128

_Key = tuple[int, tuple[str, ...], str, bool, tuple[str, ...]]
_FolderKey = tuple[int, tuple[str, ...], str, tuple[str, ...]]
_BelowKey = tuple[int, tuple[str, ...], str, Reached]
_log = logging.getLogger(__name__)


class Engine:
    """Decides by the policies of the principal's own namespace.

    Args:
        policies_of: the written policies of a namespace, by its id, as they are committed now. What it raises
            denies that namespace until it answers again; Sealed and Unavailable are passed on.
        epochs: the epoch of kind ``policies`` moves when a namespace's policies change.
        labels_of: the labels of a namespace, by its id, as they are committed now: an object that never changes, and
            another one once they did. Asked only where a condition reads one. What it raises of the closed list is
            passed on.
        remembered: how many decisions are kept, the least recently used dropped first.
    """

    def __init__(
        self,
        policies_of: Callable[[str], PolicySet],
        epochs: Epochs,
        labels_of: Callable[[str], Labels] = lambda _: NO_LABELS,
        *,
        remembered: int = MAX_REMEMBERED,
    ) -> None:
        self._loader = Loader(policies_of, epochs)
        self._decider = Decider()
        self._labels_of = labels_of
        # Keyed by all that an answer turned on, the compiled set's generation first: no answer outlives its set. Where
        # candidates have conditions they are remembered instead, and the answers by what the conditions read.
        self._remembered: Memo[_Key, Decision | Turning | None] = Memo(remembered)
        self._held: Held[Decision | None] = Held(remembered)
        self._visible: Memo[_FolderKey, _Folder] = Memo(MAX_REMEMBERED_FOLDERS)
        self._below: Memo[_BelowKey, Turning] = Memo(MAX_REMEMBERED_FOLDERS)
        self._held_visible: Held[Visible] = Held(MAX_REMEMBERED_FOLDERS)

    def require(self, principal: Principal, operation: Operation[Any], facts: Facts) -> Decision:
        """Return the decision that allows ``operation``; ``facts`` are the request's: whence and when.

        Raises:
            PermissionDenied: no rule allows it, or one denies it; the message does not say which.
        """
        decision = self.decision(principal, operation, facts)
        if decision is None:
            raise PermissionDenied("permission denied: no policy of this token allows it")
        return decision

    def decision(self, principal: Principal, operation: Operation[Any], facts: Facts) -> Decision | None:
        """The same, None where it is denied.

        Raises:
            PermissionDenied: the namespace's policies cannot be used, so everything is denied.
        """
        compiled = self._loader.current(principal.namespace)
        path, folder, action = operation.path.segments, operation.folder, operation.action
        key = (compiled.generation, principal.policies, action, folder, path)
        try:
            turning = self._remembered[key]
        except KeyError:
            turning = self._first(compiled, principal.policies, action, Target(path, folder))
            if sum(map(len, path)) <= MAX_REMEMBERED_CHARACTERS:
                self._remembered[key] = turning
        if not isinstance(turning, Turning):
            return turning
        time = facts.received_at
        question = Question(principal, action, path, facts.source, time, turning.labels, folder)
        values = turning.values(question)
        try:
            return self._held.recall(turning, values, time)
        except KeyError:
            decision, until = self._turned(compiled, turning, Target(path, folder), question)
        self._held.keep(turning, values, decision, time, until)
        return decision

    def _first(
        self, compiled: Compiled, policies: tuple[str, ...], action: str, target: Target
    ) -> Decision | Turning | None:
        """The decision, or what it turns on where a rule that could apply has a condition."""
        candidates = compiled.candidates(policies, action, target)
        if any(row.when is not None for row in candidates):
            return Turning(candidates, self._labels(compiled.namespace))
        return self._decide(compiled, policies, action, target, candidates)

    def _turned(
        self, compiled: Compiled, turning: Turning, target: Target, question: Question
    ) -> tuple[Decision | None, int]:
        """Decide what turns on conditions; with the time up to which the decision holds."""
        assert isinstance(question.time, int)
        assert isinstance(question.action, str)
        rows, until = applying(turning.rows, question), turning.until(question.time)
        decision = self._decide(compiled, question.asker.policies, question.action, target, rows, question)
        if decision is not None:
            ends = until if turning.timed else None
            decision = dataclasses.replace(decision, read=turning.read, until=ends)
        return decision, until

    def _labels(self, namespace: str) -> Labels:
        return _LabelsOf(self._labels_of, namespace)

    def visible(self, principal: Principal, action: Action, prefix: Path, facts: Facts) -> Visible:
        """What of the folder ``prefix`` the principal may see, by the rules of the module ``visible``."""
        try:
            compiled = self._loader.current(principal.namespace)
        except PermissionDenied:
            return NOTHING
        key = (compiled.generation, principal.policies, action, prefix.segments)
        folder = Target(prefix.segments, folder=True)
        try:
            known = self._visible[key]
        except KeyError:
            candidates = compiled.candidates(principal.policies, action, folder) if action is Action.LIST else []
            labels = self._labels(principal.namespace)
            known = _Folder(Turning(candidates, labels), self._reached(compiled, principal, action, prefix))
            self._visible[key] = known
        question = _question(principal, action, folder, facts, known.below.labels)
        listed = _allowing(applying(known.listing.rows, question))
        below, time = known.below, facts.received_at
        values = (*below.values(question), listed)
        try:
            visible = self._held_visible.recall(below, values, time)
        except KeyError:
            visible = compile_visible(below.rows, prefix.segments, listed=listed, question=question)
            self._held_visible.keep(below, values, visible, time, below.until(time))
        # Each name is asked about with this request's own facts, in this folder.
        return visible.at(question) if below.reads_path else visible

    def _reached(self, compiled: Compiled, principal: Principal, action: Action, prefix: Path) -> Turning:
        """What reaches below the folder; one for all folders where that is the same."""
        reached = compiled.reaching(principal.policies, action, prefix.segments)
        key = (compiled.generation, principal.policies, action, reached)
        below = self._below.get(key)
        if below is None:
            below = self._below[key] = Turning(reached, self._labels(principal.namespace), by_name=True)
        return below

    def reaches(self, principal: Principal, path: Path, facts: Facts) -> bool:
        """Whether the principal could do anything at all at or below ``path``, such as a mount's prefix."""
        parent, name = Path(path.segments[:-1]), path.segments[-1]
        return any(self.visible(principal, action, parent, facts).could_reach(name) for action in Action)

    def capabilities(
        self, principal: Principal, paths: Sequence[Path], facts: Facts
    ) -> Mapping[str, frozenset[Action]]:
        """What the principal may do at each path, keyed by its text; ``list`` is answered for the folder of that name.

        Raises:
            TooLarge: more than 128 paths.
        """
        if len(paths) > MAX_ASKED_PATHS:
            raise TooLarge(f"ask about at most {MAX_ASKED_PATHS} paths at once")
        try:
            compiled = self._loader.current(principal.namespace)
        except PermissionDenied:
            return {str(path): frozenset() for path in paths}

        labels = self._labels(principal.namespace)

        def allows(action: Action, target: Target) -> bool:
            candidates = compiled.candidates(principal.policies, action, target)
            if any(row.when is not None for row in candidates):
                candidates = applying(candidates, _question(principal, action, target, facts, labels))
            return _allowing(candidates)

        return {
            str(path): frozenset(
                action for action in Action if allows(action, Target(path.segments, action is Action.LIST))
            )
            for path in paths
        }

    def explain(
        self,
        namespace: str,
        policies: Sequence[str],
        action: Action,
        path: Path,
        *,
        folder: bool = False,
        supposed: Supposed | None = None,
    ) -> Explanation:
        """Decide afresh, and say by which rule. Names of policies that do not exist give nothing.

        Raises:
            PermissionDenied: the namespace's policies cannot be used, so everything is denied.
        """
        compiled = self._loader.current(namespace)
        target = Target(path.segments, folder)
        return explanation(self._decider, compiled, policies, action, target, supposed, self._labels(namespace))

    @staticmethod
    def validate(policy: Policy, beside: Iterable[Policy] = ()) -> None:
        """Refuse a policy that cannot be kept beside those its namespace has. Raises InvalidValue."""
        validate(policy, beside)

    def _decide(
        self,
        compiled: Compiled,
        policies: tuple[str, ...],
        action: str,
        target: Target,
        rows: Sequence[Row],
        question: Question | None = None,
    ) -> Decision | None:
        try:
            allowed = self._decider.allows(compiled.namespace, policies, action, target, rows, question)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is a denial
            # No traceback: what a library says of its arguments is not ours to log.
            told = {"event": "decision_failed"}
            _log.error("a decision failed with %s and is a denial", type(error).__name__, extra=told)
            raise PermissionDenied("permission denied: the policies could not be asked") from None
        row = deciding(rows) if allowed else None
        return Decision(row.policy, row.rule) if row else None


@dataclass(frozen=True, slots=True)
class _Folder:
    """What the visibility of a folder's names turns on: of the folder itself, and of what is below."""

    listing: Turning
    below: Turning


class _LabelsOf:
    """The labels of a namespace, fetched when a condition asks for one; those of the last path are kept."""

    __slots__ = ("_found", "_labels", "_labels_of", "_namespace", "_segments")

    def __init__(self, labels_of: Callable[[str], Labels], namespace: str) -> None:
        self._labels_of = labels_of
        self._namespace = namespace
        self._labels: Labels | None = None
        self._segments: Segments = ()
        self._found: Mapping[str, str] = {}

    def of(self, segments: Segments) -> Mapping[str, str]:
        labels = self._labels_of(self._namespace)
        if labels is not self._labels or segments != self._segments:
            found = labels.of(segments)
            self._labels, self._segments, self._found = labels, segments, found
        return self._found


def _question(principal: Principal, action: str, target: Target, facts: Facts, labels: Labels) -> Question:
    return Question(principal, action, target.segments, facts.source, facts.received_at, labels, target.folder)


def _allowing(rows: Iterable[Row]) -> bool:
    row = deciding(rows)
    return row is not None and row.effect == Effect.ALLOW
