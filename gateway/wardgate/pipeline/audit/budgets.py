"""Bounds what can be written without a grant: token buckets, a separate set for each kind of record, then a count.

No budget is drained by what another one bounds, so a flood of bad tokens takes nothing from logins. A worker writes,
for all callers together and beyond the bursts, at most each second: 8 times ``anonymous_rate`` (40) denials of nobody;
400 denials of principals; 400 answers of the gateway's state; 1,000 failed logins of two records each. A denial takes
up to 6 KiB, the others 1 KiB: at most 5 MiB/s; one address alone causes 0.2 MiB/s of it, and one principal 0.3 MiB/s.
Summaries add at most a record for each of 1,025 subjects of three budgets a minute. What is granted has no bound here.
"""

from __future__ import annotations

import ipaddress
import math
from dataclasses import dataclass
from typing import Final

from wardgate.spi.services import Clock

SUBJECTS: Final = 1_024
OTHERS: Final = "others"
"""Stands for all subjects of a budget beyond ``SUBJECTS``."""

RATE: Final = 50.0
BURST: Final = 500.0
"""What a source has for logins and for answers of the gateway's state, and what a principal has for denials."""

_TOGETHER: Final = 8
_LOGINS_TOGETHER: Final = 20
_SWEEP: Final = 1.0


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float
    refused: int = 0
    since: int = 0


@dataclass(frozen=True, slots=True)
class Counted:
    """Records of one ``subject`` that were counted, not written. ``since``: Unix nanoseconds of the first."""

    subject: str
    count: int
    since: int


class Budget:
    """``rate`` records a second and ``burst`` at once for each subject; ``together`` times that for all of them."""

    def __init__(self, clock: Clock, *, rate: float, burst: float, together: int = _TOGETHER) -> None:
        self._clock = clock
        self._rate = rate
        self._burst = burst
        self._together = together
        self._all = _Bucket(burst * together, clock.monotonic())
        self._subjects: dict[str, _Bucket] = {}
        self._swept_at = -math.inf

    def admit(self, subject: str) -> bool:
        """Whether a record about this subject may be written now; that takes a token."""
        now = self._clock.monotonic()
        bucket = self._bucket(subject, now)
        self._fill(bucket, now, 1)
        self._fill(self._all, now, self._together)
        if bucket.tokens >= 1 and self._all.tokens >= 1:
            bucket.tokens -= 1
            self._all.tokens -= 1
            return True
        return False

    def count(self, subject: str, number: int = 1, since: int = 0) -> None:
        """Instead of ``number`` records, the first of them at ``since``: now, where it is 0."""
        bucket = self._bucket(subject, self._clock.monotonic())
        first = since or self._clock.now()
        bucket.refused += number
        bucket.since = min(first, bucket.since or first)

    def refund(self, subject: str) -> None:
        """What its record took is given back."""
        bucket = self._bucket(subject, self._clock.monotonic())
        bucket.tokens = min(self._burst, bucket.tokens + 1)
        self._all.tokens = min(self._burst * self._together, self._all.tokens + 1)

    def harvest(self) -> tuple[Counted, ...]:
        """End the window: what was counted in it; subjects that were quiet are forgotten."""
        counted = tuple(
            Counted(subject, bucket.refused, bucket.since)
            for subject, bucket in self._subjects.items()
            if bucket.refused
        )
        for bucket in self._subjects.values():
            bucket.refused = bucket.since = 0
        self._sweep(self._clock.monotonic())
        return counted

    def _bucket(self, subject: str, now: float) -> _Bucket:
        bucket = self._subjects.get(subject)
        if bucket is None:
            if len(self._subjects) >= SUBJECTS and now - self._swept_at >= _SWEEP:
                self._sweep(now)
            if len(self._subjects) >= SUBJECTS:
                subject = OTHERS
            bucket = self._subjects.setdefault(subject, _Bucket(self._burst, now))
        return bucket

    def _sweep(self, now: float) -> None:
        """Forget the buckets that are as good as new, so that yesterday's swarm takes nobody's place."""
        self._swept_at = now
        for subject, bucket in tuple(self._subjects.items()):
            self._fill(bucket, now, 1)
            if bucket.tokens >= self._burst and not bucket.refused:
                del self._subjects[subject]

    def _fill(self, bucket: _Bucket, now: float, times: int) -> None:
        gained = (now - bucket.filled_at) * self._rate * times
        bucket.tokens = min(self._burst * times, bucket.tokens + gained)
        bucket.filled_at = now


class Budgets:
    """The budgets of one worker.

    ``logins``, by source: their request record comes before the proof, so beyond it they are refused; who proved
    himself gets his token back. ``denials``, by source: refusals of callers nobody knows. ``principals``, by id:
    refusals of a principal that no policy gave leave. ``answers``, by source: the gateway's state, which is told to
    anybody. Beyond these three, records are counted, and the caller notices nothing: the shared bucket of these can be
    emptied by strangers, but that only makes a record into a count.

    ``rate`` and ``burst`` are those of ``denials``.
    """

    def __init__(self, clock: Clock, *, rate: float, burst: float) -> None:
        self.logins = Budget(clock, rate=RATE, burst=BURST, together=_LOGINS_TOGETHER)
        self.denials = Budget(clock, rate=rate, burst=burst)
        self.principals = Budget(clock, rate=RATE, burst=BURST)
        self.answers = Budget(clock, rate=RATE, burst=BURST)


def network_of(source: str) -> str:
    """The /64 of an IPv6 address, for whoever has one address there has them all; every other source as it is."""
    if ":" not in source:
        return source
    try:
        address = ipaddress.IPv6Address(source.partition("%")[0])
    except ValueError:
        return source
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))
