"""A TCP proxy that fails on demand, between a backend and its store. It knows bytes alone, no protocol.

It runs on threads of its own, so that a backend that blocks its loop is caught waiting, not deadlocked.
"""

from __future__ import annotations

import contextlib
import enum
import socket
import struct
import threading
from collections.abc import Callable

CHUNK = 65_536
TORN_AFTER = 20
CUT_FROM_END = 2
TRICKLE = 32


class Fault(enum.Enum):
    """What goes wrong, from the next connection or answer on.

    An answer is ``LOST`` whole, ``TORN`` after its first bytes, or ``CUT`` before its last ones. Where the store is
    ``SILENT`` it gets what is asked, the end of a connection too, and nothing is heard of it.
    """

    NONE = "none"
    REFUSED = "refused"
    RESET = "reset"
    HANGS = "hangs"
    LOST = "lost"
    TORN = "torn"
    CUT = "cut"
    SLOW = "slow"
    SILENT = "silent"


class FaultProxy:
    """Listens on loopback; ``set`` what goes wrong. A change drops the connections there are, as a real fault does."""

    def __init__(self, upstream: tuple[str, int]) -> None:
        self._upstream = upstream
        self._fault = Fault.NONE
        self._spared = 0
        self._lock = threading.Lock()
        self._closed = threading.Condition(self._lock)
        self._open: set[socket.socket] = set()
        self._asking: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self.received = threading.Event()
        """Set once bytes of a request have come since the last ``set`` or ``after``."""
        self.host = "127.0.0.1"
        self.port = 0
        self._listen()

    def after(self, pieces: int, fault: Fault) -> None:
        """Keep the connections there are, let so many pieces of answers pass, and fail in this way then."""
        with self._lock:
            self._fault, self._spared = fault, pieces
            self._asking = set()
        self.received.clear()

    def set(self, fault: Fault) -> None:
        """Fail in this way from now on; ``Fault.NONE`` heals."""
        with self._lock:
            self._fault, self._spared = fault, 0
        self._drop()
        self.received.clear()
        if fault is Fault.REFUSED:
            self._stop_listening()
        elif self._listener is None:
            self._listen()

    def quiet(self, within: float) -> bool:
        """Whether all connections over which anything was asked since the last change end within so many seconds."""
        with self._closed:
            return self._closed.wait_for(lambda: not self._asking, within)

    def close(self) -> None:
        """Stop listening and drop what is open."""
        self._stop_listening()
        self._drop()

    def _listen(self) -> None:
        self._listener = socket.create_server((self.host, self.port), backlog=128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _stop_listening(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            # Closing alone does not wake the thread that accepts, and the port would stay open until it wakes.
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _drop(self) -> None:
        with self._lock:
            sockets, self._open = self._open, set()
        for one in sockets:
            _end(one)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
                store = socket.create_connection(self._upstream, timeout=10)
            except OSError:
                if self._listener is not listener:
                    return
                continue
            store.settimeout(None)
            with self._lock:
                self._open |= {client, store}
            for work in (self._requests, self._answers):
                threading.Thread(target=self._carry, args=(work, client, store), daemon=True).start()

    def _carry(self, work: Callable[..., None], client: socket.socket, store: socket.socket) -> None:
        with contextlib.suppress(OSError):
            work(client, store)
        for one in (client, store):
            with self._closed:
                self._open.discard(one)
                self._asking.discard(one)
                self._closed.notify_all()
            _end(one, politely=self._fault in {Fault.TORN, Fault.CUT})

    def _requests(self, client: socket.socket, store: socket.socket) -> None:
        while data := client.recv(CHUNK):
            with self._lock:
                self._asking.add(client)
            self.received.set()
            if self._fault is Fault.RESET:
                return
            if self._fault is not Fault.HANGS:
                store.sendall(data)

    def _answers(self, client: socket.socket, store: socket.socket) -> None:
        while data := store.recv(CHUNK):
            fault = self._next()
            if fault is Fault.SILENT:
                continue
            if fault is Fault.LOST:
                return
            if fault in {Fault.TORN, Fault.CUT}:
                short = data[:-CUT_FROM_END]
                client.sendall(short[:TORN_AFTER] if fault is Fault.TORN else short)
                return
            step = TRICKLE if fault is Fault.SLOW else len(data)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, step == TRICKLE)
            for start in range(0, len(data), step):
                client.sendall(data[start : start + step])
                if step == TRICKLE:
                    threading.Event().wait(0.003)

    def _next(self) -> Fault:
        with self._lock:
            if not self._spared:
                return self._fault
            self._spared -= 1
            return Fault.NONE


def _end(one: socket.socket, *, politely: bool = False) -> None:
    # Linger 0 makes the close a reset. An answer that is cut short ends as a whole one would: harder to tell.
    with contextlib.suppress(OSError):
        if not politely:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Whoever still waits on the socket is woken; only a polite end says so to the other side.
        one.shutdown(socket.SHUT_RDWR if politely else socket.SHUT_RD)
    one.close()
