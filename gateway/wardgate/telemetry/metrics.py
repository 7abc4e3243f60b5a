"""The metrics there are, and what counts them. Labels take values from the code, or the random id of a mount."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Final, Literal

from wardgate.telemetry.cells import Page

Kind = Literal["counter", "gauge", "histogram"]

MOST_SERIES: Final = 1_000
"""Label sets of one metric in one worker; whatever comes after them is counted under ``OTHER``."""

OTHER: Final = "other"

SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the buckets of durations."""

SIZES: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0)
"""Upper bounds of the buckets of how many went together."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. ``bounds``: a histogram's; its last bucket has none."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()

    @property
    def numbers(self) -> int:
        """How many one series has: its value, or a count for each bucket and then the sum."""
        return len(self.bounds) + 2 if self.bounds else 1


REQUESTS: Final = Metric(
    "wardgate_requests_total", "counter", "Requests that ended on the road.", ("operation", "code", "frontend")
)
REQUEST_SECONDS: Final = Metric(
    "wardgate_request_duration_seconds", "histogram", "From the front-end's hand to its answer, audit and all.",
    ("operation",), SECONDS,
)  # fmt: skip
REFUSED: Final = Metric(
    "wardgate_authentication_failures_total", "counter", "Requests and logins without a credential that holds.",
    ("frontend",),
)  # fmt: skip
AUDIT_RECORDS: Final = Metric(
    "wardgate_audit_commit_records", "histogram", "Records that one commit of the audit made durable together.",
    (), SIZES,
)  # fmt: skip
AUDIT_SECONDS: Final = Metric(
    "wardgate_audit_commit_duration_seconds", "histogram", "How long a commit of the audit took, its sync included.",
    (), SECONDS,
)  # fmt: skip
AUDIT_FAILED: Final = Metric(
    "wardgate_audit_unwritten_records_total", "counter", "Audit records that could not be made durable."
)
AUDIT_RETIRED: Final = Metric("wardgate_audit_retired", "gauge", "Workers whose audit can no longer be written.")
CACHE_HITS: Final = Metric("wardgate_cache_hits_total", "counter", "Reads answered from the cache.", ("mount",))
CACHE_MISSES: Final = Metric(
    "wardgate_cache_misses_total", "counter", "Reads that could have been in the cache.", ("mount",)
)
CACHE_ENTRIES: Final = Metric("wardgate_cache_entries", "gauge", "Entries in the caches of all workers.")
CACHE_BYTES: Final = Metric("wardgate_cache_bytes", "gauge", "Bytes, roughly, in the caches of all workers.")
BACKEND_CALLS: Final = Metric(
    "wardgate_backend_calls_total", "counter", "Operations that a mount's backend was asked for.",
    ("type", "operation", "code"),
)  # fmt: skip
BACKEND_SECONDS: Final = Metric(
    "wardgate_backend_call_duration_seconds", "histogram", "How long backends took to answer.", ("type",), SECONDS
)
BREAKERS: Final = Metric(
    "wardgate_backend_breaker_open", "gauge", "Workers whose circuit breaker for the mount is open.", ("mount",)
)
CONNECTIONS: Final = Metric("wardgate_connections", "gauge", "Open connections.", ("worker",))
LOOP_LAG: Final = Metric(
    "wardgate_event_loop_lag_seconds", "gauge", "How late the worker's event loop was at its last tick.", ("worker",)
)
MEMORY: Final = Metric(
    "wardgate_process_resident_memory_bytes", "gauge", "Memory the worker holds, shared pages included.", ("worker",)
)
CPU: Final = Metric("wardgate_process_cpu_seconds_total", "counter", "Processor time of the worker.", ("worker",))
STARTED: Final = Metric(
    "wardgate_process_start_time_seconds", "gauge", "When the worker started, in Unix seconds.", ("worker",)
)
RESTARTS: Final = Metric("wardgate_worker_restarts_total", "counter", "Workers that ended and were replaced.")
STOPPING: Final = Metric("wardgate_stopping", "gauge", "1 once the gateway was asked to stop.")
SPANS: Final = Metric(
    "wardgate_trace_spans_total", "counter", "Spans that went to the collector, or could not.", ("result",)
)
BUILD: Final = Metric("wardgate_build_info", "gauge", "Always 1; its labels say what runs.", ("version", "python"))

METRICS: Final = tuple(one for one in tuple(globals().values()) if isinstance(one, Metric))
"""All that are declared above, in that order."""

BY_NAME: Final = {metric.name: metric for metric in METRICS}
_SEPARATOR = "\x1f"


def split(group: bytes) -> tuple[str, tuple[str, ...]]:
    """The metric's name and the labels' values that a group of numbers is called by."""
    name, *labels = group.decode().split(_SEPARATOR)
    return name, tuple(labels)


class Meters:
    """What one process counts, in the part ``number`` of the page; make one for each, and have no other write there.

    ``numbers`` may be added to directly, at what ``at`` returns.
    """

    def __init__(self, page: Page, number: int) -> None:
        part = page.part(number)
        self.page = page
        self.numbers = part.numbers
        self._part = part
        self._series: dict[tuple[str, tuple[str, ...]], int] = {}
        self._how_many: dict[str, int] = {}
        for group, _ in part.read():
            name, _ = split(group)
            self._how_many[name] = self._how_many.get(name, 0) + 1
            if BY_NAME[name].kind == "gauge":
                self.numbers[part.group(group)] = 0.0  # of the process that had this part before

    def at(self, metric: Metric, *labels: str) -> int:
        """Where a series is: its number, or the first of a histogram's buckets, behind the last of which is its sum."""
        key = (metric.name, labels)
        found = self._series.get(key)
        if found is None:
            if len(self._series) >= MOST_SERIES * len(METRICS):
                self._series.clear()  # only ever a memory of what the part knows
            found = self._series[key] = self._group(metric, labels)
        return found

    def add(self, metric: Metric, *labels: str, by: float = 1.0) -> None:
        """Count up."""
        self.numbers[self.at(metric, *labels)] += by

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        """Say how a gauge stands, or how far a counter that the system keeps has come."""
        self.numbers[self.at(metric, *labels)] = value

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        """Put one observation into its bucket."""
        at = self.at(metric, *labels)
        self.numbers[at + bisect_left(metric.bounds, value)] += 1.0
        self.numbers[at + len(metric.bounds) + 1] += value

    def _group(self, metric: Metric, labels: tuple[str, ...]) -> int:
        known = self._how_many.get(metric.name, 0)
        if known >= MOST_SERIES and labels:
            labels = (OTHER,) * len(labels)
        else:
            self._how_many[metric.name] = known + 1
        return self._part.group(_SEPARATOR.join((metric.name, *labels)).encode(), metric.numbers)
