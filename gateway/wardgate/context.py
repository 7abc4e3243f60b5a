"""One context a request: facts from its birth, what layers note beside them, and slots that can be set once."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

from wardgate.batch_budget import BatchBudget
from wardgate.spi.errors import WardgateError
from wardgate.spi.frontend import Arrival, Repeat, Wrap
from wardgate.spi.identity import Credential, Principal
from wardgate.spi.operations.base import Operation

if TYPE_CHECKING:
    from wardgate.mounts import Mount

T = TypeVar("T")
MAX_WARNINGS = 100
MAX_WARNING = 4_096
"""Warnings of one request, and characters of one; what is beyond is left out."""


class AlreadySet(RuntimeError):
    """A slot was set twice: a defect in a layer, never a caller's mistake."""


class Once(Protocol[T]):
    """A slot of a context that can be set once; reading it before is a defect and raises AttributeError."""

    @overload
    def __get__(self, instance: None, owner: type) -> Once[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __set__(self, instance: object, value: T) -> None: ...


def once(name: str) -> Any:
    """Make such a slot. A property of an ``attrgetter`` is read at the speed of C; slots are read often."""
    slot = f"_{name}"

    def settle(context: object, value: object) -> None:
        if hasattr(context, slot):
            raise AlreadySet(name)
        setattr(context, slot, value)

    return property(attrgetter(slot), settle)


@dataclass(frozen=True, slots=True)
class Decision:
    """A policy's yes. ``policy`` and ``rule`` (its number in the policy) say why; empty for anonymous operations.

    ``read``: the attributes that conditions turned on. ``until``: Unix nanoseconds from which the passing of time alone
    may change it; None: never.
    """

    policy: str
    rule: int
    read: tuple[str, ...] = ()
    until: int | None = None


_SLOTS = {name: f"_{name}" for name in ("principal", "decision", "decisions")}


class Context:
    """What is known of one request while it is on the road.

    ``namespace``: the namespace's id, or "" when the path named none (no principal ever matches that).
    ``mount``: where the operation's path lies, None at the gateway's own services and where nothing is mounted; a fact
    that only dispatch may tell the caller. ``repeat``: the change shall be made once.

    Five are changed on the way. ``wrap``: the caller wants the answer kept; authorize narrows it to what the caller
    may see. ``begun``: the change is on record; begin says so. ``fingerprint``: what the audit calls the
    credential, where authenticate knows it without computing it. ``defects``: of a batch, the errors that stand for
    a defect of the gateway's own. ``warnings``: what its caller might miss, for whoever reads the answer.
    """

    __slots__ = (
        "_budget", "_decision", "_decisions", "_principal", "arrival", "begun", "credential", "defects", "fingerprint",
        "mount", "namespace", "operation", "repeat", "warnings", "wrap",
    )  # fmt: skip

    principal: Once[Principal | None] = once("principal")
    decision: Once[Decision] = once("decision")
    decisions: Once[tuple[Decision | None, ...]] = once("decisions")
    """Of a batch: one for each item, None where it is denied."""

    def __init__(
        self,
        arrival: Arrival,
        operation: Operation[Any],
        credential: Credential | None,
        namespace: str,
        mount: Mount | None = None,
        wrap: Wrap | None = None,
        repeat: Repeat | None = None,
        budget: BatchBudget | None = None,
    ) -> None:
        self.arrival = arrival
        self.operation = operation
        self.credential = credential
        self.namespace = namespace
        self.mount = mount
        self.wrap = wrap
        self.repeat = repeat
        self.begun = False
        self.defects: tuple[WardgateError, ...] = ()
        self.fingerprint = ""
        self.warnings: tuple[str, ...] = ()
        self._budget = budget

    @property
    def budget(self) -> BatchBudget:
        """Of a batch: one for all layers that bring values."""
        if self._budget is None:
            self._budget = BatchBudget()
        return self._budget

    def warn(self, sentence: str) -> None:
        """Tell the caller, beside a result that is as it should be; never a value, nor a token."""
        if len(self.warnings) < MAX_WARNINGS:
            self.warnings = (*self.warnings, sentence[:MAX_WARNING])

    def known(self, slot: str) -> Any:
        """The value of a slot, or None when the request never got that far; for the audit."""
        return getattr(self, _SLOTS[slot], None)
