"""A bounded pool of threads for a vendor's SDK that blocks: one for each mount, so that none starves another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
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
        future: Future[T] = Future()
        calls: list[tuple[Future[Any], Callable[[], Any]]] = [(future, partial(work, *args, **named))]
        # A caller that is gone leaves a place in the executor's queue behind, and in it nothing of what it would send.
        future.add_done_callback(lambda _: calls.clear())
        self._executor.submit(self._take, calls)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Refuse what has not begun; what runs ends by its own time limit. Safe to call twice."""
        self._closed = True
        self._executor.shutdown(wait=False)

    def _take(self, calls: list[tuple[Future[Any], Callable[[], Any]]]) -> None:
        """Run what left the queue. Its room is free before its caller goes on, and not before it left."""
        future = None
        with suppress(IndexError):
            future, work = calls.pop()
        if future is None or not future.set_running_or_notify_cancel():
            self._room.release()
            return
        try:
            result = self._begin(work)
        except BaseException as raised:  # noqa: BLE001  # it is the caller's
            self._room.release()
            future.set_exception(raised)
            del future  # else the error holds the frame that holds the error
        else:
            self._room.release()
            future.set_result(result)

    def _begin(self, work: Callable[[], T]) -> T:
        if self._closed:
            raise Unavailable("this mount is closed")
        return work()
