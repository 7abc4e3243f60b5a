"""The smallest store on a network, and a backend for it that holds every contract: for the suite, and for its liars."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socketserver
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from wardgate.spi import pages
from wardgate.spi.backend import Backend, Health, Permission
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import RateLimited, SecretNotFound, TooLarge, Unavailable, Unsupported, unclear
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import Entry, Expect, Page, SecretVersion, Value, VersionInfo
from wardgate_conformance.harness import Harness

PATIENCE = 30.0
IMPATIENCE = 0.7
"""Seconds to wait for an answer: of a store that is well, and of one that is made to fail."""
STORE_PAGE = 2
"""Names in one answer of the store: so few that any list takes several."""


OTHER = object()
"""What is no answer of the store's."""


class Server(socketserver.ThreadingTCPServer):
    """One JSON line asks, ``[what, path, argument]``; one answers, whatever the argument of ``wait`` or null."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 1_024

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.held: dict[str, tuple[int, str]] = {}
        self.written = 0
        self.wait: int | None = None

    def answer(self, what: str, path: str, argument: Any) -> object:
        if self.wait is not None:
            return {"wait": self.wait}
        if what == "names":
            after = sorted(name for name in self.held if argument is None or name > argument)
            return after[:STORE_PAGE]
        if what == "write":
            self.written += 1
            self.held[path] = (self.written, argument)
        if what == "delete":
            self.held.pop(path, None)
            return []
        return self.held.get(path)


class Handler(socketserver.StreamRequestHandler):
    """Requests come one after the other on a connection."""

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while (line := self.rfile.readline()).endswith(b"\n"):
                answer = cast("Server", self.server).answer(*json.loads(line))
                self.wfile.write(json.dumps(answer).encode() + b"\n")


class Remote(Backend):
    """A connection a call."""

    capabilities = Capabilities(write=True, list=True, delete=True)

    def __init__(self, host: str, port: int, timeout: float = PATIENCE) -> None:
        self.at = (host, port)
        self.timeout = timeout

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        if version is not None:
            raise Unsupported("one version is kept")
        held = await self.ask("read", path)
        if held is None:
            raise SecretNotFound("there is no secret of that path")
        return SecretVersion(VersionInfo(str(held[0])), Value(bytes.fromhex(held[1])))

    async def write(self, path: Path, value: Value, *, expect: Expect | None = None) -> VersionInfo:
        if expect is not None:
            raise Unsupported("this store cannot compare and set")
        if len(str(path).encode()) > self.capabilities.max_path_bytes or not path.segments:
            raise TooLarge("the path is not one that is held")
        return VersionInfo(str((await self.ask("write", path, value.data.hex(), mutates=True))[0]))

    async def delete(self, path: Path, *, versions: object = None) -> None:
        if versions is not None:
            raise Unsupported("one version is kept")
        await self.ask("delete", path, mutates=True)

    async def list(self, folder: Path, *, cursor: str | None = None, limit: int = 1_000) -> Page:
        after = pages.position(cursor)
        below = [path.below(folder).segments for path in await self.paths() if path.starts_with(folder)]
        return pages.cut({Entry(rest[0], folder=len(rest) > 1) for rest in below if rest}, after, limit)

    async def health(self) -> Health:
        try:
            await self.ask("read", Path.parse("health"))
        except (Unavailable, RateLimited):
            return Health(ok=False, detail="it does not answer")
        return Health(ok=True, detail="it answers")

    async def probe(self) -> Sequence[Permission]:
        await self.ask("read", Path.parse("probe"))
        return ()

    async def paths(self) -> tuple[Path, ...]:
        """Every path that is held, answer after answer."""
        found: tuple[str, ...] = ()
        while answer := await self.ask("names", ROOT, found[-1] if found else None):
            found += tuple(answer)
        return tuple(map(Path.parse, found))

    async def ask(self, what: str, path: Path, argument: Any = None, *, mutates: bool = False) -> Any:
        """The answer to one request."""
        line = json.dumps([what, str(path), argument]).encode() + b"\n"
        try:
            async with asyncio.timeout(self.timeout):
                answer = await self.exchange(line)
        except (OSError, TimeoutError):
            answer = b""
        if not answer.endswith(b"\n"):
            raise unclear("the store did not answer", mutates=mutates)
        found: Any = OTHER
        with contextlib.suppress(ValueError):
            found = json.loads(answer)
        if found is OTHER:
            raise unclear("another server answers", mutates=mutates)
        if isinstance(found, dict):
            raise RateLimited("the store asks for fewer requests", retry_after=found["wait"])
        return found

    async def exchange(self, line: bytes) -> bytes:
        """One line there, one back: as much of it as came."""
        reader, writer = await asyncio.open_connection(*self.at, limit=1 << 20)
        try:
            writer.write(line)
            return await reader.readline()
        finally:
            writer.close()


class RemoteHarness(Harness):
    """The server's own memory is the way behind the backend's back."""

    kind: type[Remote] = Remote

    def __init__(self, server: Server) -> None:
        self._server = server

    def open(self) -> Remote:
        return self.kind(*self.address())

    async def put(self, path: Path, fields: Mapping[str, str]) -> None:
        self._server.answer("write", str(path), json.dumps(fields).encode().hex())

    async def get(self, path: Path) -> Mapping[str, str] | None:
        held = self._server.held.get(str(path))
        fields: dict[str, str] | None = None if held is None else json.loads(bytes.fromhex(held[1]))
        return fields

    def address(self) -> tuple[str, int]:
        host, port = self._server.server_address[:2]
        return str(host), int(port)

    def open_at(self, host: str, port: int) -> Remote:
        return self.kind(host, port, IMPATIENCE)

    @contextlib.contextmanager
    def throttling(self, retry_after: int) -> Iterator[tuple[str, int]]:
        """This store's way of saying it is not HTTP's."""
        self._server.wait = retry_after
        yield self.address()
        self._server.wait = None


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    """A server until the end of the block."""
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()
