"""HTTP on one connection: uvicorn's httptools protocol, fed one whole head at a time.

The connection finds the end of each head itself, so it knows where a request begins and how long it is before the
parser sees it. That gives, with one parser and so with one reading of every byte: bounds and deadlines, verbs the
parser does not know, and no second request inside a first one. One request is under way at a time; what a client
sends ahead waits unread.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import unquote

import httptools
from uvicorn.config import Config as UvicornConfig
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from wardgate.config import Limits
from wardgate.pipeline.accept import PEER_CERTIFICATE
from wardgate.server.answer import error_answer
from wardgate.server.exchange import Exchange
from wardgate.server.head import CHUNKED, BadRequest, body_length, request_line, too_large, without_upgrade

if TYPE_CHECKING:
    from uvicorn._types import HTTPScope

VERBS: Final = {b"LIST": "LIST", b"SCAN": "SCAN"}
"""Verbs the parser does not know. It is shown LINK, of the same length, and the application gets the true one."""

_LINGER_SECONDS = 1.0
_GRACE_SECONDS = 0.3
_CHUNKED_WIRE = 8  # a body in chunks of one byte takes six times its size


class _NotHttp(BadRequest):
    def __init__(self) -> None:
        super().__init__(400, "the request is not valid HTTP")


class _Upgrade(BadRequest):
    def __init__(self) -> None:
        super().__init__(400, "the connection stays HTTP/1.1, and CONNECT is not served here")


class Connection(HttpToolsProtocol):
    """One client's connection. See the module's docstring for what it adds to its base."""

    def __init__(
        self,
        config: UvicornConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: Limits,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.parser = httptools.HttpRequestParser(self)  # without the base's leniency
        self._limits = limits
        self._certificate: bytes | None = None
        self._inbox = b""  # bytes that came and are not read yet
        self._left = 0  # bytes of the present body that are still to come, or CHUNKED
        self._body_bytes = self._wire_bytes = 0
        self._verb: str | None = None
        self._target = self._version = b""
        self._framed = True  # the head is whole; headers that come later are trailers
        self._refused = False  # answered and closing: all that comes is thrown away
        self._last = False  # the server stops: no request after this one
        self._fault: BadRequest | None = None
        self._deadline = self._alarm_at = 0.0
        self._alarm: asyncio.TimerHandle | None = None

    # What the transport calls

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the base has it
        """A client connected, and its handshake is done."""
        super().connection_made(transport)
        if self.client is None:  # reset before it was taken: nobody is there, and nobody could be named
            transport.abort()
            return
        self._facts = {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "root_path": "",
        }
        if len(self.connections) > self._limits.connections:
            transport.abort()
            return
        tls = transport.get_extra_info("ssl_object")
        if tls is not None:
            self._certificate = tls.getpeercert(binary_form=True)
        self._allow(self._limits.idle_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone, or was closed: what it asked for ends."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._inbox = b""
        self._refused = True
        super().connection_lost(exc)
        if self.cycle is not None and not self.cycle.response_complete:
            self._task.cancel()  # nobody waits for the answer; a change that has begun goes on without it

    def data_received(self, data: bytes) -> None:
        """Some bytes came."""
        if self._refused:
            return
        if self._inbox:
            self._inbox += data
        else:
            self._inbox = data
        self._advance()

    # Reading

    def _advance(self) -> None:
        """Read as far as the bytes reach, but no further than one request that is not answered."""
        while self._inbox and not self._refused:
            try:
                if self._left:
                    self._read_body()
                elif self.cycle is not None and not self.cycle.response_complete:
                    self.flow.pause_reading()
                    return
                elif not self._read_head():
                    return
            except BadRequest as bad:
                self._refuse(bad)

    def _read_head(self) -> bool:
        """Read one head; False while it is not whole."""
        inbox = self._inbox
        if inbox[0] in b"\r\n":  # some clients end a body with an empty line
            inbox = self._inbox = inbox.lstrip(b"\r\n")
            if not inbox:
                return False
        end = inbox.find(b"\r\n\r\n") + 4
        whole = end >= 4  # noqa: PLR2004  # found: not at -1
        if (end if whole else len(inbox)) > self._limits.header_bytes:
            raise BadRequest(431, f"the request's headers are larger than {self._limits.header_bytes} bytes")
        if not whole:
            if self._framed:  # its first bytes
                self._framed = False
                self._allow(self._limits.header_seconds)
            return False
        self._inbox = inbox[end:]
        self._feed_head(inbox[:end])
        return True

    def _feed_head(self, head: bytes) -> None:
        verb, self._target, self._version = request_line(head)
        self._verb = VERBS.get(verb)
        if self._verb:
            head = b"LINK" + head[4:]
        self._framed = False
        self._left = self._body_bytes = self._wire_bytes = 0
        try:
            self._feed(head)
        except _Upgrade:
            self.parser = httptools.HttpRequestParser(self)
            self._feed(without_upgrade(head))
        if not self._framed:
            raise _NotHttp
        self._allow(self._limits.body_seconds if self._left else self._limits.answer_seconds)

    def _read_body(self) -> None:
        chunked = self._left == CHUNKED
        size = len(self._inbox) if chunked else min(self._left, len(self._inbox))
        data, self._inbox = self._inbox[:size], self._inbox[size:]
        if not chunked:
            self._left -= size
            self._feed(data)
        else:
            self._read_chunks(data)
        if not self._left:
            self._allow(self._limits.idle_seconds if self.cycle.response_complete else self._limits.answer_seconds)

    def _read_chunks(self, data: bytes) -> None:
        self._wire_bytes += len(data)
        try:
            self._feed(data)
        except BadRequest:
            if self._left:
                raise
            # The body ended inside these bytes, and where is not told: what follows it cannot be read safely.
            self._hang_up_after_answer()
            return
        if self._left and self._wire_bytes > _CHUNKED_WIRE * self._body_bytes + self._limits.header_bytes:
            raise BadRequest(400, "the request's chunks are mostly not body")

    def _feed(self, data: bytes) -> None:
        self._fault = None
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            raise self._fault or _NotHttp from None

    # What the parser calls. What these raise stops the parser.

    def on_message_begin(self) -> None:
        """A request begins."""
        if self._framed:
            raise _NotHttp
        self.url = b""
        self.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header came, or a trailer: those are refused, since what they say has been decided by then."""
        if self._framed:
            self._stop(BadRequest(400, "trailers after a chunked body are not accepted"))
        self.headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """The head is whole: check it and start the application."""
        if self.parser.should_upgrade():
            self._stop(_Upgrade())
        if self.url != self._target:
            self._stop(_NotHttp())
        try:
            self._left = body_length(self._version, self.headers, self._limits)
        except BadRequest as bad:
            self._stop(bad)
        self._framed = True
        self._begin()

    def _begin(self) -> None:
        """Start the application."""
        path, _, query = self._target.partition(b"?")
        scope: dict[str, Any] = {
            **self._facts,
            "http_version": self._version[-3:].decode(),
            "method": self._verb or self.parser.get_method().decode(),
            "path": unquote(path.decode()) if b"%" in path else path.decode(),
            "raw_path": path,
            "query_string": query,
            "headers": self.headers,
            "state": self.app_state.copy(),
        }
        if self._certificate is not None:
            scope[PEER_CERTIFICATE] = self._certificate
        self.scope = cast("HTTPScope", scope)
        self.cycle = Exchange(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=[],
            message_event=asyncio.Event(),
            expect_100_continue=(b"expect", b"100-continue") in self.headers,
            keep_alive=not self._last and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        self._task = task = self.loop.create_task(self.cycle.run_asgi(self.app))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def on_body(self, body: bytes) -> None:
        """A part of the body came."""
        self._body_bytes += len(body)
        if self._body_bytes > self._limits.body_bytes:
            self._stop(too_large(self._limits))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        if self._left == CHUNKED:
            # The parser keeps the last trailer, and would show it as a header of the next request.
            self.parser = httptools.HttpRequestParser(self)
        self._left = 0
        super().on_message_complete()

    def _stop(self, fault: BadRequest) -> None:
        self._fault = fault
        raise fault

    # Answering

    def on_response_complete(self) -> None:
        """An answer was written whole."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if not self._left:
            self._allow(self._limits.idle_seconds)
        if self._inbox:
            self._advance()

    def shutdown(self) -> None:
        """The server stops: close after the answer, or soon; a request may be on its way already."""
        self._last = True
        if self.cycle is None or self.cycle.response_complete:
            self._allow(_GRACE_SECONDS)
        else:
            self.cycle.keep_alive = False

    def _hang_up_after_answer(self) -> None:
        self._refused = True
        self._inbox = b""
        if self.cycle.response_complete:
            self.transport.close()
        else:
            self.cycle.keep_alive = False

    def _refuse(self, bad: BadRequest) -> None:
        """Answer with an error and hang up; a request whose body was being read learns that its client is gone."""
        self._refused = True
        self._inbox = b""
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.waiting_for_100_continue = False  # nothing may follow the refusal
            cycle.message_event.set()
            if cycle.response_started:
                self.transport.abort()
                return
        if self.transport.is_closing():
            return
        self.transport.write(error_answer(bad.status, bad.sentence))
        if not self.transport.can_write_eof():
            self.transport.close()
            return
        # Closing with bytes unread would reset the connection, and the client might never see the answer.
        self.transport.write_eof()
        self.flow.resume_reading()
        self._allow(_LINGER_SECONDS)

    # Time: one timer a connection, moved only when it would ring too late.

    def _allow(self, seconds: float) -> None:
        """From now, the connection may stay as it is for so long."""
        now = self.loop.time()
        self._deadline = now + seconds
        if self._alarm is None or self._deadline < self._alarm_at:
            self._set_alarm()

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = self._deadline
        self._alarm = self.loop.call_at(self._deadline, self._rung)

    def _rung(self) -> None:
        self._alarm = None
        if self.loop.time() < self._deadline:
            self._set_alarm()
        elif self._refused or self.transport.is_closing():
            self.transport.abort()
        elif self._left and not self.cycle.response_complete:
            self._refuse(BadRequest(408, "the request's body took too long to arrive"))
        elif self._inbox and not self._framed:
            self._refuse(BadRequest(408, "the request's headers took too long to arrive"))
        else:
            self.transport.abort()
