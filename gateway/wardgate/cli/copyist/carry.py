"""Doing what a plan says, secret by secret; what another wrote meanwhile is never written over."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from wardgate.cli.copyist.door import Door, fits
from wardgate.cli.copyist.plan import Item, Outcome, State
from wardgate.cli.failure import Failure
from wardgate.spi.values import Value

MOST_BYTES = 1024 * 1024
"""Of values written in one request: a quarter of what the gateway takes by default."""
SINGLY = frozenset({"unsupported", "rate_limited", "too_large", "malformed"})
"""What is refused so in a request of many was not done, and may be possible alone."""


@dataclass(frozen=True)
class Carrier:
    """Copies; once the gateway itself does not answer or accept us, the rest is not tried."""

    door: Door
    overwrite: bool
    stopped: threading.Event = field(default_factory=threading.Event)

    def carry(self, item: Item) -> None:
        """Do what is to be done for one secret; ``item.outcome`` says how it ended, ``item.reason`` why it failed."""
        item.outcome = self._carried(item)

    def carry_new(self, items: Sequence[Item]) -> None:
        """Write a few secrets that are ``simple`` by one request; those that it could not settle stay untried."""
        if self.stopped.is_set():
            return
        try:
            read = self.door.read_many([(item.source, None) for item in items], exact=True)
        except Failure:
            return  # each is told for itself
        first: list[tuple[Item, Value]] = []
        size = 0
        for item, found in zip(items, read, strict=True):
            if found.failure is None and fits(found.value) and size + len(found.value.data) <= MOST_BYTES:
                first.append((item, found.value))
                size += len(found.value.data)
        if first:
            self._write_first(first)

    def _write_first(self, first: Sequence[tuple[Item, Value]]) -> None:
        failures: Sequence[Failure | None]
        try:
            failures = self.door.write_new([(item.destination, value) for item, value in first])
        except Failure as of_all:
            failures = [of_all] * len(first)
        for (item, _), failure in zip(first, failures, strict=True):
            if failure is None:
                item.outcome, item.code = Outcome.COPIED, ""  # its reason says why labels are not copied
            elif failure.code not in SINGLY:
                self._failed(item, failure, "")

    def _failed(self, item: Item, failure: Failure, so_far: str) -> None:
        if failure.code in {"unauthenticated", "sealed"} or _unheard(failure):
            self.stopped.set()
        item.outcome, item.reason, item.code = Outcome.FAILED, f"{so_far}{failure.message}", failure.code

    def _carried(self, item: Item) -> Outcome:
        if item.state is State.CANNOT:
            return Outcome.FAILED
        if item.state is State.ENDED or (item.state is State.DIFFERS and not self.overwrite):
            return Outcome.SKIPPED
        if item.state is State.SAME and item.labels is None:
            return Outcome.THERE
        if self.stopped.is_set():
            item.reason, item.code = "not tried: the gateway stopped answering", "unavailable"
            return Outcome.FAILED
        note, item.reason, item.code = item.reason, "", ""
        try:
            if item.state is not State.SAME:
                self._values(item)
            if item.labels is not None:
                item.reason = "the value is there, its labels are not: "
                item.reason = "" if self.door.label(item.destination, item.labels) else "labels are not kept there"
        except Failure as failure:
            self._failed(item, failure, item.reason)
            return Outcome.FAILED
        if item.labels is None and item.state is State.NEW:
            item.reason = note  # why labels are not copied
        return Outcome.THERE if item.state is State.SAME else Outcome.COPIED

    def _values(self, item: Item) -> None:
        new = item.state is State.NEW
        etag = item.etag
        ordinals: tuple[int | None, ...] = (None,) if item.versions is None else item.versions
        for done, ordinal in enumerate(ordinals):
            found = self.door.read(item.source, ordinal)
            item.reason = f"after {done} of {len(ordinals)} versions: " if done else ""
            if found.failure is not None:
                raise found.failure
            etag = self._write(item.destination, found.value, etag, new=new and not done)
        item.reason = ""

    def _write(self, path: str, value: Value, etag: str, *, new: bool) -> str:
        """Write over that ETag."""
        condition = {"if-none-match": "*"} if new else {"if-match": etag} if etag else {}
        try:
            return self.door.write(path, value, condition)
        except Failure as failure:
            if failure.code != "unsupported" or not condition:
                raise
        # The store cannot compare and set: look as late as can be.
        there = self.door.read(path)
        absent = there.failure is not None and there.failure.code == "secret_not_found"
        if there.failure is not None and not absent:
            raise there.failure
        if absent != new or (not new and there.etag != etag):
            raise Failure("another change came first", code="conflict")
        return self.door.write(path, value, {})


def _unheard(failure: Failure) -> bool:
    return failure.code == "unavailable" and not failure.request_id
