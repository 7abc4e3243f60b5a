"""Request bodies: refused early where they can be, read whole under a deadline, bounded one by one and together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, MutableMapping
from typing import Any

from wardgate.pipeline.accept.answers import Refused
from wardgate.spi.frontend import Receive

_LONGEST_NUMBER = 18


class Whole:
    """A body that has arrived, as an ASGI ``receive``: one message with all of it, then what the server says."""

    __slots__ = ("_body", "_receive", "size")

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive
        self.size = len(body)

    async def __call__(self) -> MutableMapping[str, Any]:
        """The body first; after that, waits for the client to go away."""
        if self._body is None:
            return await self._receive()
        message = {"type": "http.request", "body": self._body, "more_body": False}
        self._body = None
        return message


class Bodies:
    """All bodies this worker holds. ``largest``: bytes of one; ``total``: bytes of all; ``seconds``: to arrive in."""

    def __init__(self, largest: int, total: int, seconds: float) -> None:
        self._largest = largest
        self._free = total
        self._seconds = seconds

    async def take(self, headers: Iterable[tuple[bytes, bytes]], receive: Receive) -> Whole | None:
        """Read a whole body; give it back when its request has ended. None when the client went away.

        Raises:
            Refused: compressed, too large, too slow, or no room for it now.
        """
        self._check(headers)
        chunks: list[bytes] = []
        try:
            async with asyncio.timeout(self._seconds):
                arrived = await self._read(chunks, receive)
        except BaseException as error:
            self._free += sum(map(len, chunks))
            if isinstance(error, TimeoutError):
                raise Refused(408, "the request's body took too long to arrive") from None
            raise
        if not arrived:
            self._free += sum(map(len, chunks))
            return None
        return Whole(chunks[0] if len(chunks) == 1 else b"".join(chunks), receive)

    def give_back(self, body: Whole) -> None:
        """Its request has ended."""
        self._free += body.size

    def _check(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        for name, value in headers:
            if name == b"content-encoding" and value.lower() not in {b"", b"identity"}:
                raise Refused(415, "a compressed request body is not accepted; send it without Content-Encoding")
            if name == b"content-length":
                if not value.isdigit() or len(value) > _LONGEST_NUMBER:
                    raise Refused(400, "Content-Length is not a number")
                if int(value) > self._largest:
                    raise self._too_large()

    async def _read(self, chunks: list[bytes], receive: Receive) -> bool:
        size = 0
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return False
            chunk: bytes = message.get("body", b"")
            size += len(chunk)
            if size > self._largest:
                raise self._too_large()
            if len(chunk) > self._free:
                raise Refused(429, "too many request bodies at one time; try again later")
            self._free -= len(chunk)
            chunks.append(chunk)
            if not message.get("more_body", False):
                return True

    def _too_large(self) -> Refused:
        return Refused(413, f"the request's body is larger than {self._largest} bytes")
