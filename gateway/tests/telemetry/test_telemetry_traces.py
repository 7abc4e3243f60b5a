"""Traces: the real exporter against a collector of the test's own, over a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from wardgate.config import Traces
from wardgate.context import Context
from wardgate.mounts import Mount
from wardgate.spi.errors import SecretNotFound, Unavailable, WardgateError
from wardgate.spi.frontend import Arrival, Outcome
from wardgate.spi.operations.secrets import ReadSecret
from wardgate.spi.path import Path
from wardgate.telemetry import traces
from wardgate.telemetry.cells import Page
from wardgate.telemetry.exposition import merged
from wardgate.telemetry.metrics import Meters
from wardgate.telemetry.traces import MOST_CALLS, Tracing

from tests.servers.collector import Collector, collector

MOUNT = Mount("m-1", "root", Path(("secret",)), "native", {}, None)
CONTEXT = Context(Arrival("r-1", 0, 0.0, "192.0.2.7"), ReadSecret(path=Path(("secret", "canary"))), None, "root", MOUNT)
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def receiver() -> Iterator[Collector]:
    """A collector that keeps what it is sent."""
    with collector() as running:
        yield running


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The level of the library's own logger, which the module sets for the whole process, is put back."""
    logger = logging.getLogger("opentelemetry")
    before = logger.level
    yield
    logger.setLevel(before)


class Follows:
    """One request through the traces of a worker, and their end."""

    def __init__(self, settings: Traces, page: Page) -> None:
        self.settings = settings
        self.page = page

    def request(
        self, *headers: tuple[bytes, bytes], calls: int = 1, error: WardgateError | None = None, times: int = 1
    ) -> None:
        asyncio.run(self._request(headers, calls, error, times))

    async def _request(self, headers: Any, calls: int, error: WardgateError | None, times: int) -> None:
        tracing = Tracing(self.settings, "boot-1", Meters(self.page, 0))

        async def answer() -> str:
            if error is not None:
                raise error
            return "x"

        async def innermost(_context: Context) -> Outcome[Any]:
            for _ in range(calls):
                await tracing.backend(MOUNT, CONTEXT.operation, answer())
            return Outcome(None)

        road = tracing.road(innermost)

        async def frontend(_scope: Any, _receive: Any, _send: Any) -> None:
            with contextlib.suppress(WardgateError):
                await road(CONTEXT)

        app = tracing.requests(frontend)
        for _ in range(times):
            await app({"type": "http", "headers": list(headers)}, None, None)
        await tracing.close()

    def counted(self) -> dict[tuple[str, ...], list[float]]:
        return merged(self.page)["wardgate_trace_spans_total"]


def follows(collected: Collector, **more: Any) -> Follows:
    return Follows(Traces(endpoint=collected.url, **more), Page(1))


def test_a_request_and_its_backend_call_have_a_span_each(receiver: Collector) -> None:
    """Named by operation; the call below the request; what they say is the documented list and nothing else."""
    watched = follows(receiver)
    watched.request()
    call, request = receiver.spans()
    assert ("native ReadSecret", "ReadSecret") == (call.name, request.name)
    assert (request.span_id, request.trace_id) == (call.parent_span_id, call.trace_id)
    assert {
        "wardgate.operation": "ReadSecret", "wardgate.action": "read", "wardgate.code": "ok",
        "wardgate.mount.type": "native", "wardgate.request": "r-1", "wardgate.backend_calls": 1,
    } == receiver.attributes(request)  # fmt: skip
    assert set(traces.ATTRIBUTES) == set(receiver.attributes(request))
    assert set(traces.ATTRIBUTES) > set(receiver.attributes(call))
    assert {("sent",): [2.0]} == watched.counted()


def test_the_caller_s_span_is_the_parent(receiver: Collector) -> None:
    """By W3C's header, and nothing else of it is taken."""
    follows(receiver).request((b"traceparent", f"00-{TRACE}-{PARENT}-01".encode()), (b"tracestate", b"canary=1"))
    _, request = receiver.spans()
    assert (TRACE, PARENT) == (request.trace_id.hex(), request.parent_span_id.hex())
    assert b"canary" not in b"".join(receiver.bodies)


@pytest.mark.parametrize(
    "given",
    [
        [b"", b"x"],
        [b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01"],
        [f"ff-{TRACE}-{PARENT}-01".encode()],
        [b"\xff" * 55],
        [f"00-{TRACE}-{PARENT}-01".encode(), f"00-{TRACE}-{PARENT}-01".encode()],
    ],
)
def test_a_header_that_is_not_one_begins_a_trace_of_its_own(receiver: Collector, given: list[bytes]) -> None:
    """Malformed, twice or none: the request is traced all the same."""
    follows(receiver).request(*((b"traceparent", value) for value in given))
    _, request = receiver.spans()
    assert (b"", True) == (request.parent_span_id, request.trace_id.hex() != TRACE)


@pytest.mark.parametrize(("flag", "ratio", "spans"), [("00", 1.0, 0), ("01", 0.0, 0), ("01", 1.0, 2)])
def test_a_caller_can_have_less_traced_but_never_more(receiver: Collector, flag: str, ratio: float, spans: int) -> None:
    """The configured part holds for whoever asks to be sampled."""
    follows(receiver, ratio=ratio).request((b"traceparent", f"00-{TRACE}-{PARENT}-{flag}".encode()))
    assert spans == len(receiver.spans())


def test_a_batch_has_a_bounded_number_of_spans(receiver: Collector) -> None:
    """And says how many calls there were."""
    follows(receiver).request(calls=1_000)
    *calls, request = receiver.spans()
    assert (MOST_CALLS, 1_000) == (len(calls), receiver.attributes(request)["wardgate.backend_calls"])


@pytest.mark.parametrize(("error", "status"), [(SecretNotFound("canary"), 0), (Unavailable("canary"), 2)])
def test_a_failure_is_its_code_and_never_its_text(receiver: Collector, error: WardgateError, status: int) -> None:
    """Only what is no fault of the caller marks the span as failed."""
    follows(receiver).request(error=error)
    call, request = receiver.spans()
    assert [(error.code, status)] * 2 == [
        (receiver.attributes(span)["wardgate.code"], span.status.code) for span in (call, request)
    ]
    assert b"canary" not in b"".join(receiver.bodies)


def test_a_collector_that_refuses_costs_spans_and_nothing_else(
    receiver: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    """The requests never learn of it; the loss is counted, and logged once."""
    receiver.status = 400
    watched = follows(receiver)
    watched.request(times=3)
    assert {("lost",): [6.0]} == watched.counted()
    events = [getattr(record, "event", record.name) for record in caplog.records]
    assert ["traces_failing"] == events


def test_a_collector_that_does_not_answer_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that stops waits a moment for its last spans, and then goes."""
    monkeypatch.setattr(traces, "LAST_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        Follows(Traces(endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces"), Page(1)).request()
        assert time.monotonic() - began < traces.EXPORT_SECONDS
