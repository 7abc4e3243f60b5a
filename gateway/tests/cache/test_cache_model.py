"""The cache against a model: two workers, one store, writes through the gateway and behind its back."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from wardgate.spi.errors import SecretNotFound

from tests.support.cache_room import Room
from tests.support.clock import SetClock

PATHS = st.sampled_from(["a", "b", "a/b"])
WORKERS = st.integers(0, 1)
LONGEST = 60.0 * 1.1
NEGATIVE = 5.0


class Model(RuleBasedStateMachine):
    """``history``: each path's values and when they began to stand."""

    @initialize(embedded=st.booleans())
    def begin(self, *, embedded: bool) -> None:
        self.clock = SetClock()
        self.room = Room(self.clock, workers=2, embedded=embedded)
        self.history: dict[str, list[tuple[float, bytes | None]]] = {}
        self.floor: dict[str, int] = {}
        self.number = 0

    @rule(path=PATHS, worker=WORKERS)
    def write(self, path: str, worker: int) -> None:
        value = self._stands(path)
        asyncio.run(self.room.write(path, value, worker=worker))
        self.floor[path] = len(self.history[path]) - 1  # acknowledged: nothing older may be seen by anyone

    @rule(path=PATHS)
    def write_behind_the_gateway(self, path: str) -> None:
        self.room.store.values[f"s/{path}"] = self._stands(path)

    @rule(seconds=st.sampled_from([0.5, 4.0, 30.0, 70.0]))
    def pass_time(self, seconds: float) -> None:
        self.clock.pass_seconds(seconds)

    @rule(path=PATHS, worker=WORKERS)
    def read(self, path: str, worker: int) -> None:
        try:
            found: bytes | None = asyncio.run(self.room.read(path, worker=worker))
        except SecretNotFound:
            found = None
        now = self.clock.monotonic()
        values = [(-1.0, None), *self.history.get(path, [])]
        index = [value for _, value in values].index(found)
        assert index >= self.floor.get(path, -1) + 1, "older than an acknowledged write"
        if index + 1 < len(values):
            age = now - values[index + 1][0]
            assert age <= (NEGATIVE if found is None else LONGEST), "older than its TTL"

    @invariant()
    def entries_are_bounded(self) -> None:
        if hasattr(self, "room"):
            assert all(cache.memory.count <= 3 for cache in self.room.caches)

    def _stands(self, path: str) -> bytes:
        self.number += 1
        value = b"%d" % self.number
        self.history.setdefault(path, []).append((self.clock.monotonic(), value))
        return value


TestModel: Any = Model.TestCase
TestModel.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
