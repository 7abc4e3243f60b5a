"""A caller that hangs up ends what a store is asked for on its behalf, and nobody else's."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.servers.gateway import Running, running
from tests.servers.sockets import SocketServer, listening
from tests.support.waiting import until

SECONDS = 20
TARGETS = {
    "a secret": "/api/v1/secrets/far/app",
    "a folder": "/api/v1/folders/far",
    "Vault's API": "/v1/far/data/app",
    "Vault's list": "/v1/far/metadata?list=true",
}


class Silent(NamedTuple):
    """A store that reads requests and never answers; how many have arrived, and how many were cut."""

    arrived: threading.Semaphore
    cut: threading.Semaphore

    def hang(self, connection: socket.socket) -> None:
        def wait() -> None:
            while connection.recv(65_536):
                pass
            self.cut.release()

        self.arrived.release()
        threading.Thread(target=wait, daemon=True).start()


@pytest.fixture(scope="module")
def gateway() -> Iterator[tuple[Running, SocketServer]]:
    """A gateway with a mount of a store that never answers, and has five minutes to."""
    with running(plugins=["native", "vault"], workers=1) as gateway, listening() as store:
        options = {"address": store.address, "token": "t", "timeout": 300}
        mount = {"prefix": "far", "type": "vault", "options": options, "check": "none"}
        assert 201 == gateway.call("POST", "/api/v1/mounts", mount | {"presentation": {"vault.kv": "2"}}).status
        store.answers(403, b'{"errors":["permission denied"]}')  # the first question is the mount's own: of its token
        assert 403 == gateway.call("GET", TARGETS["a secret"]).status
        yield gateway, store


def caller(gateway: Running, target: str) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", gateway.port), timeout=SECONDS)
    client.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nX-Vault-Token: {gateway.token}\r\n\r\n".encode())
    return client


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_the_store_is_asked_no_longer_than_somebody_waits(gateway: tuple[Running, SocketServer], target: str) -> None:
    """The connection to the store is cut at once, and the audit says that nothing came of it."""
    running, store = gateway
    silent = Silent(threading.Semaphore(0), threading.Semaphore(0))
    store.behaviour = silent.hang
    before = cancelled(running)
    with caller(running, target):
        assert silent.arrived.acquire(timeout=SECONDS)
        assert not silent.cut.acquire(blocking=False)
    assert silent.cut.acquire(timeout=SECONDS)
    until(lambda: cancelled(running) > before)


def test_who_goes_away_takes_it_from_nobody_who_asked_for_the_same(gateway: tuple[Running, SocketServer]) -> None:
    """Two wait for one question; it ends with the second."""
    running, store = gateway
    silent = Silent(threading.Semaphore(0), threading.Semaphore(0))
    store.behaviour = silent.hang
    before = cancelled(running)
    with caller(running, TARGETS["a secret"]):
        assert silent.arrived.acquire(timeout=SECONDS)
        with caller(running, TARGETS["a secret"]):
            # Asked on the same loop after it, so that it has joined by then.
            assert 200 == running.call("GET", "/api/v1/mounts").status
        until(lambda: cancelled(running) == before + 1)
        assert not silent.cut.acquire(blocking=False)
    assert silent.cut.acquire(timeout=SECONDS)


def test_nobody_asks_for_anything_without_an_address(gateway: tuple[Running, SocketServer]) -> None:
    """Who resets a connection before it is taken could not be named, bounded or held to a network: nothing is read."""
    running, _ = gateway
    body = b'{"json": {"a": 1}}'
    head = f"PUT /api/v1/secrets/none/x HTTP/1.1\r\nHost: x\r\nX-Vault-Token: {running.token}\r\n".encode()
    request = head + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    for _ in range(100):
        with socket.create_connection(("127.0.0.1", running.port), timeout=SECONDS) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sendall(request)
    assert 200 == running.call("GET", "/api/v1/mounts").status
    records = [json.loads(line) for file in running.audit.glob("*.jsonl") for line in file.read_text().splitlines()]
    asked = [record for record in records if record["kind"] in {"request", "closing"}]
    assert [] == [record for record in asked if not record.get("source")]


def cancelled(gateway: Running) -> int:
    """How many records say so."""
    return sum(file.read_text().count('"code":"cancelled"') for file in gateway.audit.glob("*.jsonl"))
