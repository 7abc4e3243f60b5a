"""How soon a gateway answers, and how much memory a worker takes."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench import peers, wrk
from bench.figures import Figure, median
from tests.servers import gateway

MIB = 1024 * 1024
KIB = 1024


def measure(rounds: int = 5) -> list[Figure]:
    """From the command to the first address printed; and resident memory after some thousand reads.

    As of the second start: the first one writes Python's bytecode, which this run's environment may forbid it.
    """
    with tempfile.TemporaryDirectory(prefix="wardgate-") as name, _bytecode(Path(name) / "bytecode"):
        folder = Path(name)
        token = gateway.initialise(folder, plugins=("native", "vault"), workers=peers.WORKERS)
        gateway.start(folder, token).stop()
        taken = []
        for _ in range(rounds):
            begun = time.perf_counter()
            running = gateway.start(folder, token)
            taken.append(time.perf_counter() - begun)
            running.stop()
        running = gateway.start(folder, token)
        try:
            running.mount("secret", "native")
            peer = peers.Peer("wardgate", running.address, token)
            peers.fill(peer)
            wrk.read(peer.address, peers.PREFIX, token, names=peers.NAMES, seconds=3)
            most = max(_resident(child) for child in _children(running.process.pid))
        finally:
            running.stop()
    print(f"starting: {', '.join(f'{seconds:.2f}' for seconds in taken)} s; a worker holds {most / MIB:.0f} MiB")
    return [
        Figure("start-up", median(taken), 1.5, "s", most=True),
        Figure("memory of a worker", most / 1e6, 150.0, "MB", most=True),
    ]


@contextlib.contextmanager
def _bytecode(folder: Path) -> Iterator[None]:
    """Have the commands that are run meanwhile keep their bytecode, in a folder of their own."""
    before = {name: os.environ.pop(name, None) for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")}
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder)
    try:
        yield
    finally:
        del os.environ["PYTHONPYCACHEPREFIX"]
        os.environ.update({name: value for name, value in before.items() if value is not None})


def _children(process: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        fields = stat.read_text().rpartition(")")[2].split()
        if int(fields[1]) == process:
            found.append(int(stat.parent.name))
    return found


def _resident(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return next(int(line.split()[1]) * KIB for line in status.splitlines() if line.startswith("VmRSS:"))
