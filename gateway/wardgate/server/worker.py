"""One worker: a process with an event loop that answers requests until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
import signal
import socket
import traceback
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any, Protocol, cast

import uvicorn
import uvloop

from wardgate.config import Config
from wardgate.server import tls
from wardgate.server.facts import Worker
from wardgate.server.hardening import end_with_parent
from wardgate.server.listener import BACKLOG
from wardgate.server.loads import NOBODY, Loads
from wardgate.server.protocol import Connection
from wardgate.spi.errors import WardgateError
from wardgate.spi.frontend import Receive, Scope, Send
from wardgate.telemetry import logs
from wardgate.telemetry.watching import Pulse

_log = logging.getLogger(__name__)

HANDSHAKE_SECONDS = 10.0
"""How long a client may take over its TLS handshake."""

DEFER_SECONDS = 0.002
"""How long a worker with more connections leaves a new one to the others."""

OUT_OF_FILES_SECONDS = 0.1
"""How long no connection is accepted after one could not be."""

YOUNG_OBJECTS = 50_000
"""How many new objects start a collection: more than requests under way hold, which are no garbage."""

DRAIN_SECONDS = 10.0
"""How long an application may take to drain once its requests have ended."""


class Application(Protocol):
    """What a worker runs: an ASGI application that is started before the first request and drained after the last."""

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request."""

    async def start(self) -> None:
        """Begin what runs beside requests. Raises one of the closed list when it cannot."""

    async def drain(self) -> None:
        """Finish what requests left behind, and close."""


LONGEST_FAULT = 500
"""Characters of a reason; escaped in JSON, they still fit in what a pipe writes whole."""

Build = Callable[[Config, Worker], Awaitable[Application]]
"""Makes a worker's application, in its process and on its loop."""


class Server(uvicorn.Server):
    """uvicorn's server with its own way to accept, and without handling of signals.

    ``on_started`` is called once it accepts connections. It takes one connection each time the socket is readable,
    where asyncio's servers take all there are: the first worker to wake would serve a burst of clients alone.
    """

    def __init__(self, config: uvicorn.Config, slot: int, loads: Loads, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self.servers = []
        self._slot = slot
        self._loads = loads
        self._on_started = on_started
        self._handshakes: set[asyncio.Task[None]] = set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone: the supervisor alone decides when a worker stops."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections, then say so."""
        for listener in sockets or ():
            self._watch(listener)
        self._loads.tell(self._slot, 0)
        self.started = True
        self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more, and let requests under way end."""
        for listener in sockets or ():
            asyncio.get_running_loop().remove_reader(listener)
        self._loads.tell(self._slot, NOBODY)
        if self._handshakes:
            await asyncio.wait(self._handshakes)
        await super().shutdown(sockets)

    def stop(self) -> None:
        """Return from ``serve`` once requests under way have ended."""
        self.should_exit = True

    def _watch(self, listener: socket.socket) -> None:
        if not self.should_exit:
            asyncio.get_running_loop().add_reader(listener, self._readable, listener)

    def _readable(self, listener: socket.socket) -> None:
        self._loads.tell(self._slot, len(self.server_state.connections) + len(self._handshakes))
        if not self._loads.ahead(self._slot):
            self._accept(listener)
            return
        # Another worker should take it. If none has in a moment, this one does.
        loop = asyncio.get_running_loop()
        loop.remove_reader(listener)
        loop.call_later(DEFER_SECONDS, self._accept, listener)
        loop.call_later(DEFER_SECONDS, self._watch, listener)

    def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            client, _ = listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except (BlockingIOError, ConnectionError):
            return  # another worker took it, or the client is gone
        except OSError:
            loop.remove_reader(listener)  # no file or memory is left: let some connections end
            loop.call_later(OUT_OF_FILES_SECONDS, self._watch, listener)
            return
        task = loop.create_task(self._connect(client))
        self._handshakes.add(task)
        task.add_done_callback(self._handshakes.discard)

    async def _connect(self, client: socket.socket) -> None:
        secure = self.config.ssl
        with contextlib.suppress(OSError):  # the client left, or showed no certificate that counts
            await asyncio.get_running_loop().connect_accepted_socket(
                self._connection,
                client,
                ssl=secure,
                ssl_handshake_timeout=HANDSHAKE_SECONDS if secure else None,
            )

    def _connection(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(
            config=self.config,  # type: ignore[call-arg]  # uvicorn types the class by its base
            server_state=self.server_state,
            app_state={},
        )


def uvicorn_config(app: Any, config: Config) -> uvicorn.Config:
    """Settings for uvicorn: our connection, no WebSockets, no lifespan, no headers of proxies, no access log."""
    secure = config.tls
    return uvicorn.Config(
        app,
        http=cast("type[asyncio.Protocol]", partial(Connection, limits=config.limits)),
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        workers=1,
        backlog=BACKLOG,
        timeout_graceful_shutdown=max(1, round(config.limits.drain_seconds)),
        ssl_context_factory=None if secure is None else lambda *_: tls.context(secure),
    )


def run(
    config: Config, worker: Worker, build: Build, *, listener: socket.socket, loads: Loads, report: int, parent: int
) -> int:
    """Be a worker, in a fresh fork; the exit code says whether it ended as asked.

    ``report``: a pipe on which one line of JSON tells the supervisor that it is ready, or why it cannot be.
    """
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C at the terminal reaches every process of the group
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    end_with_parent(parent)
    logs.configure(config.log, worker=worker.slot)
    _collect_seldom()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(config, worker, build, listener, loads, partial(tell, report, ready=True)))
    except WardgateError as error:
        tell(report, fault=error.message or error.code)
        return 1
    return 0


def _collect_seldom() -> None:
    """Let the collector of garbage be: what a request makes is gone when its answer is, without it."""
    gc.freeze()  # what was imported is never garbage: no collection looks at it again, and its pages stay shared
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])


async def _serve(
    config: Config, worker: Worker, build: Build, listener: socket.socket, loads: Loads, on_started: Callable[[], None]
) -> None:
    app = await build(config, worker)
    await app.start()
    server = Server(uvicorn_config(app, config), worker.slot, loads, on_started)
    pulse = Pulse(worker.meters, worker.slot, lambda: len(server.server_state.connections))
    pulse.start()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    try:
        await server.serve(sockets=[listener])
    finally:
        pulse.stop()
        try:
            await asyncio.wait_for(app.drain(), DRAIN_SECONDS)
        except TimeoutError:
            _log.error("the worker did not drain in %.0f s", DRAIN_SECONDS, extra={"event": "worker_overran"})


def where(error: BaseException) -> str:
    """What went wrong and where, without the error's own text: it may hold what it worked on."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} at " + " < ".join(f"{frame.filename}:{frame.lineno}" for frame in reversed(frames))


def tell(report: int, *, ready: bool = False, fault: str = "") -> None:
    """Tell the supervisor that this worker is ready, or why it cannot be: one line that a pipe takes whole."""
    with contextlib.suppress(BrokenPipeError):  # a supervisor that is gone needs no telling
        os.write(report, json.dumps({"ready": ready, "fault": fault[:LONGEST_FAULT]}).encode() + b"\n")
