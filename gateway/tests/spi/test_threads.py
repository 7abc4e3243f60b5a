"""A bounded pool of threads: what is full, closed or gone."""

from __future__ import annotations

import asyncio
import threading

import pytest
from wardgate.spi.errors import RateLimited, Unavailable
from wardgate.spi.threads import Threads


def test_more_than_may_wait_is_refused_at_once() -> None:
    """And there is room again when what ran has ended."""

    async def scene() -> None:
        threads, gate = Threads("test", 1, queue=1), threading.Event()
        held = [asyncio.create_task(threads.run(gate.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(RateLimited):
            await threads.run(int)
        gate.set()
        await asyncio.gather(*held)
        assert await threads.run(int, "7") == 7
        threads.close()

    asyncio.run(scene())


def test_a_caller_that_goes_away_takes_its_waiting_call_with_it() -> None:
    """A call that has not begun never begins."""

    async def scene() -> None:
        threads, gate, done = Threads("test", 1), threading.Event(), list[int]()
        first = asyncio.create_task(threads.run(gate.wait))
        waiting = asyncio.create_task(threads.run(done.append, 1))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        gate.set()
        await first
        await threads.run(int)
        assert done == []
        threads.close()

    asyncio.run(scene())


def test_a_closed_pool_begins_nothing() -> None:
    """Neither what comes, nor what waits."""

    async def scene() -> None:
        threads, gate = Threads("test", 1), threading.Event()
        first = asyncio.create_task(threads.run(gate.wait))
        waiting = asyncio.create_task(threads.run(int))
        await asyncio.sleep(0)
        threads.close()
        threads.close()
        gate.set()
        await first
        with pytest.raises(Unavailable):
            await waiting
        with pytest.raises(Unavailable):
            await threads.run(int)

    asyncio.run(scene())


def test_callers_that_go_away_leave_no_more_than_may_wait() -> None:
    """Their place is free when it leaves the queue; what they would have sent is gone with them."""

    async def scene() -> None:
        threads, gate, begun = Threads("test", 1, queue=1), threading.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def hold() -> None:
            loop.call_soon_threadsafe(begun.set)
            gate.wait()

        first = asyncio.create_task(threads.run(hold))
        await begun.wait()
        gone = asyncio.create_task(threads.run(id, "a value"))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        left = threads._executor._work_queue.get_nowait()
        assert left.args == ([],)
        threads._executor._work_queue.put(left)
        for _ in range(3):
            with pytest.raises(RateLimited):
                await threads.run(int)
        gate.set()
        await first
        threads.close()
        threads._executor.shutdown(wait=True)
        assert all(threads._room.acquire(blocking=False) for _ in range(2))
        threads.close()

    asyncio.run(scene())
