"""The begin layer: nothing is changed before it is on record, and what was begun ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from wardgate.context import Context
from wardgate.pipeline.begin import Begin
from wardgate.spi.errors import Conflict, Unavailable
from wardgate.spi.frontend import Arrival, Outcome, Wrap
from wardgate.spi.operations.base import Operation
from wardgate.spi.operations.secrets import DeleteSecret, ReadSecret
from wardgate.spi.path import Path
from wardgate.state.database import operation_id


class Records:
    """Takes request records, or refuses them."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.taken: list[Context] = []

    async def request(self, context: Context) -> str:
        await asyncio.sleep(0)
        if self.error:
            raise self.error
        self.taken.append(context)
        return f"change-{len(self.taken)}"


def context_of(operation: Operation[Any]) -> Context:
    return Context(Arrival("r", 0, 0.0, "192.0.2.1"), operation, None, "root")


async def answered(answer: Awaitable[Outcome[Any]]) -> Outcome[Any]:
    return await answer


def change() -> Context:
    return context_of(DeleteSecret(path=Path(("a",))))


async def seen(context: Context) -> Outcome[Any]:
    return Outcome((context.begun, operation_id.get()))


def test_what_changes_nothing_passes() -> None:
    """A read needs no request record."""
    records = Records()
    assert Outcome((False, None)) == asyncio.run(
        answered(Begin(records)(context_of(ReadSecret(path=Path(("a",)))), seen))
    )
    assert [] == records.taken


def test_an_answer_that_is_kept_wrapped_is_a_change() -> None:
    """Whatever it answers: what is kept stays when its caller has gone."""
    records = Records()
    context = context_of(ReadSecret(path=Path(("a",))))
    context.wrap = Wrap(60, "a", lambda _: b"")
    assert (True, "change-1") == asyncio.run(answered(Begin(records)(context, seen))).result
    assert [context] == records.taken


def test_a_change_is_recorded_first_and_carries_its_id() -> None:
    """The id is seen by all that is behind begin, and by nobody else."""

    async def run() -> None:
        begin = Begin(Records())
        answers = await asyncio.gather(begin(change(), seen), begin(change(), seen))
        assert {"change-1", "change-2"} == {answer.result[1] for answer in answers}
        assert {True} == {answer.result[0] for answer in answers}
        assert operation_id.get() is None

    asyncio.run(run())


def test_without_a_record_nothing_is_done() -> None:
    """The refusal reaches the caller, and the context was not begun."""
    context = change()

    async def innermost(context: Context) -> Outcome[Any]:
        raise AssertionError

    with pytest.raises(Unavailable):
        asyncio.run(answered(Begin(Records(Unavailable("no")))(context, innermost)))
    assert not context.begun


def test_an_error_behind_begin_reaches_the_caller() -> None:
    """The very same object."""
    error = Conflict("no")

    async def innermost(context: Context) -> Outcome[Any]:
        raise error

    with pytest.raises(Conflict) as caught:
        asyncio.run(answered(Begin(Records())(change(), innermost)))
    assert error is caught.value


def test_a_client_that_leaves_while_it_is_recorded_stops_it() -> None:
    """Before the record is durable nothing is begun."""

    async def run() -> None:
        records = Records()
        request = asyncio.ensure_future(Begin(records)(change(), seen))
        await asyncio.sleep(0)
        request.cancel()
        await asyncio.wait([request])
        assert request.cancelled()
        assert [] == records.taken

    asyncio.run(run())


def test_draining_waits_for_changes_under_way() -> None:
    """And says when its patience ends before they do."""

    async def run() -> None:
        may_end = asyncio.Event()

        async def innermost(context: Context) -> Outcome[Any]:
            await may_end.wait()
            return Outcome(None)

        begin = Begin(Records())
        assert await begin.drain(0)
        request = asyncio.ensure_future(begin(change(), innermost))
        while not begin._running:  # noqa: ASYNC110  # turns of the loop, not time
            await asyncio.sleep(0)
        assert not await begin.drain(0)
        draining = asyncio.ensure_future(begin.drain(60))
        may_end.set()
        assert await draining
        assert Outcome(None) == await request

    asyncio.run(run())
