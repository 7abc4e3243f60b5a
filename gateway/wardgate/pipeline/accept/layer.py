"""The layer itself: every HTTP request gets its Arrival or a refusal."""

from __future__ import annotations

from typing import Any, Final

from wardgate.config import Limits
from wardgate.pipeline.accept.answers import Refused, fail, refuse
from wardgate.pipeline.accept.body import Bodies
from wardgate.pipeline.accept.ids import RequestIds
from wardgate.pipeline.accept.sources import Sources
from wardgate.spi.frontend import ARRIVAL, Arrival, Receive, Scope, Send
from wardgate.spi.services import Clock

PEER_CERTIFICATE: Final = "wardgate.peer_certificate"
"""Key in the ASGI scope under which the server leaves the client's certificate: DER, verified."""

_BODY_HEADERS = frozenset({b"content-length", b"transfer-encoding", b"content-encoding"})


class Accept:
    """Wraps the application. One for each worker: it counts what this worker holds."""

    def __init__(self, app: Any, limits: Limits, clock: Clock) -> None:
        self._app = app
        self._clock = clock
        self._seconds = limits.request_seconds
        self._bodies = Bodies(limits.body_bytes, limits.bodies_bytes, limits.body_seconds)
        self._sources = Sources(limits.source_requests, limits.source_rate)
        self._fresh_id = RequestIds().fresh

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or let the lifespan pass; every other scope is refused."""
        if scope["type"] != "http":
            await self._other(scope, receive, send)
            return
        client = scope.get("client")
        source = client[0] if client else ""
        now = self._clock.monotonic()
        if not self._sources.enter(source, now):
            await refuse(send, Refused(429, "too many requests from this address; try again later"))
            return
        try:
            scope[ARRIVAL] = Arrival(
                self._fresh_id(), self._clock.now(), now + self._seconds, source, scope.get(PEER_CERTIFICATE)
            )
            for name, _ in scope["headers"]:
                if name in _BODY_HEADERS:
                    await self._with_body(scope, receive, send)
                    return
            await self._app(scope, receive, send)
        except Refused as refused:
            await refuse(send, refused)
        except Exception as error:  # noqa: BLE001  # the last place that can answer; a defect must not stop the worker
            await fail(send, error, scope[ARRIVAL].id)
        finally:
            self._sources.leave(source)

    async def _with_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await self._bodies.take(scope["headers"], receive)
        if body is None:
            return  # the client went away before its request was whole
        try:
            await self._app(scope, body, send)
        finally:
            self._bodies.give_back(body)

    async def _other(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1003, "reason": "WebSockets are not served here"})
