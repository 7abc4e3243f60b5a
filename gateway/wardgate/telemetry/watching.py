"""Where the road, its backends, its audit and its cache are counted: each is handed in from here by the application."""

from __future__ import annotations

import asyncio
import resource
import time
from bisect import bisect_left
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter
from typing import Any, Final, Protocol, TypeVar

from wardgate.context import Context
from wardgate.mounts import Mount
from wardgate.pipeline import Handler
from wardgate.spi.frontend import Outcome
from wardgate.spi.operations.base import Operation
from wardgate.telemetry import metrics
from wardgate.telemetry.codes import OK, UNAUTHENTICATED, code_of
from wardgate.telemetry.metrics import Meters

R = TypeVar("R")

UNREADY_SECONDS: Final = 5.0
"""A worker whose audit missed a record says so for as long; then requests may come and find out."""

TICK: Final = 1.0
"""Seconds between two looks at the process itself."""

_BOUNDS = metrics.SECONDS
_SUM = len(_BOUNDS) + 1
_PAGE = resource.getpagesize()


class Tracing(Protocol):
    """What follows single requests, where somebody asked for that."""

    def road(self, road: Handler) -> Handler:
        """The same road, followed."""

    def backend(self, mount: Mount, operation: Operation[Any], answer: Awaitable[R]) -> Awaitable[R]:
        """The same answer, followed."""


class Watching:
    """Counts in the part of this worker, and has single requests followed where ``tracing`` is given."""

    def __init__(self, meters: Meters, tracing: Tracing | None = None) -> None:
        self._meters = meters
        self._tracing = tracing
        self._hits: dict[str, int] = {}
        self._misses: dict[str, int] = {}
        self._calls: dict[tuple[str, type[Operation[Any]], str], tuple[int, int]] = {}
        self._unwritten_at = -float("inf")

    def road(self, road: Handler, frontend: str) -> Handler:
        """The road as one front-end takes it: each request is counted when it ends, and how long it took."""
        numbers, at = self._meters.numbers, self._meters.at
        ended: dict[tuple[type[Operation[Any]], str], tuple[int, int]] = {}

        def count(operation: type[Operation[Any]], code: str, seconds: float) -> None:
            cells = ended.get((operation, code))
            if cells is None:
                name = operation.name()
                cells = at(metrics.REQUESTS, name, code, frontend), at(metrics.REQUEST_SECONDS, name)
                ended[operation, code] = cells
            _count(numbers, cells, seconds)

        async def watched(context: Context) -> Outcome[Any]:
            begun = perf_counter()
            try:
                outcome = await road(context)
            except BaseException as error:
                code = code_of(error)
                count(context.operation.__class__, code, perf_counter() - begun)
                if code == UNAUTHENTICATED:
                    self._meters.add(metrics.REFUSED, frontend)
                raise
            count(context.operation.__class__, OK, perf_counter() - begun)
            return outcome

        return self._tracing.road(watched) if self._tracing else watched

    async def backend(self, mount: Mount, operation: Operation[Any], answer: Awaitable[R]) -> R:
        """Wait for a backend's answer, and count it."""
        if self._tracing:
            answer = self._tracing.backend(mount, operation, answer)
        begun = perf_counter()
        code = OK
        try:
            return await answer
        except BaseException as error:
            code = code_of(error)
            raise
        finally:
            key = (mount.type, operation.__class__, code)
            cells = self._calls.get(key)
            if cells is None:
                calls = self._meters.at(metrics.BACKEND_CALLS, mount.type, operation.name(), code)
                cells = self._calls[key] = calls, self._meters.at(metrics.BACKEND_SECONDS, mount.type)
            _count(self._meters.numbers, cells, perf_counter() - begun)

    def breaker(self, mount: str, *, is_open: bool) -> None:
        """The circuit breaker of the mount with this id has opened or closed."""
        self._meters.set(metrics.BREAKERS, float(is_open), mount)

    def cache(self, mount: str, *, hit: bool) -> None:
        """A read of the mount with this id was answered from the cache, or could have been."""
        known = self._hits if hit else self._misses
        at = known.get(mount)
        if at is None:
            if len(known) >= metrics.MOST_SERIES:
                known.clear()
            at = known[mount] = self._meters.at(metrics.CACHE_HITS if hit else metrics.CACHE_MISSES, mount)
        self._meters.numbers[at] += 1.0

    def cached(self, entries: int, size: int) -> None:
        """The cache of this worker holds so many entries, of so many bytes together."""
        self._meters.set(metrics.CACHE_ENTRIES, entries)
        self._meters.set(metrics.CACHE_BYTES, size)

    def commit(self, records: int, failed: int, seconds: float, retired: str) -> None:
        """The audit's thread has written a batch; no other thread counts what it counts."""
        self._meters.observe(metrics.AUDIT_RECORDS, records)
        self._meters.observe(metrics.AUDIT_SECONDS, seconds)
        if failed:
            self._meters.add(metrics.AUDIT_FAILED, by=failed)
            self._unwritten_at = time.monotonic()
        if retired:
            self._meters.set(metrics.AUDIT_RETIRED, 1.0)

    def unwritten(self) -> bool:
        """Whether a record of the audit could not be written in the last ``UNREADY_SECONDS``."""
        return time.monotonic() - self._unwritten_at < UNREADY_SECONDS


def _count(numbers: memoryview[float], cells: tuple[int, int], seconds: float) -> None:
    """One more, at the first of the cells, that took so long: into its bucket and the sum behind the second."""
    counter, durations = cells
    numbers[counter] += 1.0
    numbers[durations + bisect_left(_BOUNDS, seconds)] += 1.0
    numbers[durations + _SUM] += seconds


class Pulse:
    """Looks at the worker's own process once a second.

    Args:
        meters: of this worker.
        worker: its slot.
        connections: how many are open.
    """

    def __init__(self, meters: Meters, worker: int, connections: Callable[[], int]) -> None:
        self._meters = meters
        self._worker = str(worker)
        self._connections = connections
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin, on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._meters.set(metrics.STARTED, time.time(), self._worker)
        self._cpu_before = self._meters.numbers[self._meters.at(metrics.CPU, self._worker)]
        self._look(0.0)

    def stop(self) -> None:
        """End."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self, lag: float) -> None:
        meters, worker = self._meters, self._worker
        meters.set(metrics.LOOP_LAG, lag, worker)
        meters.set(metrics.CPU, self._cpu_before + time.process_time(), worker)
        meters.set(metrics.MEMORY, _resident(), worker)
        meters.set(metrics.CONNECTIONS, self._connections(), worker)
        due = self._loop.time() + TICK
        self._timer = self._loop.call_at(due, lambda: self._look(max(0.0, self._loop.time() - due)))


def _resident() -> float:
    return float(int(Path("/proc/self/statm").read_bytes().split()[1]) * _PAGE)
