"""A store in the hands of somebody who means harm costs its own mount a refusal, and the others nothing."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import itertools
import json
import socket
import threading
import tracemalloc
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardgate.spi import errors
from wardgate.spi.backend import Backend
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import SecretSettings, Value
from wardgate_vault import login, metadata

from tests.servers.sockets import SocketServer

SECRET = Path.parse("app/db")
VALUE = Value(b'{"a": "b"}')
TIME = "2026-01-02T12:00:00Z"
VERSION: dict[str, Any] = {"version": 1, "created_time": TIME, "deletion_time": "", "destroyed": False}
INFO: dict[str, Any] = {
    "versions": {"1": VERSION}, "current_version": 1, "created_time": TIME, "updated_time": TIME,
    "custom_metadata": None, "max_versions": 0, "cas_required": False, "delete_version_after": "0s",
}  # fmt: skip
MIB = 1024 * 1024
JOIN_SECONDS = 10
Opened = Callable[..., Backend]


@pytest.fixture(autouse=True)
def _known_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login.Login, "_look_up", lambda self: setattr(self, "_due", float("inf")))


def told(backend: Backend, *, write: bool = False) -> str:
    """What one request is told: a read is Unavailable, a write OutcomeUnknown."""
    attempt = backend.write(SECRET, VALUE) if write else backend.read(SECRET)
    with pytest.raises(errors.OutcomeUnknown if write else errors.Unavailable) as refused:
        asyncio.run(attempt)
    return refused.value.message


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize("body", [b'{"errors":[' + b"[]," * 600_000 + b"[]]}", b'{"a":"' + b"a" * 3 * MIB + b'"}'])
def test_a_bomb_is_not_decoded(opened: Opened, server: SocketServer, body: bytes, write: bool) -> None:  # noqa: FBT001
    """Neither one of many marks nor one of many bytes."""
    server.answers(200, body)
    backend = opened(address=server.address, token="t")
    tracemalloc.start()
    try:
        assert "too long" in told(backend, write=write)
        assert tracemalloc.get_traced_memory()[1] < len(body) + 16 * MIB
    finally:
        tracemalloc.stop()


def test_a_packed_answer_is_not_unpacked(opened: Opened, server: SocketServer) -> None:
    """None was asked for; a small one can hide a gigabyte."""
    server.answers(200, gzip.compress(b"a" * 50 * MIB), Content_Encoding="gzip")
    assert "could not be understood" in told(opened(address=server.address, token="t"))
    assert b"accept-encoding: identity" in server.requests[0].lower()


def test_what_comes_with_a_redirect_is_bounded_too(opened: Opened, server: SocketServer) -> None:
    """A client that looks where it points reads all of it first."""
    server.answers(302, b"a" * 40 * MIB, Location="/elsewhere")
    assert "too long" in told(opened(address=server.address, token="t"))


def test_cookies_are_not_kept(opened: Opened, server: SocketServer) -> None:
    """They would grow for ever, and travel back."""
    server.answers(404, b'{"errors": []}', Set_Cookie="a=b")
    backend = opened(address=server.address, token="t")
    for _ in range(2):
        with pytest.raises(errors.SecretNotFound):
            asyncio.run(backend.read(SECRET))
    assert b"cookie" not in server.requests[1].lower()


def test_a_list_may_be_longer_than_an_answer(opened: Opened, server: SocketServer) -> None:
    """Up to its own bound."""
    names = [f"{number:06}-{'n' * 20}" for number in range(100_000)]
    backend = opened(address=server.address, token="t")
    server.answers(200, json.dumps({"data": {"keys": names}}).encode())
    page = asyncio.run(backend.list(ROOT, limit=2))
    assert names[:2] == [entry.name for entry in page.entries]
    server.answers(200, json.dumps({"data": {"keys": ["n"] * 300_001}}).encode())
    with pytest.raises(errors.Unavailable, match="too long"):
        asyncio.run(backend.list(ROOT))


def trickle(clock: Any, start: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    """Answers with a piece each 0.2 s of the clock, until the other side has had enough."""

    def behaviour(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection.sendall(start)
            for _ in range(1_000_000):
                clock.seconds += 0.2
                connection.sendall(piece)
        connection.close()

    return behaviour


HEAD = b"HTTP/1.1 200 OK\r\n"
LONG = HEAD + b"Content-Length: 1000000000\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize(
    ("start", "piece"),
    [(b"", b"H"), (HEAD, b"X"), (b"", b"HTTP/1.1 100 Continue\r\n\r\n"), (LONG, b" "), (CHUNKED, b"1\r\n \r\n"),
     (CHUNKED, b"0"), (CHUNKED + b"0\r\n", b"X: y\r\n")],
    ids=["status", "header", "continue", "body", "chunks", "chunk head", "trailer"],
)  # fmt: skip
def test_what_trickles_ends(
    opened: Opened, server: SocketServer, clock: Any, start: bytes, piece: bytes, write: bool  # noqa: FBT001
) -> None:  # fmt: skip
    """Every byte starts the socket's own wait anew, and the request's time passes all the same."""
    server.behaviour = trickle(clock, start, piece)
    told(opened(address=server.address, token="t", timeout=1), write=write)


def test_close_ends_what_is_under_way(opened: Opened, server: SocketServer) -> None:
    """A mount that is refused leaves no thread behind; who waits is told so."""
    arrived = threading.Event()
    server.behaviour = lambda _: arrived.set()
    backend: Any = opened(address=server.address, token="t", pool_size=1, timeout=300)

    async def closed() -> list[object]:
        reads = [asyncio.ensure_future(backend.read(SECRET)) for _ in range(2)]
        await asyncio.to_thread(arrived.wait, JOIN_SECONDS)
        await backend.close()
        return await asyncio.wait_for(asyncio.gather(*reads, return_exceptions=True), JOIN_SECONDS)

    assert [errors.Unavailable] * 2 == [type(answer) for answer in asyncio.run(closed())]
    for thread in backend._client._threads._executor._threads:
        thread.join(JOIN_SECONDS)
        assert not thread.is_alive()
    assert "closed" in told(backend)


def test_a_connection_serves_again(opened: Opened, server: SocketServer) -> None:
    """What was read to its end is not opened anew."""

    def twice(connection: socket.socket) -> None:
        connection.sendall(answer)
        connection.recv(65_536)
        connection.sendall(answer)

    answer = b'HTTP/1.1 404 No\r\nContent-Length: 13\r\n\r\n{"errors":[]}'
    server.behaviour = twice
    backend = opened(address=server.address, token="t")
    for _ in range(2):
        with pytest.raises(errors.SecretNotFound):
            asyncio.run(backend.read(SECRET))
    assert 1 == len(server.requests)


@pytest.mark.parametrize("wrong", [5, "text", {"a": 1}, [5], [[]], [None], True])
@pytest.mark.parametrize("status", [200, 400, 404, 500])
def test_errors_that_are_none(opened: Opened, server: SocketServer, wrong: object, status: int) -> None:
    """Nothing can be concluded from them."""
    server.answers(status, json.dumps({"errors": wrong}).encode())
    backend = opened(address=server.address, token="t")
    told(backend)
    if status != 404:
        told(backend, write=True)


CHANGES: dict[str, Callable[[Backend], Coroutine[Any, Any, object]]] = {
    "write": lambda backend: backend.write(SECRET, VALUE),
    "delete": lambda backend: backend.delete(SECRET),
    "delete a version": lambda backend: backend.delete(SECRET, versions=["1"]),
    "undelete": lambda backend: backend.undelete(SECRET, versions=["1"]),
    "destroy": lambda backend: backend.destroy(SECRET),
    "destroy a version": lambda backend: backend.destroy(SECRET, versions=["1"]),
    "labels": lambda backend: backend.annotate(SECRET, labels={"a": "b"}),
    "merged labels": lambda backend: backend.annotate(SECRET, labels={"a": "b"}, merge=True),
    "settings": lambda backend: backend.annotate(SECRET, settings=SecretSettings(max_versions=3)),
}


@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b"", b"{}", b'{"request_id":5}', b'{"errors":[]}'])
@pytest.mark.parametrize(("version", "change"), [*((2, change) for change in CHANGES), (1, "write"), (1, "delete")])
def test_a_page_of_somebody_on_the_way_is_no_change(
    opened: Opened, server: SocketServer, version: int, change: str, body: bytes
) -> None:
    """A proxy's page to sign in is a 200 too: what the server itself did not acknowledge may not be done."""
    server.answers(200, body)
    with pytest.raises(errors.OutcomeUnknown):
        asyncio.run(CHANGES[change](opened(address=server.address, token="t", kv_version=version)))


WRONG: list[object] = [None, True, -1, 1.5, 10**30, "", "x", [], [[]], {}, {"a": 1}, "0001-01-01T00:00:00+14:00"]
CASES = [
    (name, wrong)
    for name, wrong in itertools.product(VERSION, WRONG)
    if not (name == "deletion_time" and not wrong) and not (name == "destroyed" and wrong is True)
]


@pytest.mark.parametrize(("name", "wrong"), CASES, ids=repr)
def test_a_version_of_the_wrong_types(opened: Opened, server: SocketServer, name: str, wrong: object) -> None:
    """Read, or written: it is refused here, or it is sound enough for every front-end."""
    about = {**VERSION, name: wrong}
    backend = opened(address=server.address, token="t")
    server.answers(200, json.dumps({"data": {"data": {"a": "b"}, "metadata": about}}).encode())
    told(backend)
    server.answers(200, json.dumps({"data": about}).encode())
    told(backend, write=True)


@pytest.mark.parametrize("name", INFO)
@pytest.mark.parametrize("wrong", [5.5, [5], {"a": 5}, "x", 10**30, -1], ids=repr)
def test_metadata_of_the_wrong_types(opened: Opened, server: SocketServer, name: str, wrong: object) -> None:
    """None of it reaches a front-end."""
    server.answers(200, json.dumps({"data": {**INFO, name: wrong}}).encode())
    with pytest.raises(errors.Unavailable):
        asyncio.run(opened(address=server.address, token="t").describe(SECRET))


@pytest.mark.parametrize("keys", ['"text"', "5", "{}", "[5]", '[["a"]]', "null"])
def test_names_of_the_wrong_types(opened: Opened, server: SocketServer, keys: str) -> None:
    """A list is a list of names."""
    server.answers(200, f'{{"data": {{"keys": {keys}}}}}'.encode())
    with pytest.raises(errors.Unavailable):
        asyncio.run(opened(address=server.address, token="t").list(ROOT))


NONSENSE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5) | st.just(TIME),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted(INFO)), st.sampled_from(sorted(VERSION)), NONSENSE)
def test_nonsense_raises_what_is_promised(of_secret: str, of_version: str, nonsense: object) -> None:
    """KeyError, TypeError or ValueError, or else values of the declared types."""
    for data in ({**INFO, of_secret: nonsense}, {**INFO, "versions": {"1": {**VERSION, of_version: nonsense}}}):
        with contextlib.suppress(
            LookupError, TypeError, ValueError, AttributeError, ArithmeticError, errors.InvalidValue
        ):
            info = metadata.secret_info(data, now=0)
            assert all(isinstance(label, str) for label in info.labels.values())
            assert isinstance(info.created_at, int)
            assert {bool} == {type(info.settings.compare_and_set_required)}


def test_the_wait_a_store_asks_for_is_bounded(opened: Opened, server: SocketServer) -> None:
    """A number of sixty thousand digits is none."""
    server.answers(429, Retry_After="9" * 60_000)
    with pytest.raises(errors.RateLimited) as limited:
        asyncio.run(opened(address=server.address, token="t").read(SECRET))
    assert limited.value.retry_after is None
