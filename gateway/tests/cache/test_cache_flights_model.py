"""Single flight against a model: reads and batches, changes and callers who leave, in whatever order things happen."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from wardgate.context import Context
from wardgate.spi.frontend import Outcome
from wardgate.spi.operations.secrets import ReadSecret, ReadSecrets, WriteSecret
from wardgate.spi.values import SecretVersion, Value, VersionInfo

from tests.support.cache_room import Room, at
from tests.support.clock import SetClock

PATHS = st.sampled_from(["a", "b", "c"])


@dataclass
class Asked:
    """A caller, what it asked for, and what was acknowledged of each path before it came."""

    paths: list[str]
    floor: list[int]
    task: asyncio.Task[Outcome[Any]]


@dataclass
class Held:
    """A question at the store; what it will be answered is settled when it comes."""

    path: str
    epoch: int
    value: int
    answer: asyncio.Future[None]


class Flights(RuleBasedStateMachine):
    """Values count upwards, so that an older one shows."""

    @initialize()
    def begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.room = Room(SetClock())
        self.room._road = self.below  # type: ignore[method-assign]
        self.stands = dict.fromkeys("abc", 0)
        self.held: list[Held] = []
        self.callers: list[Asked] = []

    async def below(self, context: Context) -> Outcome[Any]:
        """A store that answers when it is told to."""
        operation = context.operation
        path = operation.path.segments[-1]
        if isinstance(operation, WriteSecret):
            self.stands[path] = int(operation.value.data)
            return Outcome(VersionInfo("1"))
        assert isinstance(operation, ReadSecret)
        epoch = self.room.epochs.read(self.room.epochs.slot("secret", "m-root", *operation.path.segments))
        alike = [one for one in self.held if (one.path, one.epoch) == (path, epoch)]
        assert [] == alike, "two questions for the same thing at the same time"
        held = Held(path, epoch, self.stands[path], self.loop.create_future())
        self.held.append(held)
        try:
            await held.answer
        except asyncio.CancelledError:
            self.held.remove(held)  # nobody waits for it any more; a waiter would be told so below
            raise
        return Outcome(SecretVersion(VersionInfo("1", 1), Value(b"%d" % held.value)))

    @rule(path=PATHS)
    def read(self, path: str) -> None:
        self._ask([path], ReadSecret(path=at(path)))

    @rule(paths=st.lists(PATHS, min_size=1, max_size=6))
    def read_many(self, paths: list[str]) -> None:
        self._ask(paths, ReadSecrets(items=tuple(ReadSecret(path=at(path)) for path in paths)))

    @rule(path=PATHS)
    def write(self, path: str) -> None:
        self.loop.run_until_complete(self.room.write(path, b"%d" % (self.stands[path] + 1)))

    @precondition(lambda self: self.held)
    @rule(which=st.integers(0))
    def answer(self, which: int) -> None:
        self.held.pop(which % len(self.held)).answer.set_result(None)
        self._settle()

    @precondition(lambda self: self.callers)
    @rule(which=st.integers(0))
    def leave(self, which: int) -> None:
        self.callers.pop(which % len(self.callers)).task.cancel()
        self._settle()

    @rule()
    def time_passes(self) -> None:
        self.room.clock.pass_seconds(70.0)
        # So long nobody waits; a caller is bounded by its deadline, and that is another test's.
        self._answer_all()

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self._answer_all()
            assert [] == self.callers, "somebody was never answered"
            self.loop.close()

    def _ask(self, paths: list[str], operation: Any) -> None:
        floor = [self.stands[path] for path in paths]
        self.callers.append(Asked(paths, floor, self.loop.create_task(self.room.ask(operation))))
        self._settle()

    def _answer_all(self) -> None:
        while self.held:
            self.held.pop().answer.set_result(None)
            self._settle()

    def _settle(self) -> None:
        async def turns() -> None:
            for _ in range(20):
                await asyncio.sleep(0)

        self.loop.run_until_complete(turns())
        for caller in [one for one in self.callers if one.task.done()]:
            self.callers.remove(caller)
            found = caller.task.result().result
            values = [int(item.value.data) for item in (found if isinstance(found, tuple) else (found,))]
            for path, value, floor in zip(caller.paths, values, caller.floor, strict=True):
                assert floor <= value <= self.stands[path], "older than a change that was acknowledged before"


TestFlights: Any = Flights.TestCase
TestFlights.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
