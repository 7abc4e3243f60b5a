"""Cases: a store that cannot be reached, answers badly, or says that it is asked too often."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable

import pytest
from wardgate.spi.backend import Backend
from wardgate.spi.errors import OutcomeUnknown, RateLimited, Unavailable, WardgateError
from wardgate.spi.path import ROOT

from wardgate_conformance.behaving import CALLS
from wardgate_conformance.faults import Fault, FaultProxy
from wardgate_conformance.harness import Harness
from wardgate_conformance.selection import needs, reaches
from wardgate_conformance.values import OTHER, SECRET, document, names

PATIENCE = 60
FAULTS = [fault for fault in Fault if fault not in {Fault.NONE, Fault.SLOW, Fault.SILENT}]
RETRY_AFTER = 7
OLD = {"turn": "1"}
NEW = {"turn": "2"}
MANY = 12
TRIES = 3
AT_ONCE = 0.4
"""Seconds; less than the time limit of any backend that ``open_at`` opens."""
READS = ("read", "list", "describe", "versions")
PAGED = ("a", "b", "c", "d")
MOST_PIECES = 40


@contextlib.asynccontextmanager
async def proxied(harness: Harness) -> AsyncIterator[tuple[Backend, FaultProxy]]:
    """A backend that reaches its store through a proxy, has read ``OLD`` once, and is given ``PATIENCE`` seconds."""
    await harness.put(SECRET, OLD)
    proxy = FaultProxy(harness.address())
    backend = harness.open_at(proxy.host, proxy.port)
    try:
        async with asyncio.timeout(PATIENCE):
            assert (await backend.read(SECRET)).value.fields() == OLD
            yield backend, proxy
    finally:
        proxy.close()
        await backend.close()


async def _refusal(call: Awaitable[object]) -> type[BaseException] | None:
    """What it raises; None where it is done."""
    (outcome,) = await asyncio.gather(call, return_exceptions=True)
    return type(outcome) if isinstance(outcome, BaseException) else None


class Failing:
    """A store that fails is said to fail: nothing is made up, and nothing unclear is called a success."""

    @reaches("networked")
    @pytest.mark.parametrize("fault", FAULTS)
    async def test_a_read_that_fails_is_unavailable(self, harness: Harness, fault: Fault) -> None:
        """Above all it is not a missing secret or an empty list; and the same backend reads when the store is back."""
        async with proxied(harness) as (backend, proxy):
            proxy.set(fault)
            calls: list[Awaitable[object]] = [backend.read(SECRET)]
            calls += [backend.list(ROOT)] if backend.capabilities.list else []
            calls += [backend.describe(SECRET)] if backend.capabilities.describe else []
            answers = await asyncio.gather(*calls, return_exceptions=True)
            assert [type(answer) for answer in answers] == [Unavailable] * len(calls)
            proxy.set(Fault.NONE)
            assert (await backend.read(SECRET)).value.fields() == OLD

    @reaches("networked")
    @needs("list")
    async def test_a_torn_page_is_no_end_of_a_list(self, harness: Harness) -> None:
        """Wherever the answers break off, page by page: Unavailable, never fewer names than there are."""
        async with proxied(harness) as (backend, proxy):
            for name in PAGED:
                await harness.put(ROOT.child(name), OLD)
            whole = await names(backend, ROOT)
            assert len(whole) > len(PAGED)
            for pieces in range(MOST_PIECES):
                proxy.after(pieces, Fault.CUT)
                with contextlib.suppress(Unavailable):
                    found = await names(backend, ROOT, limit=2)
                    assert (found, pieces > 0) == (whole, True)
                    return
                proxy.set(Fault.NONE)
                await backend.read(SECRET)
        pytest.fail("the list never ended")

    @reaches("networked")
    @needs("write")
    @pytest.mark.parametrize("fault", FAULTS)
    async def test_a_write_that_fails_is_no_success(self, harness: Harness, fault: Fault) -> None:
        """Unavailable says that nothing was changed, and is held to it; what is not known is OutcomeUnknown."""
        async with proxied(harness) as (backend, proxy):
            proxy.set(fault)
            with pytest.raises(WardgateError) as refused:
                await backend.write(SECRET, document(**NEW))
            assert type(refused.value) in {Unavailable, OutcomeUnknown}
            held = await harness.get(SECRET)
            assert held == OLD or (held == NEW and type(refused.value) is OutcomeUnknown)
            proxy.set(Fault.NONE)
            # A write on a connection that has just been cut would rightly be unclear; a read finds a sound one.
            assert (await backend.read(SECRET)).value.fields() == held
            await backend.write(SECRET, document(turn="3"))
            assert (await backend.read(SECRET)).value.fields() == {"turn": "3"}

    @reaches("networked")
    @needs("write", "delete")
    @pytest.mark.parametrize("fault", FAULTS)
    async def test_a_delete_that_fails_is_no_success(self, harness: Harness, fault: Fault) -> None:
        """The same of a delete: the secret is still there where Unavailable is said."""
        async with proxied(harness) as (backend, proxy):
            proxy.set(fault)
            with pytest.raises(WardgateError) as refused:
                await backend.delete(SECRET)
            assert type(refused.value) in {Unavailable, OutcomeUnknown}
            held = await harness.get(SECRET)
            assert held == OLD or (held is None and type(refused.value) is OutcomeUnknown)

    @reaches("networked")
    async def test_another_server_s_page_is_no_answer(self, backend: Backend, harness: Harness) -> None:
        """That of a portal on the way, with status 200: no read is made of it, and no change is called done."""
        await harness.put(SECRET, OLD)
        version = (await backend.read(SECRET)).info.id
        with harness.another_server() as (host, port):
            misled = harness.open_at(host, port)
            try:
                async with asyncio.timeout(PATIENCE):
                    told = {"read": await _refusal(misled.read(SECRET))}
                    for name, call in CALLS.items():
                        if getattr(misled.capabilities, name):
                            told[name] = await _refusal(call(misled, version))
            finally:
                await misled.close()
        wrong = {name: error for name, error in told.items() if error not in {Unavailable, OutcomeUnknown}}
        assert wrong == {}
        assert {told[name] for name in READS if name in told} == {Unavailable}

    @reaches("networked")
    async def test_a_slow_answer_is_whole_or_unavailable(self, harness: Harness) -> None:
        """Never the part of it that came in time."""
        async with proxied(harness) as (backend, proxy):
            proxy.set(Fault.SLOW)
            with contextlib.suppress(Unavailable):
                assert (await backend.read(SECRET)).value.fields() == OLD

    @reaches("networked")
    @pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.RESET, Fault.HANGS])
    async def test_health_says_that_the_store_is_away(self, harness: Harness, fault: Fault) -> None:
        """Without raising; and that it is back when it is."""
        async with proxied(harness) as (backend, proxy):
            proxy.set(fault)
            assert not (await backend.health()).ok
            proxy.set(Fault.NONE)
            assert (await backend.health()).ok

    @reaches("throttles")
    async def test_a_store_that_is_asked_too_often_says_when(self, harness: Harness) -> None:
        """As RateLimited, with the wait the store told: to readers and to writers."""
        with harness.throttling(RETRY_AFTER) as (host, port):
            backend = harness.open_at(host, port)
            calls: list[Awaitable[object]] = [backend.read(SECRET)]
            calls += [backend.write(SECRET, document(**NEW))] if backend.capabilities.write else []
            try:
                async with asyncio.timeout(PATIENCE):
                    answers = await asyncio.gather(*calls, return_exceptions=True)
            finally:
                await backend.close()
        told = [(type(answer), getattr(answer, "retry_after", None)) for answer in answers]
        assert told == [(RateLimited, RETRY_AFTER)] * len(calls)


class Cancellation:
    """A caller that goes away takes its own request along, and nothing of anybody else's."""

    @reaches("networked")
    async def test_readers_that_go_away_leave_no_trace(self, harness: Harness) -> None:
        """More of them than a pool has connections, while the store hangs; the next reader is answered."""
        async with proxied(harness) as (backend, proxy):
            proxy.set(Fault.HANGS)
            tasks = [asyncio.create_task(backend.read(SECRET)) for _ in range(MANY)]
            await asyncio.to_thread(proxy.received.wait, PATIENCE)
            for task in tasks:
                task.cancel()
            answers = await asyncio.gather(*tasks, return_exceptions=True)
            assert {type(answer) for answer in answers} <= {asyncio.CancelledError, Unavailable, RateLimited}
            proxy.set(Fault.NONE)
            assert (await backend.read(SECRET)).value.fields() == OLD

    @reaches("networked")
    @reaches("one_at_a_time")
    async def test_a_request_ends_with_its_caller(self, harness: Harness) -> None:
        """Its connection is closed at once, not when the backend has had enough. A busy machine may try again."""
        async with proxied(harness) as (backend, proxy):
            for _ in range(TRIES):
                proxy.after(0, Fault.SILENT)
                until = time.monotonic() + AT_ONCE
                task = asyncio.create_task(backend.read(SECRET))
                await asyncio.to_thread(proxy.received.wait, PATIENCE)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                quiet = await asyncio.to_thread(proxy.quiet, max(0.0, until - time.monotonic()))
                if quiet and time.monotonic() < until:
                    return
                proxy.set(Fault.NONE)
                await backend.read(SECRET)
        pytest.fail("the store is still asked for a caller that went away")

    @reaches("networked")
    async def test_an_answer_goes_to_nobody_else(self, harness: Harness) -> None:
        """What a reader who went away had asked for is not what the next one gets."""
        async with proxied(harness) as (backend, proxy):
            await harness.put(OTHER, NEW)
            proxy.set(Fault.SLOW)
            for _ in range(3):
                proxy.received.clear()
                task = asyncio.create_task(backend.read(SECRET))
                await asyncio.to_thread(proxy.received.wait, PATIENCE)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                assert (await backend.read(OTHER)).value.fields() == NEW

    @reaches("networked")
    @needs("write")
    async def test_a_writer_that_goes_away_leaves_a_whole_value(self, harness: Harness) -> None:
        """The old one or the new one, and the next write stands."""
        async with proxied(harness) as (backend, proxy):
            proxy.set(Fault.SLOW)
            task = asyncio.create_task(backend.write(SECRET, document(**NEW)))
            await asyncio.to_thread(proxy.received.wait, PATIENCE)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            proxy.set(Fault.NONE)
            assert (await backend.read(SECRET)).value.fields() in (OLD, NEW)
            await backend.write(SECRET, document(turn="3"))
            assert (await backend.read(SECRET)).value.fields() == {"turn": "3"}
