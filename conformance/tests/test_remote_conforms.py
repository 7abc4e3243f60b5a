"""The suite over a store on a network: the smallest there is, made to fail by the proxy."""

from __future__ import annotations

import asyncio
import json
import socketserver
import threading
from collections.abc import Iterator, Mapping
from typing import cast

import pytest
from wardgate.spi.backend import Backend, Health
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import OutcomeUnknown, SecretNotFound, TooLarge, Unavailable, Unsupported, WardgateError
from wardgate.spi.path import Path
from wardgate.spi.values import Expect, SecretVersion, Value, VersionInfo
from wardgate_conformance.harness import Harness
from wardgate_conformance.suite import BackendConformance

TIMEOUT = 1.0


class Server(socketserver.ThreadingTCPServer):
    """One JSON line asks, one JSON line answers: ``[path, hex or null]``, ``[version, hex]``."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.held: dict[str, tuple[int, str]] = {}


class Handler(socketserver.StreamRequestHandler):
    """One request a connection."""

    def handle(self) -> None:
        line = self.rfile.readline()
        if not line.endswith(b"\n"):
            return
        path, value = json.loads(line)
        held = cast("Server", self.server).held
        if value is not None:
            held[path] = (held.get(path, (0, ""))[0] + 1, value)
        self.wfile.write(json.dumps(held.get(path)).encode() + b"\n")


class Remote(Backend):
    """A connection a call."""

    capabilities = Capabilities(write=True)

    def __init__(self, host: str, port: int) -> None:
        self._at = (host, port)

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        if version is not None:
            raise Unsupported("one version is kept")
        number, data = await self._ask(path, None, Unavailable)
        return SecretVersion(VersionInfo(str(number)), Value(bytes.fromhex(data)))

    async def write(self, path: Path, value: Value, *, expect: Expect | None = None) -> VersionInfo:
        if expect is not None:
            raise Unsupported("this store cannot compare and set")
        if len(str(path).encode()) > self.capabilities.max_path_bytes or not path.segments:
            raise TooLarge("the path is not one that is held")
        return VersionInfo(str((await self._ask(path, value.data.hex(), OutcomeUnknown))[0]))

    async def health(self) -> Health:
        try:
            await self._ask(Path.parse("health"), None, Unavailable)
        except SecretNotFound:
            return Health(ok=True, detail="it answers")
        except Unavailable:
            pass
        return Health(ok=False, detail="it does not answer")

    async def _ask(self, path: Path, value: str | None, unclear: type[WardgateError]) -> tuple[int, str]:
        answer = b""
        try:
            async with asyncio.timeout(TIMEOUT * 4 if value else TIMEOUT):
                reader, writer = await asyncio.open_connection(*self._at, limit=1 << 20)
                try:
                    writer.write(json.dumps([str(path), value]).encode() + b"\n")
                    answer = await reader.readline()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            answer = b""
        if not answer.endswith(b"\n"):
            raise unclear("the store did not answer")
        found = json.loads(answer)
        if found is None:
            raise SecretNotFound("there is no secret of that path")
        return int(found[0]), str(found[1])


class RemoteHarness(Harness):
    """The server's own memory is the way behind the backend's back."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def address(self) -> tuple[str, int]:
        host, port = self._server.server_address[:2]
        return str(host), int(port)

    def open_at(self, host: str, port: int) -> Remote:
        return Remote(host, port)

    def open(self) -> Remote:
        return Remote(*self.address())

    async def put(self, path: Path, fields: Mapping[str, str]) -> None:
        await self.open().write(path, Value(json.dumps(fields).encode()))

    async def get(self, path: Path) -> Mapping[str, str] | None:
        held = self._server.held.get(str(path))
        fields: dict[str, str] | None = None if held is None else json.loads(bytes.fromhex(held[1]))
        return fields


class TestRemote(BackendConformance):
    """Reading and writing, and every way to fail."""

    capabilities = Remote.capabilities
    networked = True

    @pytest.fixture
    def harness(self) -> Iterator[RemoteHarness]:
        with Server() as server:
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            yield RemoteHarness(server)
            server.shutdown()
