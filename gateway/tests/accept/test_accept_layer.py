"""The accept layer: each request gets its arrival or a refusal, and what it held is given back."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardgate.config import Limits
from wardgate.pipeline.accept import PEER_CERTIFICATE, Accept
from wardgate.pipeline.accept.ids import RequestIds
from wardgate.pipeline.accept.sources import Sources
from wardgate.spi.frontend import ARRIVAL, Arrival

Answer = tuple[int, dict[bytes, bytes], bytes]


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def now(self) -> int:
        return int(self.seconds * 1e9)

    def monotonic(self) -> float:
        return self.seconds


class Front:
    """An application that keeps what it was given, and waits when it is told to."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.bodies: list[bytes] = []
        self.go: asyncio.Event | None = None
        self.reached = asyncio.Semaphore(0)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.arrivals.append(scope[ARRIVAL])
        message = await receive()
        assert not message["more_body"]
        self.bodies.append(message["body"])
        self.reached.release()
        if self.go:
            await self.go.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def chunks(*parts: bytes, ends: bool = True) -> Callable[[], Awaitable[dict[str, Any]]]:
    """A client's body in parts; it goes away before the end if ``ends`` is false."""
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages.append({"type": "http.request", "body": b"", "more_body": False} if ends else {"type": "http.disconnect"})
    left = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(left)

    return receive


async def perform(
    app: Accept,
    *headers: tuple[bytes, bytes],
    receive: Any = None,
    client: tuple[str, int] | None = ("192.0.2.1", 1),
    certificate: bytes | None = None,
) -> Answer | None:
    """One request through the layer; None when nothing was answered."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    given: dict[str, Any] = {"type": "http", "method": "GET", "headers": list(headers), "client": client}
    if certificate:
        given[PEER_CERTIFICATE] = certificate
    await app(given, receive or chunks(), send)
    if not sent:
        return None
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


def refusal(answer: Answer | None) -> tuple[int, str]:
    assert answer is not None
    status, headers, body = answer
    assert headers[b"content-type"] == b"application/json"
    assert headers[b"cache-control"] == b"no-store"
    assert int(headers[b"content-length"]) == len(body)
    [sentence] = json.loads(body)["errors"]
    return status, sentence


def test_a_request_gets_facts_no_front_end_can_choose() -> None:
    """Id, times, source and certificate."""
    front, clock = Front(), Clock()
    app = Accept(front, Limits(request_seconds=60.0), clock)
    asyncio.run(perform(app, (b"x-request-id", b"chosen"), certificate=b"der"))
    asyncio.run(perform(app, client=None))
    first, second = front.arrivals
    expected = Arrival(first.id, 100_000_000_000, 160.0, "192.0.2.1", b"der")
    assert expected == first
    assert uuid.UUID(first.id).version == 4
    assert first.id != second.id
    assert (second.source, second.peer_certificate) == ("", None)


@given(parts=st.lists(st.binary(max_size=50), max_size=10))
def test_a_body_reaches_the_front_end_in_one_message(parts: list[bytes]) -> None:
    """However it was sent."""
    front = Front()
    app = Accept(front, Limits(), Clock())
    answer = asyncio.run(perform(app, (b"transfer-encoding", b"chunked"), receive=chunks(*parts)))
    assert answer is not None
    assert answer[0] == 204
    assert front.bodies == [b"".join(parts)]


def test_after_its_body_a_front_end_can_wait_for_the_client_to_leave() -> None:
    """The message after the body is the server's own."""
    seen: list[str] = []

    async def front(_scope: Any, receive: Any, _send: Any) -> None:
        seen.extend([(await receive())["type"], (await receive())["type"]])

    async def receive() -> dict[str, Any]:
        return next(messages)

    messages: Iterator[dict[str, Any]] = iter(
        [{"type": "http.request", "body": b"a", "more_body": False}, {"type": "http.disconnect"}]
    )
    asyncio.run(perform(Accept(front, Limits(), Clock()), (b"content-length", b"1"), receive=receive))
    assert seen == ["http.request", "http.disconnect"]


@pytest.mark.parametrize("coding", [b"gzip", b"GZIP", b"deflate", b"br", b"identity, gzip", b"x"])
def test_a_compressed_body_is_refused(coding: bytes) -> None:
    """Before a byte of it is read."""

    async def receive() -> dict[str, Any]:
        raise AssertionError

    app = Accept(Front(), Limits(), Clock())
    answer = asyncio.run(perform(app, (b"content-encoding", coding), (b"content-length", b"5"), receive=receive))
    assert refusal(answer)[0] == 415


@pytest.mark.parametrize("coding", [b"", b"identity"])
def test_a_body_that_says_it_is_not_compressed_is_accepted(coding: bytes) -> None:
    """Identity is no compression."""
    answer = asyncio.run(perform(Accept(Front(), Limits(), Clock()), (b"content-encoding", coding)))
    assert answer is not None
    assert answer[0] == 204


@pytest.mark.parametrize(
    ("headers", "parts", "status"),
    [
        ([(b"content-length", b"10")], [b"x" * 10], 204),
        ([(b"content-length", b"11")], [], 413),
        ([(b"transfer-encoding", b"chunked")], [b"x" * 5, b"x" * 5], 204),
        ([(b"transfer-encoding", b"chunked")], [b"x" * 5, b"x" * 6], 413),
        ([(b"content-length", b"5")], [b"x" * 11], 413),
        ([(b"content-length", b"x")], [], 400),
        ([(b"content-length", b"-1")], [], 400),
        ([(b"content-length", b"9" * 5000)], [], 400),
        ([(b"content-length", "²".encode("latin-1"))], [], 400),
    ],
)
def test_a_body_over_the_bound_is_refused(headers: Any, parts: Iterable[bytes], status: int) -> None:
    """By its length at once, and by its bytes whatever its length said; and all room is given back."""
    app = Accept(Front(), Limits(body_bytes=10, bodies_bytes=20), Clock())
    for _ in range(5):
        answer = asyncio.run(perform(app, *headers, receive=chunks(*parts)))
        assert answer is not None
        assert answer[0] == status
    assert app._bodies._free == 20


def test_a_client_that_leaves_early_gets_nothing_and_holds_nothing() -> None:
    """The front-end never hears of it."""
    front = Front()
    app = Accept(front, Limits(bodies_bytes=10), Clock())
    assert asyncio.run(perform(app, (b"content-length", b"9"), receive=chunks(b"abc", ends=False))) is None
    assert front.arrivals == []
    assert app._bodies._free == 10


def test_a_body_that_takes_too_long_is_refused() -> None:
    """Its deadline is its own."""

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    app = Accept(Front(), Limits(body_seconds=0.001), Clock())
    assert refusal(asyncio.run(perform(app, (b"content-length", b"9"), receive=receive)))[0] == 408


def test_all_bodies_together_are_bounded() -> None:
    """While one is held there is no room for the next; afterwards there is."""

    async def scenario() -> list[int]:
        front = Front()
        front.go = asyncio.Event()
        app = Accept(front, Limits(body_bytes=10, bodies_bytes=15), Clock())
        header = (b"content-length", b"10")
        first = asyncio.create_task(perform(app, header, receive=chunks(b"x" * 10)))
        await front.reached.acquire()
        second = await perform(app, header, receive=chunks(b"x" * 10))
        front.go.set()
        answers = [await first, second, await perform(app, header, receive=chunks(b"x" * 10))]
        return [answer[0] for answer in answers if answer]

    assert asyncio.run(scenario()) == [204, 429, 204]


def test_one_source_cannot_hold_more_than_its_share() -> None:
    """Requests under way count for their own address only, and are forgotten when they end."""

    async def scenario() -> list[int]:
        front = Front()
        front.go = asyncio.Event()
        app = Accept(front, Limits(source_requests=2), Clock())
        held = [asyncio.create_task(perform(app)) for _ in range(2)]
        await front.reached.acquire()
        await front.reached.acquire()
        refused = await perform(app)
        assert refused
        assert refused[1][b"retry-after"] == b"1"
        front.go.set()
        other = await perform(app, client=("192.0.2.2", 1))
        answers = [await held[0], await held[1], refused, other, await perform(app)]
        assert app._sources._under_way == {}
        return [answer[0] for answer in answers if answer]

    assert asyncio.run(scenario()) == [204, 204, 429, 204, 204]


def test_a_source_has_so_many_requests_a_second() -> None:
    """The next second starts anew, and remembers nobody."""
    sources = Sources(10, 2)

    def ask(source: str, now: float) -> bool:
        entered = sources.enter(source, now)
        if entered:
            sources.leave(source)
        return entered

    assert [ask("a", 0.1), ask("a", 0.2), ask("a", 0.9), ask("b", 0.9), ask("a", 1.2)] == [
        True,
        True,
        False,
        True,
        True,
    ]
    assert set(sources._this_second) == {"a"}


def test_an_error_is_answered_and_logged_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    """The log says where; neither it nor the answer says what."""

    async def front(scope: Any, _receive: Any, _send: Any) -> None:
        scope["canary"] = "canary"
        raise ValueError("canary")

    with caplog.at_level(logging.INFO):
        status, sentence = refusal(asyncio.run(perform(Accept(front, Limits(), Clock()))))
    assert status == 500
    [record] = caplog.records
    assert "canary" not in caplog.text + sentence
    assert "ValueError" in caplog.text
    assert record.__dict__["request"] in sentence


def test_an_error_after_the_answer_began_ends_the_connection() -> None:
    """Half an answer must not look whole: the server is told to cut it."""
    began: list[bool] = []

    async def front(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ValueError("canary")

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            if began:
                raise RuntimeError("the answer has begun")
            began.append(True)

    async def scenario() -> None:
        await Accept(front, Limits(), Clock())({"type": "http", "headers": [], "client": None}, chunks(), send)

    with pytest.raises(Exception, match=r"^[0-9a-f-]{36}$") as caught:
        asyncio.run(scenario())
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_websocket_is_refused_and_the_lifespan_passes() -> None:
    """Nothing but HTTP requests reaches a front-end."""
    seen: list[str] = []
    sent: list[Any] = []

    async def front(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["type"])

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {}

    app = Accept(front, Limits(), Clock())
    for kind in ("websocket", "lifespan", "something"):
        asyncio.run(app({"type": kind}, receive, send))
    assert seen == ["lifespan"]
    assert [message["type"] for message in sent] == ["websocket.close"]


def test_request_ids_are_random_uuids() -> None:
    """Across the pool's refills, and never twice."""
    fresh = RequestIds().fresh
    ids = [fresh() for _ in range(10_000)]
    assert len(set(ids)) == 10_000
    parsed = [uuid.UUID(each) for each in ids]
    assert {(each.version, each.variant) for each in parsed} == {(4, uuid.RFC_4122)}
    assert [str(each) for each in parsed] == ids
