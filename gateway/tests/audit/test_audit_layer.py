"""The audit layer: what is recorded, and what the caller then gets."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from wardgate import defects
from wardgate.context import Context, Decision
from wardgate.pipeline import compose
from wardgate.pipeline.audit import Audit, Journal, verify
from wardgate.pipeline.audit.sink import Disk
from wardgate.pipeline.begin import Begin
from wardgate.spi.errors import CLOSED_LIST, OutcomeUnknown, Unavailable, WardgateError
from wardgate.spi.frontend import Outcome
from wardgate.spi.operations.secrets import ReadSecret, ReadSecrets
from wardgate.spi.operations.system import ReadHealth
from wardgate.spi.path import Path

from tests.support.audit_settings import kept

QUIET = kept(reserve_bytes=0)


def through(
    audited: Any, context: Context, innermost: Callable[[Context], Awaitable[Outcome[Any]]]
) -> Outcome[Any] | BaseException:
    """Send one request through audit and begin; what came out."""
    results: list[Outcome[Any] | BaseException] = []

    async def work(journal: Journal) -> None:
        road = compose([Audit(journal), Begin(journal)], innermost)
        results.extend(await asyncio.gather(road(context), return_exceptions=True))

    asyncio.run(audited.run(work, QUIET))
    return results[0]


def codes(audited: Any) -> list[tuple[str, str | None]]:
    return [(record["kind"], record.get("code")) for record in audited.lines()[2:]]


def raising(error: BaseException) -> Callable[[Context], Awaitable[Outcome[Any]]]:
    async def innermost(context: Context) -> Outcome[Any]:
        raise error

    return innermost


@pytest.mark.parametrize("kind", CLOSED_LIST)
def test_each_error_is_recorded_with_its_code(audited: Any, kind: type[WardgateError]) -> None:
    """And reaches the caller as it is."""
    error = kind("why")
    assert error is through(audited, audited.context(), raising(error))
    assert [("closing", kind.code)] == codes(audited)


def test_an_answer_is_on_record_before_it_leaves(audited: Any) -> None:
    """The outcome is handed on unchanged."""

    async def innermost(context: Context) -> Outcome[Any]:
        answer: Outcome[Any] = audited.answer
        return answer

    assert audited.answer is through(audited, audited.context(), innermost)
    assert [("closing", "ok")] == codes(audited)


def test_a_change_is_on_record_before_it_is_made(audited: Any) -> None:
    """What is innermost already finds the request record on disk."""

    async def innermost(context: Context) -> Outcome[Any]:
        assert [("request", None)] == codes(audited)
        return Outcome(None)

    assert Outcome(None) == through(audited, audited.write(), innermost)
    assert [("request", None), ("closing", "ok")] == codes(audited)


def test_health_is_not_recorded(audited: Any) -> None:
    """It is the one operation that works without an audit."""

    async def innermost(context: Context) -> Outcome[Any]:
        return Outcome(True)  # noqa: FBT003

    assert Outcome(True) == through(audited, audited.context(ReadHealth(), known=False), innermost)  # noqa: FBT003
    assert [] == codes(audited)


@pytest.mark.parametrize("write", [False, True])
def test_a_defect_leaks_nothing(audited: Any, caplog: pytest.LogCaptureFixture, *, write: bool) -> None:
    """The caller gets Unavailable, or OutcomeUnknown behind begin; the log gets the place, never the text."""
    context = audited.write() if write else audited.context()
    with caplog.at_level(logging.DEBUG):
        error = through(audited, context, raising(KeyError("canary-value")))
    assert (OutcomeUnknown if write else Unavailable) is type(error)
    assert isinstance(error, WardgateError)
    assert error.__suppress_context__
    assert "canary" not in error.message + caplog.text
    assert "KeyError at " in caplog.text
    assert ("closing", "internal") == codes(audited)[-1]


def test_a_defect_in_one_item_of_a_batch_is_recorded_as_one(audited: Any) -> None:
    """As it is of a whole request: not as the error that its caller is told."""
    items = tuple(ReadSecret(path=Path.parse(name)) for name in ("a", "b", "c"))
    context = audited.context(ReadSecrets(items=items))
    context.decisions = (Decision("app", 1),) * 3

    async def innermost(context: Context) -> Outcome[Any]:
        refused = Unavailable("the store does not answer")
        return Outcome((refused, defects.of_item(context, KeyError("x")), refused))

    through(audited, context, innermost)
    (line,) = [line for line in audited.lines() if line["kind"] == "closing"]
    assert ("ok", ["unavailable", "internal", "unavailable"]) == (line["code"], [one["code"] for one in line["items"]])


def test_a_client_that_leaves_after_begin_leaves_a_whole_pair(audited: Any) -> None:
    """The change goes on to its end, and its closing record says how it ended."""
    made: list[str] = []

    async def work(journal: Journal) -> None:
        started, may_end = asyncio.Event(), asyncio.Event()

        async def innermost(context: Context) -> Outcome[Any]:
            started.set()
            await may_end.wait()
            made.append("change")
            return Outcome(None)

        road = compose([Audit(journal), Begin(journal)], innermost)
        request = asyncio.ensure_future(road(audited.write()))
        await started.wait()
        for _ in range(3):
            request.cancel()
            await asyncio.sleep(0)
        may_end.set()
        assert Outcome(None) == await request

    asyncio.run(audited.run(work, QUIET))
    assert ["change"] == made
    assert [("request", None), ("closing", "ok")] == codes(audited)


def test_a_client_that_leaves_during_the_closing_leaves_a_whole_pair(audited: Any) -> None:
    """The record is on its way before anybody waits for it."""

    async def work(journal: Journal) -> None:
        ended = asyncio.Event()

        async def innermost(context: Context) -> Outcome[Any]:
            ended.set()
            return Outcome(None)

        road = compose([Audit(journal), Begin(journal)], innermost)
        request = asyncio.ensure_future(road(audited.write()))
        await ended.wait()
        while journal._pairs:  # noqa: ASYNC110  # turns of the loop, not time
            await asyncio.sleep(0)
        request.cancel()
        await asyncio.wait([request])

    asyncio.run(audited.run(work, QUIET))
    assert [("request", None), ("closing", "ok")] == codes(audited)


def test_a_client_that_leaves_before_begin_is_recorded(audited: Any) -> None:
    """Nothing was done and nothing left; the record says so."""

    async def work(journal: Journal) -> None:
        async def innermost(context: Context) -> Outcome[Any]:
            await asyncio.Event().wait()
            raise AssertionError

        request = asyncio.ensure_future(Audit(journal)(audited.context(), innermost))
        await asyncio.sleep(0)
        request.cancel()
        await asyncio.wait([request])
        assert request.cancelled()

    asyncio.run(audited.run(work, QUIET))
    assert [("closing", "cancelled")] == codes(audited)


def test_a_change_whose_end_cannot_be_recorded_is_unknown_to_the_caller(audited: Any) -> None:
    """It was made; Unavailable would say that nothing was. The next boot closes the pair."""

    class Failing(Disk):
        broken = False

        def write(self, descriptor: int, data: bytes | memoryview) -> int:
            if self.broken:
                raise OSError(5, "Input/output error")
            return super().write(descriptor, data)

    disk = Failing()

    async def innermost(context: Context) -> Outcome[Any]:
        disk.broken = True
        return Outcome(None)

    async def work(journal: Journal) -> None:
        with pytest.raises(OutcomeUnknown):
            await compose([Audit(journal), Begin(journal)], innermost)(audited.write())

    asyncio.run(audited.run(work, QUIET, disk=disk))
    assert 1 == len(verify(audited.folder).shards[0].open)


def test_the_audit_is_complete(audited: Any) -> None:
    """2,000 requests, 50 at a time: what the clients saw and what is on record are the same, request by request."""
    errors = [None, None, *(kind("why") for kind in CLOSED_LIST)]
    seen: dict[str, str] = {}

    async def innermost(context: Context) -> Outcome[Any]:
        await asyncio.sleep(0)
        error = errors[int(context.arrival.id) % len(errors)]
        if error:
            raise type(error)("why")
        return Outcome(None)

    async def work(journal: Journal) -> None:
        road = compose([Audit(journal), Begin(journal)], innermost)

        async def client(numbers: range) -> None:
            for number in numbers:
                operation = (audited.write() if number % 3 else audited.context()).operation
                try:
                    await road(audited.context(operation, request=str(number)))
                    seen[str(number)] = "ok"
                except WardgateError as error:
                    seen[str(number)] = error.code

        await asyncio.gather(*(client(range(first, 2_000, 50)) for first in range(50)))

    asyncio.run(audited.run(work, kept(reserve_bytes=0, max_file_bytes=200_000)))
    closed = [(record["request"], record["code"]) for record in audited.lines() if record["kind"] == "closing"]
    begun = sorted(int(record["request"]) for record in audited.lines() if record["kind"] == "request")
    assert 2_000 == len(closed)
    assert seen == dict(closed)
    assert [number for number in range(2_000) if number % 3] == begun
    report = verify(audited.folder)
    assert (True, ()) == (report.ok, report.shards[0].open)
