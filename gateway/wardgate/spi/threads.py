"""A bounded pool of threads for a vendor's SDK that blocks: one for each mount, so that none starves another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from wardgate.spi.errors import RateLimited, Unavailable

QUEUE = 256
"""Calls that may wait for a thread; more are refused at once rather than kept in memory."""
T = TypeVar("T")


class Threads:
    """Runs blocking calls.

    Args:
        name: of the threads, as debuggers show them.
        size: calls at a time.
        queue: calls that may wait for a thread.
    """

    def __init__(self, name: str, size: int, queue: int = QUEUE) -> None:
        self._executor = ThreadPoolExecutor(size, thread_name_prefix=name)
        self._room = threading.BoundedSemaphore(size + queue)
        self._closed = False

    async def run(self, work: Callable[..., T], *args: Any, **named: Any) -> T:
        """What ``work`` returns or raises. A caller that goes away takes with it a call that has not begun.

        Raises:
            RateLimited: too many calls wait already.
            Unavailable: the pool is closed, or closes before the call has begun.
        """
        if self._closed:
            raise Unavailable("this mount is closed")
        if not self._room.acquire(blocking=False):
            raise RateLimited("too many requests wait for this store; try again", retry_after=1.0)
        future = self._executor.submit(self._begin, partial(work, *args, **named))
        future.add_done_callback(self._left)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Refuse what has not begun; what runs ends by its own time limit. Safe to call twice."""
        self._closed = True
        self._executor.shutdown(wait=False)

    def _begin(self, work: Callable[[], T]) -> T:
        if self._closed:
            raise Unavailable("this mount is closed")
        return work()

    def _left(self, _: Future[Any]) -> None:
        self._room.release()
