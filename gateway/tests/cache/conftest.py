"""Rooms for the tests of the cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.cache_room import Room

MakeRoom = Callable[..., Room]


@pytest.fixture
def make_room(clock: Any) -> MakeRoom:
    """Make a room in which ``a`` holds ``one``."""

    def make(**more: Any) -> Room:
        room = Room(clock, **more)
        room.store.values["s/a"] = b"one"
        return room

    return make
