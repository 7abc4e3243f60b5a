"""20,000 malformed requests over the wire: each answered or cut off by rule, none with a 5xx, none slow, none kept."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.servers.gateway import Running, running
from tests.support.malformed import Malformed, Stream

REQUESTS = 20_000
SEED = 20_261
AT_ONCE = 32
SLOW = 1.0
PATIENCE = 20.0
"""Seconds after which a connection counts as forgotten; a busy machine takes some of them."""
QUIET = 0.25
"""Seconds without an answer after which a client, whose request may not be whole, says that nothing more comes."""
GROWTH = 64 * 1024
"""KiB that each worker may grow by."""
WARM_UP = 500
STATUS = re.compile(rb"HTTP/1\.1 ([2-5]\d\d) ")
LIMITS = "[limits]\nheader_seconds = 0.5\nbody_seconds = 0.5\n"


@dataclass
class Seen:
    """What came of all streams."""

    statuses: Counter[int] = field(default_factory=Counter)
    requests: int = 0
    closed: int = 0
    slow: list[Stream] = field(default_factory=list)
    failed: list[tuple[int, bytes]] = field(default_factory=list)
    forgotten: list[bytes] = field(default_factory=list)
    slowest: float = 0.0


async def send(port: int, stream: Stream, seen: Seen) -> float:
    """Send a stream and read its answers; seconds for one of its requests."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = b""
    try:
        async with asyncio.timeout(PATIENCE):
            writer.write(stream.data)
            waiting = stream.ends
            while len(STATUS.findall(answers)) < stream.requests:
                try:
                    more = await asyncio.wait_for(reader.read(1 << 16), QUIET if waiting else None)
                except TimeoutError:
                    if not waiting:
                        raise
                    writer.write_eof()
                    waiting = False
                    began = time.monotonic()
                    continue
                if not more:
                    break
                answers += more
    except TimeoutError:
        seen.forgotten.append(stream.data[:2_000])
    except OSError:
        pass  # reset: cut off while it was still sending
    finally:
        writer.transport.abort()
    statuses = [int(status) for status in STATUS.findall(answers)]
    seen.statuses.update(statuses)
    seen.closed += not statuses
    seen.requests += stream.requests
    seen.failed += [(status, stream.data[:2_000]) for status in statuses if status >= 500]
    return (time.monotonic() - began) / stream.requests


async def send_all(port: int, streams: Iterator[Stream]) -> Seen:
    """Some at a time; what was slow is tried again alone, since the machine may have been busy with the others."""
    seen = Seen()

    async def worker() -> None:
        for stream in streams:
            if await send(port, stream, seen) >= SLOW:
                seen.slow.append(stream)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(worker())
    tried, seen.slow = seen.slow, []
    for stream in tried:
        fastest = min([await send(port, stream, seen) for _ in range(3)])
        seen.slowest = max(seen.slowest, fastest)
        if fastest >= SLOW:
            seen.slow.append(stream)
    return seen


def workers(gateway: Running) -> list[int]:
    children = Path(f"/proc/{gateway.process.pid}/task/{gateway.process.pid}/children").read_text()
    return sorted(map(int, children.split()))


def resident(pid: int) -> int:
    """KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1])


def key(gateway: Running) -> str:
    made = gateway.call("POST", "/api/v1/keys", {"name": "fuzz", "policies": ["administrator"]})
    assert 201 == made.status, made.body
    return str(made.json()["token"])


@pytest.fixture(scope="module")
def ended() -> Iterator[tuple[Running, Seen, dict[int, int], str]]:
    """A gateway after the flood, what it answered, and how much each worker grew in KiB."""
    with running(plugins=["native", "vault"], workers=2, more=LIMITS) as gateway:
        made = gateway.call("POST", "/v1/sys/mounts/kv1", {"type": "kv", "options": {"version": "1"}})
        assert 204 == made.status, made.body
        for path in ("secret/data/fuzz", "kv1/fuzz"):
            assert gateway.call("POST", f"/v1/{path}", {"data": {"a": "b"}}).status in {200, 204}
        token = key(gateway)
        made_up = Malformed(SEED, token, [key(gateway) for _ in range(40)])
        asyncio.run(send_all(gateway.port, made_up.streams(WARM_UP)))
        before = {pid: resident(pid) for pid in workers(gateway)}
        seen = asyncio.run(send_all(gateway.port, made_up.streams(REQUESTS)))
        after = {pid: resident(pid) for pid in workers(gateway)}
        assert list(before) == list(after), "a worker died and was replaced"
        yield gateway, seen, {pid: after[pid] - before[pid] for pid in before}, token


Ended = tuple[Running, Seen, dict[int, int], str]


@pytest.mark.slow
def test_the_flood_reaches_the_routes(ended: Ended) -> None:
    """Or all of this would be blind: much is refused in many ways, and some of it is even done."""
    seen = ended[1]
    print(seen.requests, seen.statuses, seen.closed, seen.slowest, ended[2])
    assert seen.requests >= REQUESTS
    assert {200, 204, 400, 403, 404, 405, 408, 413, 415, 431} - set(seen.statuses) <= {413}
    assert seen.statuses[200] > 500
    assert seen.statuses[400] > 2_000


@pytest.mark.slow
def test_none_is_answered_with_a_5xx(ended: Ended) -> None:
    """Bad input is the client's fault, and said to be."""
    assert [] == ended[1].failed


@pytest.mark.slow
def test_each_is_answered_or_its_connection_closed(ended: Ended) -> None:
    """None hangs, and few are closed without a word: those that were not whole when the client had ended them."""
    seen = ended[1]
    assert [] == seen.forgotten
    assert seen.closed < seen.requests / 10


@pytest.mark.slow
def test_none_takes_a_second(ended: Ended) -> None:
    """However much is asked for with few bytes."""
    assert [] == ended[1].slow


@pytest.mark.slow
def test_the_workers_hardly_grow(ended: Ended) -> None:
    """What a stranger sends is not kept."""
    assert all(growth <= GROWTH for growth in ended[2].values()), ended[2]


@pytest.mark.slow
def test_the_gateway_serves_as_before(ended: Ended) -> None:
    """The log tells of no defect, and what is good is still answered, in every worker."""
    gateway, _, _, token = ended
    for _ in range(8):
        assert gateway.call("GET", "/v1/secret/data/fuzz", token=token).status in {200, 404}
        assert 204 == gateway.call("POST", "/v1/kv1/after", {"a": "b"}, token=token).status
    assert "request_failed" not in (gateway.folder / "serve.log").read_text()
    assert "Traceback" not in (gateway.folder / "serve.log").read_text()
