"""One request and its answer on a connection: uvicorn's cycle with a shorter way to send."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope

REMEMBERED: Final = 1_024
"""Heads that are kept once they were checked and joined: most answers begin alike but for their length."""

_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(rb"[\t -~\x80-\xff]*")
_BODILESS: Final = frozenset({204, 304})


class _Head(NamedTuple):
    """An answer's head without its last empty line. ``length`` of the body, None where it is not told."""

    block: bytes
    length: int | None
    closes: bool


_heads: dict[tuple[int, tuple[tuple[bytes, bytes], ...]], _Head] = {}


class Exchange(RequestResponseCycle):
    """Sends an answer's head together with the first part of its body: one system call and one packet, not two.

    The head is held until then. What an application sends out of turn raises RuntimeError, and ends the connection.
    """

    _held = b""
    _left: int | None = 0
    """Bytes of the body that are still to come; None: it leaves in chunks, or until the connection closes."""
    _chunked = False

    async def run_asgi(self, app: ASGI3Application) -> None:
        """Run the application to its end, or until it is cancelled because its client has gone."""
        await super().run_asgi(partial(self._run, app))

    async def _run(
        self, app: ASGI3Application, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        try:
            await app(scope, receive, send)
        except asyncio.CancelledError:
            if not self.disconnected:  # the server ends
                raise

    async def send(self, message: Any) -> None:
        """Send a part of the answer (ASGI 3)."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if self.response_complete:
            raise RuntimeError("the answer was complete already")
        kind = message["type"]
        if not self.response_started:
            if kind != "http.response.start":
                raise RuntimeError("an answer must begin with its head")
            self._begin(message)
        elif kind == "http.response.body":
            self._go_on(message.get("body", b""), more=message.get("more_body", False))
        else:
            raise RuntimeError("an answer's head was followed by something else than its body")

    def _begin(self, message: Mapping[str, Any]) -> None:
        status: int = message["status"]
        headers = tuple(message.get("headers", ()))
        head = _heads.get((status, headers)) or _read(status, headers)
        self.response_started = True
        self.waiting_for_100_continue = False
        block = head.block
        if head.closes:
            self.keep_alive = False
        elif not self.keep_alive:
            block += b"connection: close\r\n"
        self._left = head.length
        if self.scope["method"] == "HEAD" or status in _BODILESS:
            self._left = 0
        elif head.length is None:
            self._chunked = self.scope["http_version"] == "1.1"
            if self._chunked:
                block += b"transfer-encoding: chunked\r\n"
            else:
                self.keep_alive = False
        self._held = block + b"\r\n"

    def _go_on(self, body: bytes, *, more: bool) -> None:
        if self.scope["method"] == "HEAD":
            body = b""
        if self._left is not None:
            self._left -= len(body)
            if self._left < 0 or (self._left and not more):
                raise RuntimeError("the answer's body is not as long as its head says")
        elif self._chunked:
            body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + (b"" if more else b"0\r\n\r\n")
        held, self._held = self._held, b""
        self.transport.write(held + body if held else body)
        if not more:
            self.response_complete = True
            self.message_event.set()
            if not self.keep_alive:
                self.transport.close()
            self.on_response()


def _read(status: int, headers: Iterable[tuple[bytes, bytes]]) -> _Head:
    """Check and join the headers of an answer. Raises RuntimeError when one could be read as two."""
    given = tuple((bytes(name), bytes(value)) for name, value in headers)
    named = {name.lower(): value for name, value in given}
    for name, value in given:
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise RuntimeError("a header of the answer holds what no header can")
    if b"transfer-encoding" in named:
        raise RuntimeError("how an answer is framed is the server's affair")
    lines = b"".join(b"%b: %b\r\n" % (name.lower(), value) for name, value in given)
    length = named.get(b"content-length")
    head = _Head(
        STATUS_LINE[status] + lines,
        None if length is None else int(length),
        b"close" in named.get(b"connection", b"").lower(),
    )
    if len(_heads) >= REMEMBERED:
        _heads.clear()
    _heads[status, given] = head
    return head
