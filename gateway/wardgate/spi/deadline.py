"""Bounds of one request to a store that may mean harm: a total time, the bytes on the wire, and an end from outside.

A timeout of a socket starts anew with each byte that trickles in; this one does not. For libraries that stand on the
standard library's ``http.client``, as urllib3 does.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

from wardgate.spi.services import Clock

SENT_AT_ONCE = 16_384
"""Bytes between two looks at the time while a request is sent."""
_here = threading.local()


class Deadline:
    """One request's: ``timeout`` for each wait, ``total`` for all of it (seconds)."""

    def __init__(self, clock: Clock, *, timeout: float, total: float) -> None:
        self._clock = clock
        self._timeout = timeout
        self._total = total
        self._at = clock.monotonic() + total
        self._cut = False
        self._socket: socket.socket | None = None
        self._room = 0

    @property
    def over(self) -> bool:
        """Whether nothing more may be waited for."""
        return self._left() <= 0

    def restart(self) -> None:
        """Count the total from now on: what came before was not the store's. What is cut stays so."""
        self._at = self._clock.monotonic() + self._total

    def apart(self) -> Deadline:
        """One that ends when this one does, and is not cut with it."""
        other = Deadline(self._clock, timeout=self._timeout, total=self._total)
        other._at = self._at  # one of us
        return other

    def cut(self) -> None:
        """End it now, from any thread: what waits is woken, what follows fails."""
        self._cut = True
        waits = self._socket
        if waits is not None:
            with contextlib.suppress(OSError):
                # Not the TLS socket's own: that would go on in plain.
                socket.socket.shutdown(waits, socket.SHUT_RDWR)

    def allow(self, room: int) -> None:
        """Let so many bytes of the wire come from here on."""
        self._room = room

    def before(self, connection: socket.socket) -> None:
        """Called before each wait. Raises TimeoutError."""
        # Noted first: a cut from here on finds the socket, an earlier one shows in the time.
        self._socket = connection
        left = self._left()
        if left <= 0:
            raise TimeoutError("the request's time is over")
        connection.settimeout(min(self._timeout, left))

    def came(self, size: int) -> None:
        """Count what was read. Raises OSError past what is allowed."""
        self._room -= size
        if self._room < 0:
            raise OSError("more than is read")

    def _left(self) -> float:
        return float("-inf") if self._cut else self._at - self._clock.monotonic()


def current() -> Deadline:
    """The deadline of this thread's request."""
    deadline: Deadline = _here.deadline
    return deadline


@contextmanager
def within(deadline: Deadline) -> Iterator[None]:
    """What is asked in this block by this thread is asked under ``deadline``, and then under the one before again."""
    before = getattr(_here, "deadline", None)
    _here.deadline = deadline
    try:
        yield
    finally:
        _here.deadline = before


class Deadlines:
    """Those of a mount's requests under way; each has the same time (seconds, as :class:`Deadline` has them)."""

    def __init__(self, clock: Clock, *, timeout: float, total: float) -> None:
        self._clock = clock
        self._timeout = timeout
        self._total = total
        self._each: WeakSet[Deadline] = WeakSet()  # each lives as long as its request

    @contextmanager
    def one(self) -> Iterator[Deadline]:
        """That of a request which is waited for in this block: a caller who goes away takes it along."""
        deadline = Deadline(self._clock, timeout=self._timeout, total=self._total)
        self._each.add(deadline)
        try:
            yield deadline
        except asyncio.CancelledError:
            deadline.cut()  # nobody waits any more
            raise

    @contextmanager
    def apart(self) -> Iterator[None]:
        """What this thread asks in this block is the mount's own affair, not its caller's: only :meth:`cut` ends it."""
        deadline = current().apart()
        self._each.add(deadline)
        with within(deadline):
            yield

    def cut(self) -> None:
        """End all, and what is under way apart."""
        for deadline in list(self._each):
            deadline.cut()


class _Wire(io.RawIOBase):
    """The bytes of a connection, each wait for them under the deadline."""

    def __init__(self, raw: io.RawIOBase, connection: socket.socket) -> None:
        self._raw = raw
        self._connection = connection
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        deadline = current()
        deadline.before(self._connection)
        size: int | None = self._raw.readinto(buffer)
        deadline.came(size or 0)
        self.ended = not size
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **named: Any) -> None:
        super().__init__(sock, *args, **named)
        fp: Any = self.fp
        self._wire = _Wire(fp.detach(), sock)
        self.fp = io.BufferedReader(self._wire)

    def begin(self) -> None:
        """Read the head. One that was cut short is none, though its status can be read: nothing follows a 204."""
        super().begin()
        if self._wire.ended:
            raise http.client.IncompleteRead(b"")


class Bounded:
    """Mixed into a connection: its every wait stands under :func:`current`."""

    response_class: Any = _Response
    sock: Any

    def send(self, data: Any) -> None:
        """Send in pieces, each under the deadline."""
        view = memoryview(data.encode() if isinstance(data, str) else data)
        for start in range(0, len(view), SENT_AT_ONCE):
            if self.sock is not None:
                current().before(self.sock)
            super().send(view[start : start + SENT_AT_ONCE])  # type: ignore[misc]  # of the connection it is mixed into
