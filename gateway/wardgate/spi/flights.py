"""Single flight: callers who want the same thing at the same time wait for one fetch."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True)
class _Flight(Generic[V]):
    epoch: int
    task: asyncio.Task[V]
    waiters: int = 0


class Flights(Generic[K, V]):
    """Fetches under way in one event loop, each in a task of its own.

    The end of one waiter is not the end of a fetch; when the last one goes away there is nobody left to ask for.
    """

    def __init__(self) -> None:
        self._flying: dict[K, _Flight[V]] = {}
        self._tasks: set[asyncio.Task[V]] = set()

    async def join(self, key: K, epoch: int, fetch: Callable[[], Awaitable[V]], patience: float | None = None) -> V:
        """What ``fetch`` returns or raises, begun by this caller or by one before it.

        Args:
            key: what is fetched.
            epoch: its epoch now; a fetch that began before a change is not joined.
            fetch: begins it; it bounds its own time.
            patience: seconds this caller waits; None: as long as it takes.

        Raises:
            TimeoutError: this caller's patience ended; the fetch goes on.
        """
        flight = self._flying.get(key)
        if flight is None or flight.epoch != epoch:
            task: asyncio.Task[V] = asyncio.get_running_loop().create_task(_run(fetch))
            flight = self._flying[key] = _Flight(epoch, task)
            self._tasks.add(task)
            task.add_done_callback(lambda done: self._land(key, done))
        flight.waiters += 1
        try:
            # Neither a waiter's time nor its end is the task's; a shield and a timeout say the same and cost more.
            done, _ = await asyncio.wait((flight.task,), timeout=patience)
        except asyncio.CancelledError:
            if flight.waiters == 1:
                self._forget(key, flight.task)  # who comes now begins anew
                flight.task.cancel()
            raise
        finally:
            flight.waiters -= 1
        if not done:
            raise TimeoutError
        return flight.task.result()

    async def close(self) -> None:
        """Cancel what is under way, and wait until it has ended."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _land(self, key: K, task: asyncio.Task[V]) -> None:
        self._tasks.discard(task)
        self._forget(key, task)
        if not task.cancelled():
            task.exception()  # seen: when every waiter has left, nobody else will look

    def _forget(self, key: K, task: asyncio.Task[V]) -> None:
        flight = self._flying.get(key)
        if flight is not None and flight.task is task:
            del self._flying[key]


async def _run(fetch: Callable[[], Awaitable[V]]) -> V:
    return await fetch()
