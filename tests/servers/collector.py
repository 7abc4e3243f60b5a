"""A collector of traces on this machine: takes OTLP over HTTP, and keeps what it was sent."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass
class Collector:
    """What was received so far. ``status`` is what it answers."""

    url: str = ""
    status: int = 200
    bodies: list[bytes] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)

    def spans(self) -> list[Any]:
        """Every span, in the order in which they ended within a worker."""
        found = []
        for body in self.bodies:
            request = ExportTraceServiceRequest()
            request.ParseFromString(body)
            found += [span for one in request.resource_spans for scope in one.scope_spans for span in scope.spans]
        return found

    @staticmethod
    def attributes(span: Any) -> dict[str, Any]:
        """A span's attributes as a mapping."""
        return {
            one.key: one.value.int_value if one.value.HasField("int_value") else one.value.string_value
            for one in span.attributes
        }


@contextlib.contextmanager
def collector() -> Iterator[Collector]:
    """A collector on a free port of the loopback, stopped at the end."""
    kept = Collector()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.bodies.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            kept.headers.append(str(self.headers))
            self.send_response(kept.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        kept.url = f"http://127.0.0.1:{server.server_port}/v1/traces"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield kept
        finally:
            server.shutdown()
            thread.join()
