"""Reads through the Vault front-end, against OpenBao in the same run.

Wardgate: two workers, the native store, each audit record synced before the answer. OpenBao: raft storage and a
file audit device, which it does not sync. 64 connections, 1,000 secrets in turn; rounds alternate, medians count.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from bench import wrk
from tests.servers import openbao

NAMES = 1_000
CONNECTIONS = 64
GOAL = 5.0


def free_port() -> int:
    """A port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def wardgate(workers: int = 2) -> Iterator[tuple[str, str]]:
    """``wardgate dev`` on a free port; yields its address and an administrator's token."""
    port, token = free_port(), secrets.token_urlsafe(24)
    with tempfile.TemporaryDirectory(prefix="wardgate-bench-") as folder:
        command = [
            str(Path(sys.executable).with_name("wardgate")),
            "dev",
            "--listen",
            f"127.0.0.1:{port}",
            "--data",
            f"{folder}/d",
        ]
        server = subprocess.Popen([*command, "--token", token, "--workers", str(workers)], stdout=subprocess.DEVNULL)
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(f"{address}/v1/sys/health", server)
            yield address, token
        finally:
            server.terminate()
            server.wait(20)


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if server.poll() is not None:
            sys.exit("wardgate dev ended while starting")
        with contextlib.suppress(OSError, urllib.error.URLError):
            urllib.request.urlopen(url, timeout=1).close()
            return
        time.sleep(0.1)
    sys.exit(f"{url} did not answer in 30 s")


def fill(address: str, token: str) -> None:
    """Write the secrets that are read."""
    for number in range(NAMES):
        body = json.dumps({"data": {"username": f"user-{number}", "password": secrets.token_hex(16)}}).encode()
        headers = {"X-Vault-Token": token, "Content-Type": "application/json"}
        url = f"{address}/v1/secret/data/bench/{number}"
        urllib.request.urlopen(urllib.request.Request(url, body, headers, method="PUT"), timeout=10).close()


def main(rounds: int = 5, seconds: int = 5) -> None:
    """Run and print a table; exits 1 below the goal."""
    with wardgate() as ours, openbao.running() as server:
        peers = {"wardgate": ours, "openbao": (server.address, server.token)}
        for address, token in peers.values():
            fill(address, token)
        runs: dict[str, list[wrk.Run]] = {name: [] for name in peers}
        for round_ in range(rounds + 1):
            for name, (address, token) in peers.items():
                run = wrk.read(
                    address, "/v1/secret/data/bench/", token, names=NAMES, connections=CONNECTIONS, seconds=seconds
                )
                if round_:  # the first round warms both up
                    runs[name].append(run)
                print(f"round {round_}: {name:9} {run.rate:8.0f}/s  p99 {run.p99:6.1f} ms", flush=True)
    print(report(runs))
    if ratio(runs) < GOAL:
        sys.exit(1)


def ratio(runs: dict[str, list[wrk.Run]]) -> float:
    """The median over rounds of Wardgate's rate over OpenBao's."""
    return statistics.median(a.rate / b.rate for a, b in zip(runs["wardgate"], runs["openbao"], strict=True))


def report(runs: dict[str, list[wrk.Run]]) -> str:
    """The table, as Markdown."""
    lines = ["", "| | reads/s | p50 ms | p99 ms | errors |", "|---|---|---|---|---|"]
    for name, measured in runs.items():
        rate, p50, p99 = (
            statistics.median(getattr(run, figure) for run in measured) for figure in ("rate", "p50", "p99")
        )
        lines.append(f"| {name} | {rate:,.0f} | {p50:.1f} | {p99:.1f} | {sum(run.errors for run in measured)} |")
    return "\n".join([*lines, "", f"ratio: {ratio(runs):.1f} (goal: {GOAL:.0f})"])
