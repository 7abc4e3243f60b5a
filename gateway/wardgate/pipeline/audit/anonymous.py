"""Bounds what callers without a principal can make the audit write: a token bucket each source, then a count."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

from wardgate.spi.services import Clock

SOURCES: Final = 1_024
OTHERS: Final = "others"
"""Stands for all sources beyond the ``SOURCES`` of one window."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float
    refused: int = 0
    since: int = 0


@dataclass(frozen=True, slots=True)
class Counted:
    """Records of one source that were counted, not written. ``since``: Unix nanoseconds of the first."""

    source: str
    count: int
    since: int


class Anonymous:
    """``rate`` records a second and ``burst`` at once for each source; eight times that for all of them together."""

    def __init__(self, clock: Clock, *, rate: float, burst: float) -> None:
        self._clock = clock
        self._rate = rate
        self._burst = burst
        self._all = _Bucket(burst * 8, clock.monotonic())
        self._sources: dict[str, _Bucket] = {}

    def admit(self, source: str) -> bool:
        """Whether a record about this source may be written now; that takes a token."""
        now = self._clock.monotonic()
        bucket = self._bucket(source, now)
        self._fill(bucket, now, 1)
        self._fill(self._all, now, 8)
        if bucket.tokens >= 1 and self._all.tokens >= 1:
            bucket.tokens -= 1
            self._all.tokens -= 1
            return True
        return False

    def count(self, source: str) -> None:
        """Instead of a record."""
        bucket = self._bucket(source, self._clock.monotonic())
        bucket.refused += 1
        bucket.since = bucket.since or self._clock.now()

    def refund(self, source: str) -> None:
        """It proved to be somebody: what its records took is given back."""
        bucket = self._bucket(source, self._clock.monotonic())
        bucket.tokens = min(self._burst, bucket.tokens + 1)
        self._all.tokens = min(self._burst * 8, self._all.tokens + 1)

    def harvest(self) -> tuple[Counted, ...]:
        """End the window: what was counted in it; sources that were quiet are forgotten."""
        now = self._clock.monotonic()
        counted = tuple(
            Counted(source, bucket.refused, bucket.since) for source, bucket in self._sources.items() if bucket.refused
        )
        for source, bucket in tuple(self._sources.items()):
            bucket.refused = bucket.since = 0
            self._fill(bucket, now, 1)
            if bucket.tokens >= self._burst:
                del self._sources[source]
        return counted

    def _bucket(self, source: str, now: float) -> _Bucket:
        if ":" in source:
            source = network_of(source)
        bucket = self._sources.get(source)
        if bucket is None:
            if len(self._sources) >= SOURCES:
                source = OTHERS
            bucket = self._sources.setdefault(source, _Bucket(self._burst, now))
        return bucket

    def _fill(self, bucket: _Bucket, now: float, times: int) -> None:
        gained = (now - bucket.filled_at) * self._rate * times
        bucket.tokens = min(self._burst * times, bucket.tokens + gained)
        bucket.filled_at = now


def network_of(source: str) -> str:
    """The /64 of an IPv6 address: whoever has one address there has them all."""
    try:
        address = ipaddress.IPv6Address(source.partition("%")[0])
    except ValueError:
        return source
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))
