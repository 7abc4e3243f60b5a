"""Revocation under load: after a token's end was acknowledged, how late is the last grant to it on any worker?"""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Final
from urllib.parse import urlsplit

import uvloop

from bench import peers, wrk
from bench.figures import Figure
from tests.servers import gateway

WORKERS: Final = 4
TRIALS: Final = 500
BETWEEN_SECONDS: Final = 0.2
"""From one trial's begin to the next one's: they overlap, so that 500 take less than two minutes."""

WATCHERS: Final = 8
"""Connections that go on asking with the token; with as many, every worker serves some."""

LOAD: Final = 16
"""Connections of others, as fast as they are answered."""

GOAL_SECONDS: Final = 1.0
WATCHED_SECONDS: Final = 1.2
"""How long they ask on after the acknowledgement: a grant later than the goal must be seen."""

PAUSE_SECONDS: Final = 0.02
"""Between an answer and a watcher's next request; the watchers of a trial do not ask at the same moments."""

_GRANTED, _DONE, _REFUSED = 200, 204, 403


class Unwatched(RuntimeError):
    """A trial that proves nothing: the token was answered otherwise, or not asked with until the watch was over."""


def measure(trials: int = TRIALS) -> list[Figure]:
    """The latest grant of all trials, in milliseconds after the acknowledgement; 0 when there was none."""
    with gateway.running(plugins=("native", "vault"), workers=WORKERS) as running:
        running.call("PUT", f"{peers.PREFIX}0", {"data": {"a": "b"}})
        policy = {"rules": [{"effect": "allow", "actions": ["read"], "paths": ["secret/**"]}]}
        running.call("PUT", "/api/v1/policies/reader", policy)
        over = threading.Event()
        load = threading.Thread(target=_load, args=(peers.Peer("wardgate", running.address, running.token), over))
        load.start()
        try:
            latest = uvloop.run(_trials(running, trials))
        finally:
            over.set()
            load.join()
    late = sum(after > 0 for after in latest)
    print(
        f"revocation: {trials} trials over {WORKERS} workers, {late} grants after it, the latest {max(latest):.1f} ms"
    )
    return [
        Figure(
            "latest grant after a revocation", max(latest), GOAL_SECONDS * 1e3, "ms", most=True,
            beside=f"{trials} trials, {WORKERS} workers, {late} with any grant after the acknowledgement; "
            f"watched for {WATCHED_SECONDS} s",
        )
    ]  # fmt: skip


def _load(peer: peers.Peer, over: threading.Event) -> None:
    while not over.is_set():
        wrk.read(peer.address, peers.PREFIX, peer.token, names=1, seconds=2, connections=LOAD)


async def _trials(running: gateway.Running, trials: int) -> list[float]:
    async with asyncio.TaskGroup() as group:
        begun = []
        for _ in range(trials):
            begun.append(group.create_task(_trial(running)))
            await asyncio.sleep(BETWEEN_SECONDS)
    return [trial.result() for trial in begun]


async def _trial(running: gateway.Running) -> float:
    wanted = {"name": "trial", "policies": ["reader"]}
    token = (await asyncio.to_thread(running.call, "POST", "/api/v1/keys", wanted)).json()["token"]
    watch = _Watch(running.address, token)
    async with asyncio.TaskGroup() as watchers:
        for number in range(WATCHERS):
            watchers.create_task(watch.go_on(number))
        acknowledged = await watch.revoke()
        await asyncio.sleep(WATCHED_SECONDS)
        watch.over = True
    if watch.asked - acknowledged < GOAL_SECONDS:
        raise Unwatched("nobody asked with the token until the goal's time was over")
    return max(0.0, (watch.granted - acknowledged) * 1e3)


class _Watch:
    """One token, those who ask with it, and its end. ``asked`` and ``granted``: when the latest request was sent."""

    def __init__(self, address: str, token: str) -> None:
        self.over = False
        self.asked = self.granted = 0.0
        self._at = urlsplit(address)
        self._token = token
        self._ready = asyncio.Barrier(WATCHERS + 1)

    async def go_on(self, number: int) -> None:
        """Note when each request that was granted was sent: what was sent before the end may be answered after it."""
        reader, writer = await asyncio.open_connection(self._at.hostname, self._at.port)
        status, expected = await self._ask(reader, writer), {_GRANTED}
        if status in expected:
            await self._ready.wait()
            await asyncio.sleep(PAUSE_SECONDS * number / WATCHERS)
            expected = {_GRANTED, _REFUSED}
        while status in expected and not self.over:
            status = await self._ask(reader, writer)
            await asyncio.sleep(PAUSE_SECONDS)
        writer.close()
        if status not in expected:
            raise Unwatched(f"a read was answered {status}")

    async def revoke(self) -> float:
        """End the token once all have been granted a read; when that was acknowledged."""
        reader, writer = await asyncio.open_connection(self._at.hostname, self._at.port)
        await self._ready.wait()
        status = await self._exchange(reader, writer, "POST /v1/auth/token/revoke-self")
        acknowledged = time.perf_counter()
        writer.close()
        if status != _DONE:
            raise Unwatched(f"the revocation was answered {status}")
        return acknowledged

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        asked = time.perf_counter()
        status = await self._exchange(reader, writer, f"GET {peers.PREFIX}0")
        self.asked = max(self.asked, asked)
        if status == _GRANTED:
            self.granted = max(self.granted, asked)
        return status

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: str) -> int:
        headers = f"Host: {self._at.netloc}\r\nX-Vault-Token: {self._token}\r\nContent-Length: 0\r\n"
        writer.write(f"{line} HTTP/1.1\r\n{headers}\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if b"content-length: " in head:
            await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
        return int(head.split(b" ", 2)[1])
