"""Metrics: merged over all processes, bounded in number, in the form that Prometheus reads."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from wardgate.context import Context
from wardgate.mounts import Mount
from wardgate.spi.errors import Unauthenticated, Unavailable, WardgateError
from wardgate.spi.frontend import Arrival, Outcome
from wardgate.spi.operations.secrets import ReadSecret
from wardgate.spi.path import Path
from wardgate.telemetry import metrics
from wardgate.telemetry.cells import Page
from wardgate.telemetry.exposition import exposition, merged
from wardgate.telemetry.metrics import METRICS, MOST_SERIES, Meters
from wardgate.telemetry.watching import Pulse, Watching

CONTEXT = Context(Arrival("id", 0, 0.0, "192.0.2.7"), ReadSecret(path=Path(("secret", "canary"))), None, "root")
MOUNT = Mount("m-1", "root", Path(("secret",)), "native", {}, None)


def samples(page: Page) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """What Prometheus would make of the page."""
    text = exposition(page).decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(page: Page, name: str, **labels: str) -> float:
    return samples(page)[name, frozenset(labels.items())]


def test_counters_and_histograms_of_all_processes_are_added() -> None:
    """However many workers count, the host shows one number."""
    page = Page(3)
    for number, seconds in enumerate((0.0004, 0.003, 100.0)):
        meters = Meters(page, number)
        meters.add(metrics.REQUESTS, "ReadSecret", "ok", "vault")
        meters.observe(metrics.REQUEST_SECONDS, seconds, "ReadSecret")
    assert 3.0 == of(page, "wardgate_requests_total", operation="ReadSecret", code="ok", frontend="vault")
    name, operation = "wardgate_request_duration_seconds", "ReadSecret"
    assert 1.0 == of(page, f"{name}_bucket", operation=operation, le="0.0005")
    assert 2.0 == of(page, f"{name}_bucket", operation=operation, le="0.005")
    assert 2.0 == of(page, f"{name}_bucket", operation=operation, le="30.0")
    assert 3.0 == of(page, f"{name}_bucket", operation=operation, le="+Inf")
    assert 3.0 == of(page, f"{name}_count", operation=operation)
    assert pytest.approx(100.0034) == of(page, f"{name}_sum", operation=operation)


def test_a_new_worker_goes_on_counting_and_forgets_the_old_one_s_gauges() -> None:
    """Counters never fall; a gauge speaks of a process, and that one is gone."""
    page = Page(1)
    before = Meters(page, 0)
    before.add(metrics.CACHE_HITS, "m-1", by=5)
    before.set(metrics.CACHE_ENTRIES, 7)
    after = Meters(page, 0)
    assert 0.0 == of(page, "wardgate_cache_entries")
    after.add(metrics.CACHE_HITS, "m-1")
    assert 6.0 == of(page, "wardgate_cache_hits_total", mount="m-1")


def test_what_has_no_labels_is_there_from_the_start() -> None:
    """An alert on it needs something to look at."""
    shown = {name for name, _ in samples(Page(1))}
    assert {"wardgate_worker_restarts_total", "wardgate_audit_retired", "wardgate_build_info"} <= shown


def test_every_metric_is_shown_with_its_help() -> None:
    """Even before it has a number."""
    text = exposition(Page(1)).decode()
    assert [] == [metric.name for metric in METRICS if f"# HELP {metric.name} {metric.help}\n" not in text]


def test_label_sets_are_bounded() -> None:
    """Whoever makes mounts without end fills one metric's own room, and is counted as others."""
    page = Page(1)
    watching = Watching(Meters(page, 0))
    for number in range(MOST_SERIES + 50):
        watching.cache(f"mount-{number}", hit=True)
    counted = merged(page)["wardgate_cache_hits_total"]
    assert MOST_SERIES + 1 == len(counted)
    assert [50.0] == counted[("other",)]
    watching.cache("mount-1", hit=False)
    assert 1.0 == of(page, "wardgate_cache_misses_total", mount="mount-1")


def ending(error: BaseException | None) -> Any:
    async def road(_context: Context) -> Outcome[Any]:
        if error is not None:
            raise error
        return Outcome(None)

    return road


class Odd(WardgateError):
    """A plugin's own error, with a code that it chose."""

    code = "secret/team/db"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, "ok"),
        (Unavailable("x"), "unavailable"),
        (asyncio.CancelledError(), "cancelled"),
        (ValueError("canary"), "internal"),
        (Odd("canary"), "internal"),
    ],
)
def test_a_request_is_counted_however_it_ends(error: BaseException | None, code: str) -> None:
    """Under its operation, a code of the closed list, and its front-end; what was raised goes on."""
    page = Page(1)
    road = Watching(Meters(page, 0)).road(ending(error), "vault")
    if error is None:
        asyncio.run(road(CONTEXT))  # type: ignore[arg-type]  # a coroutine
    else:
        with pytest.raises(type(error)):
            asyncio.run(road(CONTEXT))  # type: ignore[arg-type]  # a coroutine
    assert 1.0 == of(page, "wardgate_requests_total", operation="ReadSecret", code=code, frontend="vault")
    assert 1.0 == of(page, "wardgate_request_duration_seconds_count", operation="ReadSecret")


def test_a_credential_that_does_not_hold_is_counted() -> None:
    """By front-end, so that a wave of guesses shows."""
    page = Page(1)
    road = Watching(Meters(page, 0)).road(ending(Unauthenticated("x")), "vault")
    with pytest.raises(Unauthenticated):
        asyncio.run(road(CONTEXT))  # type: ignore[arg-type]  # a coroutine
    assert 1.0 == of(page, "wardgate_authentication_failures_total", frontend="vault")


def test_backends_and_breakers_are_counted() -> None:
    """By type and mount id; an answer passes through as it is."""
    page = Page(1)
    watching = Watching(Meters(page, 0))

    async def answer() -> str:
        return "the answer"

    assert "the answer" == asyncio.run(watching.backend(MOUNT, CONTEXT.operation, answer()))
    assert 1.0 == of(page, "wardgate_backend_calls_total", type="native", operation="ReadSecret", code="ok")
    assert 1.0 == of(page, "wardgate_backend_call_duration_seconds_count", type="native")
    watching.breaker("m-1", is_open=True)
    assert 1.0 == of(page, "wardgate_backend_breaker_open", mount="m-1")
    watching.breaker("m-1", is_open=False)
    assert 0.0 == of(page, "wardgate_backend_breaker_open", mount="m-1")


def test_the_audit_s_commits_are_counted() -> None:
    """How many records together, how long, how many were lost, and whether it is at its end."""
    page = Page(1)
    watching = Watching(Meters(page, 0))
    watching.commit(3, 0, 0.002, "")
    assert not watching.unwritten()
    watching.commit(2, 2, 0.002, "syncing failed")
    assert watching.unwritten()
    assert 5.0 == of(page, "wardgate_audit_commit_records_sum")
    assert 2.0 == of(page, "wardgate_audit_commit_duration_seconds_count")
    assert 2.0 == of(page, "wardgate_audit_unwritten_records_total")
    assert 1.0 == of(page, "wardgate_audit_retired")


def test_the_pulse_tells_of_the_process() -> None:
    """Memory, processor, start, connections, by worker."""
    page = Page(1)

    async def beat() -> None:
        pulse = Pulse(Meters(page, 0), 4, lambda: 17)
        pulse.start()
        pulse.stop()

    asyncio.run(beat())
    assert 17.0 == of(page, "wardgate_connections", worker="4")
    assert of(page, "wardgate_process_resident_memory_bytes", worker="4") > 1_000_000
    assert of(page, "wardgate_process_start_time_seconds", worker="4") > 1_700_000_000


def test_no_label_says_what_was_asked_for() -> None:
    """Of a request neither its path nor its source is in any metric."""
    page = Page(1)
    watching = Watching(Meters(page, 0))
    asyncio.run(watching.road(ending(None), "vault")(CONTEXT))  # type: ignore[arg-type]  # a coroutine
    text = exposition(page).decode()
    assert [] == [word for word in ("canary", "192.0.2.7", "root") if word in text]
