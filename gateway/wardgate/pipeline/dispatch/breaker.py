"""Circuit breakers: a store that keeps failing is left alone for a while, without harm to other mounts."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from wardgate.spi.errors import Unavailable
from wardgate.spi.services import Clock

FAILURES = 10
"""Unavailable answers in a row that open a breaker."""
COOL_DOWN = 5.0
"""Seconds a breaker stays open before one request may probe the store."""


@dataclass(slots=True)
class _Breaker:
    failures: int = 0
    retry_at: float = 0.0


class Breakers:
    """One breaker a mount, by mount id; a mount that answers has none."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._breakers: dict[str, _Breaker] = {}

    @contextmanager
    def guard(self, mount: str, request: Coroutine[Any, Any, Any]) -> Iterator[None]:
        """Count what happens inside; refuse at once while the breaker is open, closing ``request`` unasked.

        Raises:
            Unavailable: the breaker is open.
        """
        breaker = self._breakers.get(mount)
        if breaker is not None and breaker.failures >= FAILURES:
            now = self._clock.monotonic()
            if now < breaker.retry_at:
                request.close()
                raise Unavailable("the store has failed repeatedly and is left alone for a few seconds; try again")
            breaker.retry_at = now + COOL_DOWN  # this request is the probe
        try:
            yield
        except Unavailable:
            breaker = self._breakers.setdefault(mount, _Breaker())
            breaker.failures += 1
            breaker.retry_at = self._clock.monotonic() + COOL_DOWN
            raise
        if breaker is not None:
            self._breakers.pop(mount, None)
