"""A worker collects garbage seldom, but it does."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
from wardgate.server import worker


@pytest.fixture(autouse=True)
def _collector_as_before() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()


class Knot:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.own = self


def test_a_worker_still_collects_what_only_the_collector_finds() -> None:
    """Fewer collections, not none: what requests leave behind in knots is gone after some thousand of them."""
    worker._collect_seldom()
    first = weakref.ref(Knot())
    kept: list[list[int]] = [[] for _ in range(2 * worker.YOUNG_OBJECTS)]
    assert first() is None
    assert kept


def test_what_was_imported_is_not_looked_at_again() -> None:
    """The objects that were there when the worker began are out of the collector's sight."""
    before = len(gc.get_objects())
    worker._collect_seldom()
    assert len(gc.get_objects()) < before / 10
    assert gc.get_freeze_count() >= before / 2
