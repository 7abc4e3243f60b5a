"""Single flight: callers who miss the same thing at the same time wait for one fetch."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Flights(Generic[K, V]):
    """Fetches under way in one event loop, each in a task of its own: no waiter's end is the end of a fetch."""

    def __init__(self) -> None:
        self._flying: dict[K, tuple[int, asyncio.Task[V]]] = {}
        self._tasks: set[asyncio.Task[V]] = set()

    async def join(self, key: K, epoch: int, fetch: Callable[[], Awaitable[V]], patience: float) -> V:
        """What ``fetch`` returns or raises, begun by this caller or by one before it.

        Args:
            key: what is fetched.
            epoch: its epoch now; a fetch that began before a change is not joined.
            fetch: begins it; it bounds its own time.
            patience: seconds this caller waits.

        Raises:
            TimeoutError: this caller's patience ended; the fetch goes on.
        """
        known = self._flying.get(key)
        if known is None or known[0] != epoch:
            task: asyncio.Task[V] = asyncio.get_running_loop().create_task(_run(fetch))
            self._flying[key] = (epoch, task)
            self._tasks.add(task)
            task.add_done_callback(lambda done: self._land(key, done))
        else:
            task = known[1]
        # Neither a waiter's time nor its end is the task's; a shield and a timeout say the same and cost more.
        done, _ = await asyncio.wait((task,), timeout=patience)
        if not done:
            raise TimeoutError
        return task.result()

    async def close(self) -> None:
        """Cancel what is under way, and wait until it has ended."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _land(self, key: K, task: asyncio.Task[V]) -> None:
        self._tasks.discard(task)
        known = self._flying.get(key)
        if known is not None and known[1] is task:
            del self._flying[key]
        if not task.cancelled():
            task.exception()  # seen: when every waiter has left, nobody else will look


async def _run(fetch: Callable[[], Awaitable[V]]) -> V:
    return await fetch()
