"""What a copy has to do: each secret of the source compared with what is at its destination."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wardgate.cli.copyist.compare import same
from wardgate.cli.copyist.door import Door, Found
from wardgate.cli.copyist.stores import Stores, has_history
from wardgate.cli.failure import Failure
from wardgate.spi.values import Value

LIVE = "live"
BATCH = 100
"""Versions read in one request; of secrets of the usual size they stay below what one answer holds."""


class State(enum.Enum):
    """What a plan says of a secret. ``BEHIND``: its first versions are there already. ``ENDED``: nothing is to copy."""

    NEW = "new"
    BEHIND = "behind"
    SAME = "same"
    DIFFERS = "differs"
    ENDED = "deleted"
    CANNOT = "cannot"


class Outcome(enum.Enum):
    """How a secret ended. ``UNTRIED``: the copy was interrupted before."""

    COPIED = "copied"
    THERE = "there already"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNTRIED = "not tried"


@dataclass
class Item:
    """One secret of a copy, and what is known of it.

    ``etag``: the version that is to be written over; none where the destination has none. ``versions``: the ordinals
    to write, oldest first; None: the current one. ``labels``: those to set; None: leave them.
    """

    source: str
    destination: str
    state: State = State.CANNOT
    reason: str = ""
    code: str = ""
    etag: str = ""
    versions: tuple[int, ...] | None = None
    labels: Mapping[str, str] | None = field(default=None, repr=False)
    outcome: Outcome = Outcome.UNTRIED

    @property
    def can_go(self) -> bool:
        """Whether there is something to copy, and nothing against it."""
        return self.state not in {State.ENDED, State.CANNOT}

    @property
    def simple(self) -> bool:
        """Whether one value that nothing is to be there before is all there is to write."""
        return self.state is State.NEW and self.versions is None and self.labels is None

    def is_(self, state: State, reason: str = "", code: str = "") -> None:
        """Settle the state."""
        self.state, self.reason, self.code = state, reason, code

    def cannot(self, where: str, failure: Failure) -> None:
        """Settle that it cannot be copied."""
        self.is_(State.CANNOT, f"{where}: {failure.message}", failure.code)


@dataclass(frozen=True)
class Planner:
    """Compares; ``history``: whole histories; ``overwrite``: what differs is to be written over."""

    door: Door
    stores: Stores
    history: bool
    overwrite: bool

    def values(self, items: Sequence[Item]) -> None:
        """Find out the state of a few secrets, as far as their current values tell it."""
        sources = self.door.read_many([(item.source, None) for item in items])
        destinations = self.door.read_many([(item.destination, None) for item in items])
        for item, source, destination in zip(items, sources, destinations, strict=True):
            self._current(item, source, destination)
            if self._is_written(item):
                self._fits(item, source.value)

    def _fits(self, item: Item, value: Value) -> None:
        refused = self.stores.of(item.destination).refuses(value)
        if refused is not None:
            item.cannot("destination", refused)

    @staticmethod
    def _current(item: Item, source: Found, destination: Found) -> None:
        item.etag = destination.etag
        if source.failure is not None:
            if source.failure.code == "gone":
                item.is_(State.ENDED, "deleted at the source", "gone")
            else:
                item.cannot("source", source.failure)
        elif destination.failure is None:
            if same(source.value, destination.value):
                item.is_(State.SAME)
            else:
                item.is_(State.DIFFERS, "another value is there", "conflict")
        elif destination.failure.code == "secret_not_found":
            item.is_(State.NEW)
        elif destination.failure.code == "gone":
            item.is_(State.DIFFERS, "it was deleted at the destination", "gone")
        else:
            item.cannot("destination", destination.failure)

    def more(self, item: Item) -> None:
        """The history and the labels of one secret, where the stores can say them."""
        ours, theirs = self.stores.of(item.source), self.stores.of(item.destination)
        history = self.history and has_history(ours) and has_history(theirs)
        if not item.can_go or not (history or (ours.can("labels") and ours.can("describe"))):
            return
        try:
            source = self.door.describe(item.source)
        except Failure as failure:
            self._unseen(item, "source", failure, history=history)
            return
        if source is None:
            return
        destination: dict[str, Any] | None = None
        if item.state is not State.NEW and (history or (source["labels"] and theirs.can("labels"))):
            try:
                destination = self.door.describe(item.destination)
            except Failure as failure:
                self._unseen(item, "destination", failure, history=history)
                return
        if history:
            self._history(item, source, destination)
            if self._is_written(item) and theirs.holds_less_than(ours):
                self._all_fit(item)
        if item.can_go and source["labels"]:
            if theirs.can("labels"):
                self._labels(item, source["labels"], destination)
            else:
                item.reason = item.reason or "its labels are not kept there"

    @staticmethod
    def _unseen(item: Item, where: str, failure: Failure, *, history: bool) -> None:
        """Without what is known of a secret its value can be copied, and its history cannot."""
        if history:
            item.cannot(where, failure)
        else:
            item.reason = item.reason or f"labels are not seen: {failure.message}"

    def _history(self, item: Item, source: Mapping[str, Any], destination: Mapping[str, Any] | None) -> None:
        ordinals = _live(source)
        if not ordinals or _current(source) != ordinals[-1]:
            item.is_(State.CANNOT, "source: its current version is not its newest", "unsupported")
            return
        item.versions = ordinals
        if item.state is State.NEW or item.code == "gone" or destination is None:
            return
        try:
            there = self._values(item.destination, _live(destination))
            ours = self._values(item.source, ordinals)
        except Failure as failure:
            item.cannot("history", failure)
            return
        if _current(destination) != max(_live(destination), default=0):
            item.is_(State.DIFFERS, "the current version there is not the newest", "conflict")
        elif _begins(ours, there):
            item.versions = ordinals[len(there) :]
            item.is_(State.BEHIND if item.versions else State.SAME)
        # A store that drops the oldest versions has the newest; what was written over has them all at its end.
        elif (_dropped(destination) and _ends(ours, there)) or (self.overwrite and _ends(there, ours)):
            item.is_(State.SAME)
        else:
            item.is_(State.DIFFERS, "another history is there", "conflict")

    def _all_fit(self, item: Item) -> None:
        """What is too long for the destination is told before anything is written, of older versions too."""
        try:
            for value in self._values(item.source, item.versions or ()):
                if self._is_written(item):
                    self._fits(item, value)
        except Failure as failure:
            item.cannot("history", failure)

    def _is_written(self, item: Item) -> bool:
        return item.state in {State.NEW, State.BEHIND} or (item.state is State.DIFFERS and self.overwrite)

    def _values(self, path: str, ordinals: Sequence[int]) -> list[Value]:
        values: list[Value] = []
        for start in range(0, len(ordinals), BATCH):
            for found in self.door.read_many([(path, ordinal) for ordinal in ordinals[start : start + BATCH]]):
                if found.failure is not None:
                    raise found.failure
                values.append(found.value)
        return values

    def _labels(self, item: Item, labels: Mapping[str, str], destination: Mapping[str, Any] | None) -> None:
        if item.state is not State.SAME:
            item.labels = labels
        elif destination is not None and destination["labels"] != labels:
            if self.overwrite or not destination["labels"]:
                item.labels = labels
                item.reason = "labels are to be set"
            else:
                item.reason = "other labels are there, and stay"


def _live(info: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(sorted(version["ordinal"] for version in info["versions"] if version["state"] == LIVE))


def _current(info: Mapping[str, Any]) -> int:
    return 0 if info["current"] is None else int(info["current"]["ordinal"])


def _dropped(info: Mapping[str, Any]) -> bool:
    return min((version["ordinal"] for version in info["versions"]), default=1) > 1


def _begins(whole: Sequence[Value], part: Sequence[Value]) -> bool:
    return len(part) <= len(whole) and all(map(same, whole, part))


def _ends(whole: Sequence[Value], part: Sequence[Value]) -> bool:
    return 0 < len(part) <= len(whole) and all(map(same, whole[len(whole) - len(part) :], part))
