"""A real server on a real socket that answers as a test tells it to, or not at all."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Behaviour = Callable[[socket.socket], None]


class SocketServer:
    """Takes one request a connection, keeps it in ``requests``, then lets ``behaviour`` do with the connection.

    Until it is told otherwise it hangs: the request is read and never answered.
    """

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.behaviour: Behaviour = _hang
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connections: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def answers(self, status: int, body: bytes = b"{}", **headers: str) -> None:
        """From now on answer every request so."""
        fields = {"Content-Type": "application/json", "Connection": "close", **headers}
        head = [f"HTTP/1.1 {status} Word", f"Content-Length: {len(body)}", *(f"{k}: {v}" for k, v in fields.items())]

        def answer(connection: socket.socket) -> None:
            with contextlib.suppress(OSError):  # who had enough hangs up
                connection.sendall("\r\n".join([*head, "", ""]).replace("_", "-").encode() + body)
            connection.close()

        self.behaviour = answer

    def breaks(self) -> None:
        """From now on read every request and close the connection."""
        self.behaviour = socket.socket.close

    def close(self) -> None:
        """Stop, and let go of the connections that hang."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        for connection in self._connections:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            self.requests.append(_request(connection))
            self.behaviour(connection)


@contextmanager
def listening() -> Iterator[SocketServer]:
    """A server until the end of the block."""
    server = SocketServer()
    try:
        yield server
    finally:
        server.close()


def _hang(_: socket.socket) -> None:
    return


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data and (more := connection.recv(65_536)):
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    wanted = int(lengths[0].split(b":")[1]) if lengths else 0
    while len(body) < wanted and (more := connection.recv(65_536)):
        body += more
    return head + b"\r\n\r\n" + body
