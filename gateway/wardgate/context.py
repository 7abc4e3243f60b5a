"""One context a request: facts set at its birth, and slots that can be set once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from wardgate.spi.frontend import Arrival, Freshness, Wrap
from wardgate.spi.identity import Credential, Principal
from wardgate.spi.operations.base import Operation

if TYPE_CHECKING:
    from wardgate.mounts import Mount

T = TypeVar("T")


class AlreadySet(RuntimeError):
    """A slot was set twice: a defect in a layer, never a caller's mistake."""


class Once(Generic[T]):
    """A slot of a context that can be set once; reading it before is a defect and raises AttributeError."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._slot = f"_{name}"

    @overload
    def __get__(self, instance: None, owner: type) -> Once[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> T | Once[T]:
        if instance is None:
            return self
        value: T = getattr(instance, self._slot)
        return value

    def __set__(self, instance: object, value: T) -> None:
        if hasattr(instance, self._slot):
            raise AlreadySet(self._slot.removeprefix("_"))
        setattr(instance, self._slot, value)


@dataclass(frozen=True, slots=True)
class Decision:
    """A policy's yes. ``policy`` and ``rule`` (its number in the policy) say why; empty for anonymous operations."""

    policy: str
    rule: int


class Context:
    """What is known of one request while it is on the road.

    ``namespace``: the namespace's id, or "" when the path named none (no principal ever matches that).
    ``mount``: where the operation's path lies, None at the gateway's own services and where nothing is mounted; a fact
    that only dispatch may tell the caller. ``wrap``: the caller wants the answer kept.
    """

    __slots__ = (
        "_decision", "_decisions", "_freshness", "_principal", "arrival", "begun", "credential", "mount", "namespace",
        "operation", "wrap",
    )  # fmt: skip

    principal: Once[Principal | None] = Once()
    decision: Once[Decision] = Once()
    decisions: Once[tuple[Decision | None, ...]] = Once()
    """Of a batch: one for each item, None where it is denied."""
    freshness: Once[Freshness] = Once()

    def __init__(
        self,
        arrival: Arrival,
        operation: Operation[Any],
        credential: Credential | None,
        namespace: str,
        mount: Mount | None = None,
        wrap: Wrap | None = None,
    ) -> None:
        self.arrival = arrival
        self.operation = operation
        self.credential = credential
        self.namespace = namespace
        self.mount = mount
        self.wrap = wrap
        self.begun = False

    def known(self, slot: str) -> Any:
        """The value of a slot, or None when the request never got that far; for the audit."""
        return getattr(self, f"_{slot}", None)
