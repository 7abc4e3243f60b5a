"""Clients that are slow, silent or never done: each is cut off in its time, and others are served quickly all along."""

from __future__ import annotations

import asyncio
import itertools
import socket
import statistics
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator

import pytest

from tests.servers.gateway import Running, initialise, start

LIMIT = 1.0
"""Seconds, for heads, bodies, answers and silence alike."""
SLACK = 4.0
"""Seconds that a busy machine may add."""
LIMITS = (
    f"[limits]\nheader_seconds = {LIMIT}\nbody_seconds = {LIMIT}\nanswer_seconds = {LIMIT}\nidle_seconds = {LIMIT}\n"
)
EACH = 20
"""Clients of every kind at one time."""
PAUSE = 0.1
SMALL, LARGE = "/v1/secret/data/small", "/v1/secret/data/large"
VALUE = "x" * 900_000
AHEAD = 20
"""Requests that are sent without reading an answer: more than the kernel holds for both sides."""


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A gateway of two workers with little patience, filled while it still had the usual."""
    folder = tmp_path_factory.mktemp("hurried")
    token = initialise(folder, plugins=["native", "vault"], workers=2)
    patient = start(folder, token)
    try:
        patient.mount("secret", "native")
        assert 200 == patient.call("POST", SMALL, {"data": {"a": "b"}}).status
        assert 200 == patient.call("POST", LARGE, {"data": {"a": VALUE}}).status
    finally:
        patient.stop()
    with (folder / "wardgate.toml").open("a") as config:
        config.write(LIMITS)
    gateway = start(folder, token)
    try:
        yield gateway
    finally:
        gateway.stop()


def head(gateway: Running, method: str, target: str, *lines: str) -> bytes:
    first = f"{method} {target} HTTP/1.1\r\nHost: x\r\nX-Vault-Token: {gateway.token}\r\n"
    return (first + "".join(f"{line}\r\n" for line in lines) + "\r\n").encode()


async def drip(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    """One part at a time, with a pause between."""
    for part in parts:
        yield part
        await asyncio.sleep(PAUSE)


async def until_cut(gateway: Running, parts: Iterator[bytes]) -> tuple[float, bytes]:
    """Send for as long as the connection lives; seconds until it was ended, and what was answered before."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)

    async def send() -> None:
        try:
            async for part in drip(parts):
                writer.write(part)
                await writer.drain()
        except OSError:
            pass  # it was cut off, which the reading side tells

    began = time.monotonic()
    sending = asyncio.create_task(send())
    answer = b""
    try:
        async with asyncio.timeout(LIMIT + SLACK):
            while more := await reader.read(65_536):
                answer += more
    except ConnectionError:
        pass
    finally:
        sending.cancel()
        writer.transport.abort()
    return time.monotonic() - began, answer


async def says_nothing(gateway: Running) -> None:
    """It connects, and that is all."""
    seconds, answer = await until_cut(gateway, iter(()))
    assert b"" == answer
    assert LIMIT / 2 < seconds


async def falls_silent(gateway: Running) -> None:
    """After one good request it keeps its connection and says no more."""
    seconds, answer = await until_cut(gateway, iter([head(gateway, "GET", SMALL)]))
    assert 1 == answer.count(b"HTTP/1.1 200 ")
    assert LIMIT / 2 < seconds


async def drips_its_head(gateway: Running) -> None:
    """A byte now and then, for ever within a header."""
    start = head(gateway, "GET", SMALL)[:-2] + b"X-Slow: "
    _, answer = await until_cut(gateway, itertools.chain([start], itertools.repeat(b"x")))
    assert answer.startswith(b"HTTP/1.1 408 ")


async def drips_its_body(gateway: Running) -> None:
    """A body of a stated length, a byte now and then."""
    start = head(gateway, "POST", SMALL, "Content-Length: 1000")
    _, answer = await until_cut(gateway, itertools.chain([start], itertools.repeat(b" ")))
    assert answer.startswith(b"HTTP/1.1 408 ")


async def drips_its_chunks(gateway: Running) -> None:
    """A body in chunks that never ends."""
    start = head(gateway, "POST", SMALL, "Transfer-Encoding: chunked")
    _, answer = await until_cut(gateway, itertools.chain([start], itertools.repeat(b"1\r\n \r\n")))
    assert answer.startswith(b"HTTP/1.1 408 ")


async def floods_its_chunks(gateway: Running) -> None:
    """A body in chunks that never ends, and not slowly at all."""
    start = head(gateway, "POST", SMALL, "Transfer-Encoding: chunked")
    chunk = b"20000\r\n" + b" " * 0x20000 + b"\r\n"
    _, answer = await until_cut(gateway, itertools.chain([start], itertools.repeat(chunk * 8)))
    assert answer.startswith((b"HTTP/1.1 413 ", b"HTTP/1.1 408 ")) or not answer


async def stops_reading(gateway: Running) -> None:
    """It asks for much, ahead, and takes none of it; what it gets in the end is not all."""
    loop = asyncio.get_running_loop()
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.settimeout(0)
        await loop.sock_connect(client, ("127.0.0.1", gateway.port))
        await loop.sock_sendall(client, head(gateway, "GET", LARGE) * AHEAD)
        await asyncio.sleep(LIMIT + SLACK / 2)
        assert await taken(client) < AHEAD * len(VALUE)


async def taken(client: socket.socket) -> int:
    """Bytes that come until the end."""
    loop = asyncio.get_running_loop()
    count = 0
    try:
        while more := await loop.sock_recv(client, 1 << 20):
            count += len(more)
    except ConnectionError:
        pass
    return count


Slow = Callable[[Running], Coroutine[None, None, None]]
KINDS: tuple[Slow, ...] = (
    says_nothing, falls_silent, drips_its_head, drips_its_body, drips_its_chunks, floods_its_chunks, stops_reading,
)  # fmt: skip


async def served(gateway: Running, until: asyncio.Event) -> list[float]:
    """Seconds of good requests, each on a connection of its own, so that every worker is asked."""
    seconds = []
    while not until.is_set():
        began = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(head(gateway, "GET", SMALL, "Connection: close"))
        answer = await reader.read(-1)
        writer.close()
        assert answer.startswith(b"HTTP/1.1 200 "), answer
        seconds.append(time.monotonic() - began)
        await asyncio.sleep(0.01)
    return seconds


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_slow_client_is_cut_off(hurried: Running, kind: Slow) -> None:
    """Within its limit, and not at once."""
    asyncio.run(asyncio.wait_for(_all(hurried, [kind]), 60))


def test_others_are_served_while_slow_clients_of_all_kinds_hold_on(hurried: Running) -> None:
    """Twenty of each kind; every good request is answered, and hardly later than without them."""
    seconds = asyncio.run(asyncio.wait_for(_amid(hurried, [*KINDS] * EACH), 120))
    print(f"{len(seconds)} served, median {statistics.median(seconds):.4f} s, slowest {max(seconds):.3f} s")
    assert len(seconds) > 20
    assert statistics.median(seconds) < 0.25
    assert max(seconds) < SLACK


async def _all(gateway: Running, kinds: list[Slow]) -> None:
    async with asyncio.TaskGroup() as group:
        for kind in kinds:
            group.create_task(kind(gateway))


async def _amid(gateway: Running, kinds: list[Slow]) -> list[float]:
    done = asyncio.Event()
    good = asyncio.create_task(served(gateway, done))
    try:
        await _all(gateway, kinds)
    finally:
        done.set()
    return await good


def test_a_client_that_reads_gets_all_it_asked_for(hurried: Running) -> None:
    """The control: as many requests sent ahead, and taken."""

    async def ask() -> int:
        loop = asyncio.get_running_loop()
        with socket.socket() as client:
            client.settimeout(0)
            await loop.sock_connect(client, ("127.0.0.1", hurried.port))
            asked = head(hurried, "GET", LARGE) * (AHEAD - 1) + head(hurried, "GET", LARGE, "Connection: close")
            await loop.sock_sendall(client, asked)
            return await taken(client)

    assert asyncio.run(ask()) > AHEAD * len(VALUE)
