"""Revocation under load: after a token's end was acknowledged, how late is the last grant to it on any worker?"""

from __future__ import annotations

import http.client
import threading
import time
from urllib.parse import urlsplit

from bench import peers, wrk
from bench.figures import Figure
from tests.servers import gateway

WORKERS = 4
TRIALS = 500
WATCHERS = 8
"""Connections that go on asking with the token; with as many, every worker serves some."""

LOAD = 16
"""Connections of others, as fast as they are answered."""

WATCHED_SECONDS = 0.05
"""How long they ask on after the acknowledgement."""


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
            latest = [_trial(running) for _ in range(trials)]
        finally:
            over.set()
            load.join()
    late = sum(after > 0 for after in latest)
    print(
        f"revocation: {trials} trials over {WORKERS} workers, {late} grants after it, the latest {max(latest):.1f} ms"
    )
    return [
        Figure(
            "latest grant after a revocation", max(latest), 1_000.0, "ms", most=True,
            beside=f"{trials} trials, {WORKERS} workers, {late} with any grant after the acknowledgement",
        )
    ]  # fmt: skip


def _load(peer: peers.Peer, over: threading.Event) -> None:
    while not over.is_set():
        wrk.read(peer.address, peers.PREFIX, peer.token, names=1, seconds=2, connections=LOAD)


def _trial(running: gateway.Running) -> float:
    made = running.call("POST", "/api/v1/keys", {"name": "trial", "policies": ["reader"]}).json()
    stop = threading.Event()
    ready = threading.Barrier(WATCHERS + 1)
    granted: list[float] = []
    watchers = [
        threading.Thread(target=_watch, args=(running.address, made["token"], stop, ready, granted))
        for _ in range(WATCHERS)
    ]
    for watcher in watchers:
        watcher.start()
    ready.wait()
    gone = running.call("POST", "/v1/auth/token/revoke-self", token=made["token"])
    acknowledged = time.perf_counter()
    assert gone.status == 204, gone.status
    time.sleep(WATCHED_SECONDS)
    stop.set()
    for watcher in watchers:
        watcher.join()
    return max(0.0, max(asked - acknowledged for asked in granted) * 1e3)


def _watch(address: str, token: str, stop: threading.Event, ready: threading.Barrier, granted: list[float]) -> None:
    """Note when each request that was granted was sent: what was sent before the end may be answered after it."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=10)
    first = True
    while not stop.is_set():
        asked = time.perf_counter()
        connection.request("GET", f"{peers.PREFIX}0", headers={"X-Vault-Token": token})
        response = connection.getresponse()
        response.read()
        if response.status == 200:
            granted.append(asked)
        if first:
            first = False
            ready.wait()
    connection.close()
