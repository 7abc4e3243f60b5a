"""Doing what a plan says, secret by secret; what another wrote meanwhile is never written over."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from wardgate.cli.copyist.door import Door
from wardgate.cli.copyist.plan import Item, Outcome, State
from wardgate.cli.failure import Failure
from wardgate.spi.values import Value


@dataclass(frozen=True)
class Carrier:
    """Copies; once the gateway itself does not answer or accept us, the rest is not tried."""

    door: Door
    overwrite: bool
    stopped: threading.Event = field(default_factory=threading.Event)

    def carry(self, item: Item) -> None:
        """Do what is to be done for one secret; ``item.outcome`` says how it ended, ``item.reason`` why it failed."""
        item.outcome = self._carried(item)

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
            if failure.code in {"unauthenticated", "sealed"} or _unheard(failure):
                self.stopped.set()
            item.reason, item.code = f"{item.reason}{failure.message}", failure.code
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
