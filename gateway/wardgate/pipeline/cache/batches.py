"""What a batch asks of the layer below: one question a key, however many of its items want the answer."""

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
class Question:
    """What is asked once. ``at``: the items it answers; ``ticket``: None where the answer is not to be remembered."""

    item: ReadSecret
    mount: Mount | None
    decision: Decision | None
    ticket: Ticket | None
    at: list[int]

    @property
    def near(self) -> bool:
        """Whether nobody outside the gateway is asked."""
        return self.mount is None or self.mount.embedded


class Questions:
    """Those of one batch, in the order of its items."""

    def __init__(self) -> None:
        self._all: list[Question] = []
        self._known: dict[Key, Question] = {}

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
            self._known[key] = question = Question(item, mount, decision, ticket, [index])
        else:
            question = Question(item, mount, decision, ticket, [index])
        self._all.append(question)

    @property
    def near(self) -> list[Question]:
        """Those that wait for nobody."""
        return [question for question in self._all if question.near]

    @property
    def far(self) -> list[Question]:
        """Those for stores outside the gateway."""
        return [question for question in self._all if not question.near]


def narrowed(context: Context, questions: Sequence[Question]) -> Context:
    """The same request about these questions only."""
    items = tuple(question.item for question in questions)
    narrow = _copied(context, ReadSecrets(items=items))
    narrow.decisions = tuple(question.decision for question in questions)
    return narrow


def alone(context: Context, question: Question) -> Context:
    """The same request about one of its items, as if nothing else had been asked for."""
    single = _copied(context, question.item, question.mount)
    assert question.decision is not None
    single.decision = question.decision
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
    questions: Sequence[Question], ask: Callable[[Question], Awaitable[Result]], answers: list[Any], budget: BatchBudget
) -> None:
    """Put each question when its turn comes. None is begun earlier: others would wait for it without need."""
    waiting = deque(questions)

    async def turn() -> None:
        while waiting:
            question = waiting.popleft()
            if budget.spent:
                result: Result = budget.refusal()
            else:
                try:
                    result = await ask(question)
                except WardgateError as error:
                    result = error.with_traceback(None)
            share(answers, question.at, result, budget)

    try:
        await asyncio.gather(*(turn() for _ in range(min(AT_ONCE, len(questions)))))
    finally:
        waiting.clear()  # after a defect in one turn the others ask no more
