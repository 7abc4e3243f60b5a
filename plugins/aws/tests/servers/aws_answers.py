"""An endpoint that answers as AWS does, in whatever way a test says: for failures that no emulator has."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What is sent back; without a status the connection is closed instead."""

    status: int | None = 200
    body: Mapping[str, Any] | bytes = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


LOST = Answer(None)
"""The request was read, and nothing comes."""


def refused(code: str, words: str = "", status: int = 400, retry_after: str | None = None) -> Answer:
    """An error in AWS's words."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return Answer(status, {"__type": code, "message": words}, headers)


class Endpoint:
    """Asks ``answer`` what to say to an action, such as ``GetParameter``, with its parameters; keeps what was asked."""

    def __init__(self, port: int, answer: Callable[[str, dict[str, Any]], Answer]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.answer = answer
        self.asked: list[str] = []
        self.signed: list[str] = []
        """The signature's header of each request."""


@contextlib.contextmanager
def answering(answer: Callable[[str, dict[str, Any]], Answer]) -> Iterator[Endpoint]:
    """Such an endpoint, until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body leave together: apart, the second waits 40 ms for word that the first arrived

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # as in the base class
            """Nothing."""

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            action = self.headers["X-Amz-Target"].rpartition(".")[2]
            endpoint.asked.append(action)
            endpoint.signed.append(self.headers["Authorization"])
            told = endpoint.answer(action, body)
            if told.status is None:
                self.close_connection = True
                return
            data = told.body if isinstance(told.body, bytes) else json.dumps(told.body).encode()
            self.send_response(told.status)
            for name, text in told.headers.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        endpoint = Endpoint(server.server_address[1], answer)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield endpoint
        finally:
            server.shutdown()
