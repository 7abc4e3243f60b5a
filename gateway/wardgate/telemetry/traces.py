"""Traces: a span for each request and for each call of a backend, sent to a collector in batches, beside the road.

Only this module knows OpenTelemetry, and it is imported only where ``[traces]`` names a collector. A collector that is
slow, broken or gone costs spans, never a request: they wait in a bounded queue that a thread of its own empties.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Awaitable, Sequence
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from opentelemetry.context import Context as Parents
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from wardgate import __version__
from wardgate.config import Traces as Settings
from wardgate.context import Context
from wardgate.mounts import Mount
from wardgate.pipeline import Handler
from wardgate.spi.frontend import Outcome, Receive, Scope, Send
from wardgate.spi.operations.base import Operation
from wardgate.telemetry import metrics
from wardgate.telemetry.codes import FAULTS, OK, code_of
from wardgate.telemetry.metrics import Meters

R = TypeVar("R")

MOST_CALLS: Final = 32
"""Backend calls of one request that have a span; a batch can make a thousand."""

EXPORT_SECONDS: Final = 5.0
"""How long one batch may take to the collector, its repetitions included."""

LAST_SECONDS: Final = 2.0
"""How long a worker that ends waits for its last spans to leave."""

OPERATION: Final = "wardgate.operation"
ACTION: Final = "wardgate.action"
CODE: Final = "wardgate.code"
MOUNT_TYPE: Final = "wardgate.mount.type"
REQUEST: Final = "wardgate.request"
CALLS: Final = "wardgate.backend_calls"
ATTRIBUTES: Final = (OPERATION, ACTION, CODE, MOUNT_TYPE, REQUEST, CALLS)

_log = logging.getLogger(__name__)
_read_parent = TraceContextTextMapPropagator().extract


class _Traced:
    """One request that is traced."""

    __slots__ = ("calls", "parents", "span")

    def __init__(self, span: Span) -> None:
        self.span = span
        self.parents = set_span_in_context(span)
        self.calls = 0


_current: ContextVar[_Traced | None] = ContextVar("traced", default=None)


class Tracing:
    """The traces of one worker; make it after the fork.

    Args:
        settings: with an endpoint.
        instance: tells this worker's run from others; any text.
        meters: where spans that left, and those that could not, are counted.
    """

    def __init__(self, settings: Settings, instance: str, meters: Meters) -> None:
        # What it says of a collector's answer is not ours to log; the exporter below says what matters.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)
        exporter = OTLPSpanExporter(
            endpoint=settings.endpoint, certificate_file=settings.ca_file, timeout=EXPORT_SECONDS
        )
        sampler = TraceIdRatioBased(settings.ratio)
        self._provider = TracerProvider(
            sampler=ParentBased(sampler, remote_parent_sampled=sampler, remote_parent_not_sampled=ALWAYS_OFF),
            resource=Resource(
                {"service.name": "wardgate", "service.version": __version__, "service.instance.id": instance}
            ),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(Counted(exporter, meters)))
        self._start = self._provider.get_tracer("wardgate", __version__).start_span

    def requests(self, app: Any) -> Any:
        """The ASGI application with a server span around each request."""

        async def traced(scope: Scope, receive: Receive, send: Send) -> None:
            span = self._start("request", context=_parent(scope), kind=SpanKind.SERVER)
            if not span.is_recording():
                await app(scope, receive, send)
                return
            request = _Traced(span)
            token = _current.set(request)
            try:
                await app(scope, receive, send)
            finally:
                _current.reset(token)
                if request.calls:
                    span.set_attribute(CALLS, request.calls)
                span.end()

        return traced

    def road(self, road: Handler) -> Handler:
        """The road, on which a request's span learns what the request is."""

        async def named(context: Context) -> Outcome[Any]:
            request = _current.get()
            if request is None:
                return await road(context)
            span, operation = request.span, context.operation
            span.update_name(operation.name())
            span.set_attributes(
                {OPERATION: operation.name(), ACTION: operation.action.value, REQUEST: context.arrival.id}
            )
            if context.mount is not None:
                span.set_attribute(MOUNT_TYPE, context.mount.type)
            return await _ended(span, road(context), close=False)

        return named

    def backend(self, mount: Mount, operation: Operation[Any], answer: Awaitable[R]) -> Awaitable[R]:
        """The backend's answer, with a span around the wait for it."""
        request = _current.get()
        if request is None:
            return answer
        request.calls += 1
        if request.calls > MOST_CALLS:
            return answer
        span = self._start(
            f"{mount.type} {operation.name()}",
            context=request.parents,
            kind=SpanKind.INTERNAL if mount.embedded else SpanKind.CLIENT,
            attributes={OPERATION: operation.name(), ACTION: operation.action.value, MOUNT_TYPE: mount.type},
        )
        return _ended(span, answer, close=True)

    async def close(self) -> None:
        """Let the last spans leave, for ``LAST_SECONDS`` at most."""
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def shut_down() -> None:
            self._provider.shutdown()
            with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
                loop.call_soon_threadsafe(done.set)

        # A daemon, because a collector that hangs must not keep the process from ending.
        threading.Thread(target=shut_down, name="traces-end", daemon=True).start()
        try:
            await asyncio.wait_for(done.wait(), LAST_SECONDS)
        except TimeoutError:
            _log.warning("the last spans did not leave in time", extra={"event": "traces_failing"})


class Counted(SpanExporter):
    """An exporter that never raises, counts, and logs when the collector begins to fail and when it is back."""

    def __init__(self, exporter: SpanExporter, meters: Meters) -> None:
        self._exporter = exporter
        self._meters = meters
        self._failing = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send one batch; in the processor's own thread."""
        try:
            result = self._exporter.export(spans)
        except Exception:  # noqa: BLE001  # whatever it is, it costs these spans and nothing else
            result = SpanExportResult.FAILURE
        failed = result is not SpanExportResult.SUCCESS
        self._meters.add(metrics.SPANS, "lost" if failed else "sent", by=len(spans))
        if failed and not self._failing:
            _log.warning("spans do not reach the collector; they are lost", extra={"event": "traces_failing"})
        elif self._failing and not failed:
            _log.info("spans reach the collector again", extra={"event": "traces_sent"})
        self._failing = failed
        return result

    def shutdown(self) -> None:
        """End."""
        self._exporter.shutdown()


async def _ended(span: Span, answer: Awaitable[R], *, close: bool) -> R:
    """Await the answer and say on the span how it ended."""
    code = OK
    try:
        return await answer
    except BaseException as error:
        code = code_of(error)
        raise
    finally:
        span.set_attribute(CODE, code)
        if code in FAULTS:
            span.set_status(Status(StatusCode.ERROR))
        if close:
            span.end()


def _parent(scope: Scope) -> Parents:
    """The caller's span, where it names one; nothing else is taken from it."""
    found = [value for name, value in scope["headers"] if name == b"traceparent"]
    carrier = {"traceparent": found[0].decode("latin-1")} if len(found) == 1 else {}
    return _read_parent(carrier, context=Parents())
