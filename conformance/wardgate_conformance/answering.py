"""HTTP servers on loopback in a store's place: one that has had enough, 429 and ``Retry-After``, and one of nobody."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

PAGE = b"<html>Sign in</html>"
"""What a portal on the way to a store says."""


class _Answering(BaseHTTPRequestHandler):
    """Answers any method, and keeps the connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together: apart, the second waits 40 ms for word that the first arrived
    status: ClassVar[int]
    headers_sent: ClassVar[Mapping[str, str]]
    body: ClassVar[bytes]

    def __getattr__(self, name: str) -> Any:
        # Looked up by method, `do_GET` and so on: stores have methods of their own, such as Vault's LIST.
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # as in the base class
        """Nothing: a request line can hold a name."""

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(self.status)
        for name, value in self.headers_sent.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, handler: type[_Answering], tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a client that hangs up is none of the test's concern."""


@contextlib.contextmanager
def answering(
    status: int, headers: Mapping[str, str], body: bytes, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[str, int]]:
    """Host and port of a server that answers everything so, until the end of the block; ``tls`` to speak it."""
    told = {"status": status, "headers_sent": headers, "body": body}
    with _Server(type("Answering", (_Answering,), told), tls) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield "127.0.0.1", server.server_address[1]
        finally:
            server.shutdown()


def throttling(
    retry_after: int,
    *,
    status: int = HTTPStatus.TOO_MANY_REQUESTS,
    body: bytes = b"{}",
    tls: ssl.SSLContext | None = None,
) -> AbstractContextManager[tuple[str, int]]:
    """A server that has had enough. ``status`` and ``body`` where a vendor says it in other words."""
    headers = {"Retry-After": str(retry_after), "Content-Type": "application/json"}
    return answering(status, headers, body, tls)


def another_server() -> AbstractContextManager[tuple[str, int]]:
    """A server that knows nothing of any store: it answers everything with status 200 and ``PAGE``."""
    return answering(HTTPStatus.OK, {"Content-Type": "text/html"}, PAGE)
