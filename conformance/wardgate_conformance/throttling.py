"""HTTP servers on loopback in a store's place: one that has had enough, 429 and ``Retry-After``, and one of nobody."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

PAGE = b"<html>Sign in</html>"
"""What a portal on the way to a store says."""


class _Refusing(BaseHTTPRequestHandler):
    """Answers any method, and keeps the connection."""

    protocol_version = "HTTP/1.1"
    retry_after: ClassVar[int]
    status: ClassVar[int]
    body: ClassVar[bytes]

    def __getattr__(self, name: str) -> Any:
        # Looked up by method, `do_GET` and so on: stores have methods of their own, such as Vault's LIST.
        if name.startswith("do_"):
            return self._refuse
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # as in the base class
        """Nothing: a request line can hold a name."""

    def _refuse(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(self.status)
        self.send_header("Retry-After", str(self.retry_after))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, handler: type[_Refusing], tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a client that hangs up is none of the test's concern."""


@contextlib.contextmanager
def throttling(
    retry_after: int,
    *,
    status: int = HTTPStatus.TOO_MANY_REQUESTS,
    body: bytes = b"{}",
    tls: ssl.SSLContext | None = None,
) -> Iterator[tuple[str, int]]:
    """Host and port of such a server until the end of the block.

    ``status`` and ``body`` where a vendor says it in other words (the header goes with them); ``tls`` to speak it.
    """
    told = {"retry_after": retry_after, "status": status, "body": body}
    with _Server(type("Refusing", (_Refusing,), told), tls) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield "127.0.0.1", server.server_address[1]
        finally:
            server.shutdown()


def another_server() -> contextlib.AbstractContextManager[tuple[str, int]]:
    """Host and port of a server that knows nothing of any store: with status 200 and ``PAGE`` it answers everything."""
    return throttling(0, status=HTTPStatus.OK, body=PAGE)
