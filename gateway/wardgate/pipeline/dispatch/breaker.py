"""Circuit breakers: a store that keeps failing is left alone for a while, without harm to other mounts."""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.pipeline.dispatch.watch import Watch
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

    def __init__(self, clock: Clock, watch: Watch) -> None:
        self._clock = clock
        self._watch = watch
        self._breakers: dict[str, _Breaker] = {}

    def check(self, mount: str) -> bool:
        """Refuse at once while the breaker is open; after its cool-down let one request through, and say that it is it.

        Raises:
            Unavailable: the breaker is open.
        """
        breaker = self._breakers.get(mount)
        if breaker is None or breaker.failures < FAILURES:
            return False
        now = self._clock.monotonic()
        if now < breaker.retry_at:
            raise Unavailable("the store has failed repeatedly and is left alone for a few seconds; try again")
        breaker.retry_at = now + COOL_DOWN
        return True

    def failed(self, mount: str) -> None:
        """Count an answer that was Unavailable."""
        breaker = self._breakers.setdefault(mount, _Breaker())
        breaker.failures += 1
        if breaker.failures == FAILURES:
            self._watch.breaker(mount, is_open=True)
        breaker.retry_at = self._clock.monotonic() + COOL_DOWN

    def answered(self, mount: str) -> None:
        """Forget the failures of a store that answers."""
        breaker = self._breakers.pop(mount, None) if self._breakers else None
        if breaker is not None and breaker.failures >= FAILURES:
            self._watch.breaker(mount, is_open=False)
