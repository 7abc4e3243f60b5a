"""How an answer leaves: in one write where it can, and an error of the server's own as bytes."""

from __future__ import annotations

import asyncio

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE


class Joined:
    """What an answer writes to instead of the transport: its head waits for the first part of its body.

    uvicorn writes them apart, and uvloop sends each write at once: two system calls and two packets for every answer.
    """

    __slots__ = ("_expecting", "_head", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._expecting = False
        self._head = b""

    def expect(self) -> None:
        """A new answer begins: what is written next is its head."""
        self._expecting = True

    def write(self, data: bytes) -> None:
        """Hold a head, or write a part of a body with the head before it."""
        if self._expecting:
            if not data.startswith(b"HTTP/1.1 100 "):
                self._expecting = False
                self._head = data
                return
        elif self._head:
            data = self._head + data
            self._head = b""
        self._transport.write(data)

    def flush(self) -> None:
        """The answer has ended: a head without a body leaves now."""
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)

    def close(self) -> None:
        """Send what is held, then close."""
        self.flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether the transport is."""
        return self._transport.is_closing()


def error_answer(status: int, sentence: str) -> bytes:
    """A whole answer that closes its connection, as bytes."""
    body = msgspec.json.encode({"errors": [sentence]})
    return b"".join(
        (
            STATUS_LINE[status],
            b"content-type: application/json\r\ncache-control: no-store\r\nconnection: close\r\ncontent-length: ",
            str(len(body)).encode(),
            b"\r\n\r\n",
            body,
        )
    )
