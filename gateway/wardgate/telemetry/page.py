"""``/metrics`` on the gateway's own listener: a front-end like any other, so that a policy decides who may look."""

from __future__ import annotations

from typing import Any, Final

from wardgate.spi import http
from wardgate.spi.errors import Malformed, PermissionDenied, RateLimited, Unauthenticated, WardgateError
from wardgate.spi.frontend import ARRIVAL, Arrival, Frontend, Gateway, Receive, Scope, Send
from wardgate.spi.operations.base import Operation, Rejected
from wardgate.spi.operations.system import ReadMetrics
from wardgate.telemetry.exposition import CONTENT_TYPE

TARGET: Final = "/metrics"
NAME: Final = "metrics"
"""What this front-end is called in labels."""

_SINGLE: Final = (http.TOKEN_HEADER, b"authorization")
_STATUS: Final[dict[type[WardgateError], int]] = {
    Malformed: 400, Unauthenticated: 401, PermissionDenied: 403, RateLimited: 429,
}  # fmt: skip


class MetricsPage(Frontend):
    """Answers ``GET /metrics`` in Prometheus's text format, to a token of the root namespace that may read it."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        arrival: Arrival = scope[ARRIVAL]
        credential = None
        operation: Operation[Any] = ReadMetrics()
        try:
            headers = http.by_name(scope["headers"], _SINGLE)
            credential = http.credential(*(headers.get(name, b"").decode("latin-1") for name in _SINGLE))
        except Malformed as error:
            operation = Rejected(error=error)
        else:
            if scope["method"] not in {"GET", "HEAD"} or scope["raw_path"] != TARGET.encode():
                operation = Rejected(error=Malformed("only GET /metrics is answered here"))
        try:
            outcome = await self._gateway.perform(arrival, operation, credential=credential)
        except WardgateError as error:
            status = _STATUS.get(type(error), 503)
            text = f"{error.message} (request {arrival.id})\n".encode()
            await _send(scope, send, status, b"text/plain; charset=utf-8", text)
            return
        await _send(scope, send, 200, CONTENT_TYPE.encode(), outcome.result)


async def _send(scope: Scope, send: Send, status: int, kind: bytes, body: bytes) -> None:
    headers = [
        (b"content-type", kind),
        (b"cache-control", b"no-store"),
    ]
    if status == 401:  # noqa: PLR2004  # the one status that says how to prove oneself
        headers.append((b"www-authenticate", b"Bearer"))
    await http.answer(send, status, headers, body, head=scope["method"] == "HEAD")
