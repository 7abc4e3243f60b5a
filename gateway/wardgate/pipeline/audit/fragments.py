"""The parts of a record that repeat from request to request: who asked for what, and which rule allowed it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from wardgate.context import Context, Decision
from wardgate.pipeline.audit.record import Record, encode
from wardgate.spi.frontend import Outcome
from wardgate.spi.identity import Principal
from wardgate.spi.operations.base import Operation
from wardgate.spi.operations.secrets import ReadSecret

REMEMBERED: Final = 8_192
"""Reads whose parts are kept: some hundred bytes each."""

LONGEST_PATH: Final = 256
"""Characters; parts of longer ones are not kept, so that what is kept is bounded in bytes too."""

_NOTHING: Final = len(encode(Record(0, "", "", ""))) - 1


class Parts(NamedTuple):
    """``subject``: from the namespace to the code, each field with the comma before it. ``rule``: policy and rule."""

    subject: bytes
    rule: bytes


class _Kept(NamedTuple):
    """What the parts were made from; ids of living objects are keys only while these are held."""

    operation: Operation[Any]
    principal: Principal | None
    decision: Decision | None
    mount: str
    namespace: str
    parts: Parts


def fields_of(record: Record) -> bytes:
    """The fields of an encoded record behind its first four, which must be empty: ``,"name":…`` for each."""
    return encode(record)[_NOTHING:-1]


class Fragments:
    """Makes the parts of a record, and keeps those of reads: only their operations hold no values.

    Args:
        make: renders the parts from the context, a code and the outcome.
    """

    def __init__(self, make: Callable[[Context, str, Outcome[Any] | None], Parts]) -> None:
        self._make = make
        self._kept: dict[tuple[int, int, str, str], _Kept] = {}

    def of(self, context: Context, code: str, outcome: Outcome[Any] | None) -> Parts:
        """The parts of this request's record. Those of a plain read do not turn on its outcome."""
        operation = context.operation
        if (
            type(operation) is not ReadSecret
            or context.wrap is not None
            or sum(map(len, operation.path.segments)) > LONGEST_PATH
        ):
            return self._make(context, code, outcome)
        principal, decision = context.known("principal"), context.known("decision")
        mount = context.mount.id if context.mount else ""
        key = (id(operation), id(principal), code, context.arrival.source)
        kept = self._kept.get(key)
        if (
            kept is not None
            and kept.operation is operation
            and kept.principal is principal
            and kept.decision is decision
            and kept.mount == mount
            and kept.namespace == context.namespace
        ):
            return kept.parts
        parts = self._make(context, code, outcome)
        if len(self._kept) >= REMEMBERED:
            self._kept.clear()
        self._kept[key] = _Kept(operation, principal, decision, mount, context.namespace, parts)
        return parts
