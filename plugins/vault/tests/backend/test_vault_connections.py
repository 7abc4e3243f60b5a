"""A mount's connections: used again where an answer was read whole, closed where it was not, and lost nowhere."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable

import pytest
from wardgate.spi.backend import Backend
from wardgate.spi.errors import InvalidValue, OutcomeUnknown, SecretNotFound, Unavailable
from wardgate.spi.path import Path
from wardgate_vault import login
from wardgate_vault.exchange import ANSWER, PIECE

from tests.servers.sockets import SocketServer

SECRET = Path.parse("app/db")
ABSENT = b'{"errors":[]}'
JOIN_SECONDS = 10
Opened = Callable[..., Backend]
WHOLE = {
    "length": b"HTTP/1.1 404 No\r\nContent-Length: 13\r\n\r\n" + ABSENT,
    "chunked": b"HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\nd\r\n" + ABSENT + b"\r\n0\r\n\r\n",
    "empty": b"HTTP/1.1 204 No\r\n\r\n",
    "nothing": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
}


@pytest.fixture(autouse=True)
def _known_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login.Login, "_look_up", lambda self: setattr(self, "_due", float("inf")))


def delete(backend: Backend) -> None:
    with contextlib.suppress(SecretNotFound, OutcomeUnknown):
        asyncio.run(backend.delete(SECRET))


@pytest.mark.parametrize("answer", WHOLE.values(), ids=WHOLE)
def test_what_was_read_whole_serves_again(opened: Opened, server: SocketServer, answer: bytes) -> None:
    """However its end is told."""

    def thrice(connection: socket.socket) -> None:
        for _ in range(2):
            connection.sendall(answer)
            connection.recv(65_536)
        connection.sendall(answer)

    server.behaviour = thrice
    backend = opened(address=server.address, token="t")
    for _ in range(3):
        delete(backend)
    assert 1 == len(server.requests)


@pytest.mark.parametrize("behaviour", ["long", "longer", "stalled", "broken", "short"])
def test_what_was_not_read_gives_its_place_back(opened: Opened, server: SocketServer, behaviour: str) -> None:
    """With one place in all, the next request would wait for it for ever. It has a connection of its own."""
    backend = opened(address=server.address, token="t", pool_size=1)
    match behaviour:
        case "long":
            server.answers(200, b"a" * (ANSWER.size + PIECE), Connection="keep-alive")
        case "longer":
            server.answers(200, b"a" * (ANSWER.size * 3), Connection="keep-alive")
        case "stalled":
            # Just past what is read: nothing that comes after tells this connection from a good one.
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {ANSWER.size * 3}\r\n\r\n".encode()
            server.behaviour = lambda connection: connection.sendall(head + b"a" * (ANSWER.size + PIECE))
        case "broken":
            server.breaks()
        case "short":
            server.answers(200, b"", Content_Length="9")
    for _ in range(3):
        with pytest.raises(Unavailable):
            asyncio.run(backend.read(SECRET))
    server.answers(404, ABSENT)
    with pytest.raises(SecretNotFound):
        asyncio.run(backend.read(SECRET))
    assert 4 == len(server.requests)


@pytest.mark.parametrize("path", ["", "/", "/behind/a%20path", "/behind/a%20path/", "/behind/a path"])
def test_an_address_may_have_a_path(opened: Opened, server: SocketServer, path: str) -> None:
    """With or without a slash at its end; what a path cannot hold is encoded once."""
    server.answers(404, ABSENT)
    with pytest.raises(SecretNotFound):
        asyncio.run(opened(address=server.address + path, token="t", mount="kv/ä/").read(Path.parse("a b/%41?~")))
    place = "/behind/a%20path" if path.strip("/") else ""
    line, *fields = server.requests[0].decode().split("\r\n")
    assert f"GET {place}/v1/kv/%C3%A4/data/a%20b/%2541%3F~ HTTP/1.1" == line
    assert f"Host: {server.address.removeprefix('http://')}" in fields


@pytest.mark.parametrize("host", ["va ult.example", "☃.example"])
def test_an_address_without_a_usable_host_is_refused(opened: Opened, host: str) -> None:
    """When the mount is made, and not with each request."""
    with pytest.raises(InvalidValue, match="'address'"):
        opened(address=f"https://{host}", token="t")


def test_who_goes_away_takes_the_request_along(opened: Opened, server: SocketServer) -> None:
    """Its thread and its connection are free at once for others: the request is cut, not waited for."""
    arrived, cut = threading.Event(), threading.Event()

    def silent(connection: socket.socket) -> None:
        arrived.set()
        while connection.recv(PIECE):
            pass
        cut.set()

    async def asked() -> None:
        reading = asyncio.ensure_future(opened(address=server.address, token="t", timeout=300.0).read(SECRET))
        assert await asyncio.to_thread(arrived.wait, JOIN_SECONDS)
        reading.cancel()
        assert await asyncio.to_thread(cut.wait, JOIN_SECONDS)

    server.behaviour = silent
    asyncio.run(asked())


def test_a_login_is_the_mount_s_and_not_the_caller_s(
    opened: Opened, server: SocketServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Callers who go away while it runs do not end it: each would cost another login, and a use of the secret id."""
    monkeypatch.undo()  # it learns its token from the server here
    arrived, go = threading.Event(), threading.Event()
    logins: list[bytes] = []

    def slow(connection: socket.socket) -> None:
        login = b"/auth/approle/login" in server.requests[-1]
        if login:
            logins.append(server.requests[-1])
            arrived.set()
            assert go.wait(JOIN_SECONDS)
        body = b'{"auth":{"client_token":"t","lease_duration":60,"renewable":false}}' if login else ABSENT
        status = b"200 OK" if login else b"404 No"
        head = b"HTTP/1.1 %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(body))
        connection.sendall(head + body)
        connection.close()

    async def asked() -> None:
        backend = opened(address=server.address, role_id="r", secret_id="s")
        first = asyncio.ensure_future(backend.read(SECRET))
        assert await asyncio.to_thread(arrived.wait, JOIN_SECONDS)
        first.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await first
        go.set()
        with pytest.raises(SecretNotFound):
            await backend.read(SECRET)

    server.behaviour = slow
    asyncio.run(asked())
    assert 1 == len(logins)
