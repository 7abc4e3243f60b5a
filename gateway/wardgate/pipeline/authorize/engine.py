"""The policy engine: remembers decisions, refuses by raising, and answers questions about policies."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from wardgate.context import Decision
from wardgate.pipeline.authorize.compiled import Compiled, deciding
from wardgate.pipeline.authorize.decider import Decider
from wardgate.pipeline.authorize.loading import Epochs, Loader, PolicySet
from wardgate.pipeline.authorize.memo import Memo
from wardgate.pipeline.authorize.pattern import Target
from wardgate.pipeline.authorize.validation import validate
from wardgate.pipeline.authorize.visible import NOTHING, Visible, compile_visible
from wardgate.spi.errors import PermissionDenied, TooLarge
from wardgate.spi.identity import Principal
from wardgate.spi.operations.base import Action, Operation
from wardgate.spi.operations.policies import Effect, Explanation, Policy
from wardgate.spi.path import Path

MAX_REMEMBERED: Final = 50_000
MAX_REMEMBERED_CHARACTERS: Final = 256
"""Decisions about longer paths are not remembered, so that the memo is bounded in bytes too."""

MAX_REMEMBERED_FOLDERS: Final = 256
"""Compiled answers of :meth:`Engine.visible`; each holds names of its rules."""

MAX_ASKED_PATHS: Final = 128

_Key = tuple[int, tuple[str, ...], str, bool, tuple[str, ...]]
_FolderKey = tuple[int, tuple[str, ...], str, tuple[str, ...]]
_log = logging.getLogger(__name__)


class Engine:
    """Decides by the policies of the principal's own namespace.

    Args:
        policies_of: the written policies of a namespace, by its id, as they are committed now. What it raises
            denies that namespace until it answers again; Sealed and Unavailable are passed on.
        epochs: the epoch of kind ``policies`` moves when a namespace's policies change.
        remembered: how many decisions are kept, the least recently used dropped first.
    """

    def __init__(
        self, policies_of: Callable[[str], PolicySet], epochs: Epochs, *, remembered: int = MAX_REMEMBERED
    ) -> None:
        self._loader = Loader(policies_of, epochs)
        self._decider = Decider()
        # Keyed by all that an answer turned on, the compiled set's generation first: no answer outlives its set.
        self._decisions: Memo[_Key, Decision | None] = Memo(remembered)
        self._visible: Memo[_FolderKey, Visible] = Memo(MAX_REMEMBERED_FOLDERS)

    def require(self, principal: Principal, operation: Operation[Any]) -> Decision:
        """Return the decision that allows ``operation``.

        Raises:
            PermissionDenied: no rule allows it, or one denies it; the message does not say which.
        """
        decision = self._decision(self._loader.current(principal.namespace), principal, operation)
        if decision is None:
            raise PermissionDenied("permission denied: no policy of this token allows it")
        return decision

    def decisions(self, principal: Principal, operations: Sequence[Operation[Any]]) -> tuple[Decision | None, ...]:
        """The decision that allows each, None where it is denied.

        Raises:
            PermissionDenied: the namespace's policies cannot be used, so everything is denied.
        """
        compiled = self._loader.current(principal.namespace)
        return tuple(self._decision(compiled, principal, operation) for operation in operations)

    def _decision(self, compiled: Compiled, principal: Principal, operation: Operation[Any]) -> Decision | None:
        path, folder, action = operation.path.segments, operation.folder, operation.action
        key = (compiled.generation, principal.policies, action, folder, path)
        try:
            decision = self._decisions[key]
        except KeyError:
            decision = self._decide(compiled, principal.policies, action, Target(path, folder))
            if sum(map(len, path)) <= MAX_REMEMBERED_CHARACTERS:
                self._decisions[key] = decision
        return decision

    def visible(self, principal: Principal, action: Action, prefix: Path) -> Visible:
        """What of the folder ``prefix`` the principal may see, by the rules of the module ``visible``."""
        try:
            compiled = self._loader.current(principal.namespace)
        except PermissionDenied:
            return NOTHING
        key = (compiled.generation, principal.policies, action, prefix.segments)
        try:
            return self._visible[key]
        except KeyError:
            folder = Target(prefix.segments, folder=True)
            listed = action is Action.LIST and _allows(compiled, principal.policies, action, folder)
            visible = compile_visible(compiled.rows(principal.policies, action), prefix.segments, listed=listed)
            self._visible[key] = visible
            return visible

    def reaches(self, principal: Principal, path: Path) -> bool:
        """Whether the principal may do anything at all at or below ``path``, such as a mount's prefix."""
        parent, name = Path(path.segments[:-1]), path.segments[-1]
        return any(self.visible(principal, action, parent).matches(name, folder=True) for action in Action)

    def capabilities(self, principal: Principal, paths: Sequence[Path]) -> Mapping[str, frozenset[Action]]:
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
        return {
            str(path): frozenset(
                action
                for action in Action
                if _allows(compiled, principal.policies, action, Target(path.segments, action is Action.LIST))
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
    ) -> Explanation:
        """Decide afresh, and say by which rule. Names of policies that do not exist give nothing.

        Raises:
            PermissionDenied: the namespace's policies cannot be used, so everything is denied.
        """
        compiled = self._loader.current(namespace)
        return explanation(self._decider, compiled, policies, action, Target(path.segments, folder))

    @staticmethod
    def validate(policy: Policy, beside: Iterable[Policy] = ()) -> None:
        """Refuse a policy that cannot be kept beside those its namespace has. Raises InvalidValue."""
        validate(policy, beside)

    def _decide(self, compiled: Compiled, policies: tuple[str, ...], action: str, target: Target) -> Decision | None:
        candidates = compiled.candidates(policies, action, target)
        try:
            allowed = self._decider.allows(compiled.namespace, policies, action, target, candidates)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is a denial
            # No traceback: what a library says of its arguments is not ours to log.
            _log.error("a decision failed with %s and is a denial", type(error).__name__)
            raise PermissionDenied("permission denied: the policies could not be asked") from None
        row = deciding(candidates) if allowed else None
        return Decision(row.policy, row.rule) if row else None


def explanation(
    decider: Decider, compiled: Compiled, policies: Sequence[str], action: Action, target: Target
) -> Explanation:
    """Decide one question afresh, and say by which rule."""
    candidates = compiled.candidates(policies, action, target)
    allowed = decider.allows(compiled.namespace, policies, action, target, candidates)
    row = deciding(candidates)
    if row is None:
        return Explanation(allowed, None, None, len(candidates))
    return Explanation(allowed, row.policy, compiled.rule(row), len(candidates))


def _allows(compiled: Compiled, policies: Sequence[str], action: str, target: Target) -> bool:
    row = deciding(compiled.candidates(policies, action, target))
    return row is not None and row.effect == Effect.ALLOW
