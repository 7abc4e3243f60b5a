"""The servers that are compared, each started for the run: Wardgate, OpenBao, and uvicorn with next to nothing."""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.servers import gateway, openbao

NAMES = 1_000
PREFIX = "/v1/secret/data/bench/"
WORKERS = 2


@dataclass(frozen=True, slots=True)
class Peer:
    """A server under load."""

    name: str
    address: str
    token: str = field(repr=False)


@contextlib.contextmanager
def wardgate(name: str = "wardgate", *, synced: bool = True, workers: int = WORKERS) -> Iterator[Peer]:
    """``wardgate serve`` over the native store, with secrets to read."""
    more = "" if synced else "[audit]\nsynced = false\n"
    with gateway.running(plugins=("native", "vault"), workers=workers, more=more) as running:
        peer = Peer(name, running.address, running.token)
        fill(peer)
        yield peer


@contextlib.contextmanager
def bao() -> Iterator[Peer]:
    """OpenBao with raft storage and a file audit device, which it does not sync; with the same secrets."""
    with openbao.running() as running:
        peer = Peer("openbao", running.address, running.token)
        fill(peer)
        yield peer


@contextlib.contextmanager
def bare() -> Iterator[Peer]:
    """Uvicorn with two workers and an application that answers any request with as many bytes as a read has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = (sys.executable, "-m", "uvicorn", "bench.bare:app", "--port", str(port), "--workers", str(WORKERS))
    server = subprocess.Popen([*command, "--no-access-log", "--log-level", "error"])
    try:
        peer = Peer("bare uvicorn", f"http://127.0.0.1:{port}", "none")
        _wait(peer.address)
        yield peer
    finally:
        server.terminate()
        server.wait(20)


def fill(peer: Peer) -> None:
    """Write the secrets that are read."""
    for number in range(NAMES):
        body = json.dumps({"data": {"username": f"user-{number}", "password": secrets.token_hex(16)}}).encode()
        headers = {"X-Vault-Token": peer.token, "Content-Type": "application/json"}
        request = urllib.request.Request(f"{peer.address}{PREFIX}{number}", body, headers, method="PUT")
        urllib.request.urlopen(request, timeout=10).close()


def _wait(address: str) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(address, timeout=1).close()
            return
        time.sleep(0.1)
    sys.exit(f"{address} did not answer in 30 s")
