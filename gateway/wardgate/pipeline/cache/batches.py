"""What a batch asks of the layer below: one call a key, however many of its items want the answer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from wardgate.batch_budget import AT_ONCE, BatchBudget
from wardgate.context import Context, Decision
from wardgate.mounts import Mount
from wardgate.pipeline.cache.memory import Key
from wardgate.spi.errors import WardgateError
from wardgate.spi.operations.secrets import ReadSecret, ReadSecrets
from wardgate.spi.values import SecretVersion

Result = SecretVersion | WardgateError


class Ticket(NamedTuple):
    """What is about to be fetched. ``epoch`` of ``slot`` is from before: a change meanwhile makes the answer old."""

    mount: Mount
    key: Key
    slot: int
    epoch: int


@dataclass(slots=True)
class Miss:
    """What is asked once. ``at``: the items it answers; ``ticket``: None where the answer is not to be remembered."""

    item: ReadSecret
    mount: Mount | None
    decision: Decision | None
    ticket: Ticket | None
    at: list[int]

    @property
    def embedded(self) -> bool:
        """Whether nobody outside the gateway is asked."""
        return self.mount is None or self.mount.embedded


class Misses:
    """Those of one batch, in the order of its items."""

    def __init__(self) -> None:
        self._all: list[Miss] = []
        self._known: dict[Key, Miss] = {}

    def add(
        self, index: int, item: ReadSecret, mount: Mount | None, decision: Decision | None, ticket: Ticket | None
    ) -> None:
        """An item that memory does not answer. ``mount`` None: nobody has to be asked."""
        if mount is not None:
            key = (mount.id, item.path.segments, item.version)
            known = self._known.get(key)
            if known is not None:
                known.at.append(index)
                if item.fresh and not known.item.fresh:
                    known.item = item
                return
            self._known[key] = miss = Miss(item, mount, decision, ticket, [index])
        else:
            miss = Miss(item, mount, decision, ticket, [index])
        self._all.append(miss)

    @property
    def embedded(self) -> list[Miss]:
        """Those that wait for nobody."""
        return [miss for miss in self._all if miss.embedded]

    @property
    def foreign(self) -> list[Miss]:
        """Those for stores outside the gateway."""
        return [miss for miss in self._all if not miss.embedded]


def narrowed(context: Context, misses: Sequence[Miss]) -> Context:
    """The same request about these misses only."""
    items = tuple(miss.item for miss in misses)
    narrow = _copied(context, ReadSecrets(items=items))
    narrow.decisions = tuple(miss.decision for miss in misses)
    return narrow


def alone(context: Context, miss: Miss) -> Context:
    """The same request about one of its items, as if nothing else had been asked for."""
    single = _copied(context, miss.item, miss.mount)
    assert miss.decision is not None
    single.decision = miss.decision
    return single


def _copied(context: Context, operation: ReadSecret | ReadSecrets, mount: Mount | None = None) -> Context:
    made = Context(
        context.arrival, operation, context.credential, context.namespace, mount, budget=context.budget
    )  # fmt: skip
    made.principal = context.principal
    return made


def share(answers: list[Any], at: Sequence[int], result: Result, budget: BatchBudget) -> None:
    """Answer those items with one result; each brings a value of its own, and is counted."""
    for index in at:
        if isinstance(result, WardgateError):
            answers[index] = result
        else:
            answers[index] = budget.refusal() if budget.spent else budget.counted(result)


async def in_turn(
    misses: Sequence[Miss], ask: Callable[[Miss], Awaitable[Result]], answers: list[Any], budget: BatchBudget
) -> None:
    """Ask for each when its turn comes. None is begun earlier: others would wait for it without need."""
    waiting = deque(misses)

    async def turn() -> None:
        while waiting:
            miss = waiting.popleft()
            if budget.spent:
                result: Result = budget.refusal()
            else:
                try:
                    result = await ask(miss)
                except WardgateError as error:
                    result = error.with_traceback(None)
            share(answers, miss.at, result, budget)

    try:
        await asyncio.gather(*(turn() for _ in range(min(AT_ONCE, len(misses)))))
    finally:
        waiting.clear()  # once nobody waits for the answers the turns ask no more
