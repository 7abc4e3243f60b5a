"""2,000 connections that stay open, each asking again and again: no error, and none waits for long."""

from __future__ import annotations

import asyncio
import time
from urllib.parse import urlsplit

import uvloop

from bench import peers
from bench.figures import Figure

CONNECTIONS = 2_000
SECONDS = 20.0
PAUSE = 0.5
"""Seconds between an answer and the next request of a connection: a crowd, not a flood."""


def measure() -> list[Figure]:
    """Errors, and the longest any request waited."""
    with peers.wardgate() as ours:
        waited, errors, answered = uvloop.run(_all(ours))
    print(f"crowd: {answered:,} answers on {CONNECTIONS:,} connections, {errors} errors, longest wait {waited:.2f} s")
    return [
        Figure("longest wait among 2,000 connections", waited, 1.0, "s", most=True, beside=f"{answered:,} answers"),
        Figure("errors among 2,000 connections", errors, 0.0, most=True),
    ]


async def _all(peer: peers.Peer) -> tuple[float, int, int]:
    begin = asyncio.Event()
    clients = [asyncio.create_task(_one(peer, number, begin)) for number in range(CONNECTIONS)]
    await asyncio.sleep(3)  # all are connected before the first asks
    begin.set()
    results = await asyncio.gather(*clients)
    return max(r[0] for r in results), sum(r[1] for r in results), sum(r[2] for r in results)


async def _one(peer: peers.Peer, number: int, begin: asyncio.Event) -> tuple[float, int, int]:
    at = urlsplit(peer.address)
    head = (
        f"GET {peers.PREFIX}{number % peers.NAMES} HTTP/1.1\r\nHost: {at.netloc}\r\nX-Vault-Token: {peer.token}\r\n\r\n"
    ).encode()
    longest, errors, answered = 0.0, 0, 0
    try:
        reader, writer = await asyncio.open_connection(at.hostname, at.port)
        await begin.wait()
        await asyncio.sleep(PAUSE * (number / CONNECTIONS))
        end = time.perf_counter() + SECONDS
        while time.perf_counter() < end:
            asked = time.perf_counter()
            writer.write(head)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            longest = max(longest, time.perf_counter() - asked)
            answered += 1
            errors += not answer.startswith(b"HTTP/1.1 200 ")
            await asyncio.sleep(PAUSE)
        writer.close()
    except (OSError, asyncio.IncompleteReadError):
        errors += 1
    return longest, errors, answered
