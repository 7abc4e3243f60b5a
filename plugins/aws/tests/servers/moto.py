"""The AWS emulator moto, corrected, as a server of its own process, on a port of this machine that was free.

Its packages come with the development dependencies of this distribution. ``moto_corrected.py`` says what is corrected.
By hand: ``python -m tests.servers.moto`` prints its address, and credentials that it takes, and runs until it is
interrupted.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PATIENCE = 60.0
CORRECTED = Path(__file__).with_name("moto_corrected.py")
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_EC2_METADATA_DISABLED": "true"}


@dataclass(frozen=True)
class Moto:
    """A running server."""

    port: int

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def reset(self) -> None:
        """Empty all its stores, in all regions."""
        self._ask("POST", "/moto-api/reset")

    def answers(self) -> bool:
        try:
            self._ask("GET", "/moto-api/data.json")
        except OSError:
            return False
        return True

    def _ask(self, method: str, path: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request(method, path)
            connection.getresponse().read()


@contextlib.contextmanager
def running(module: str | None = None) -> Iterator[Moto]:
    """A server, ended with the block; one that does not answer raises RuntimeError with what it wrote.

    ``module``: what is run instead of the corrected one, with the arguments of ``moto.server``.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = Moto(free.getsockname()[1])
    what = ["-P", str(CORRECTED)] if module is None else ["-m", module]
    command = [sys.executable, *what, "-H", "127.0.0.1", "-p", str(server.port)]
    environment = {name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "COV"))}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment | CREDENTIALS)
        try:
            deadline = time.monotonic() + PATIENCE
            while not server.answers():
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise RuntimeError(f"moto does not answer: {log.read().decode(errors='replace')[-2_000:]}")
                time.sleep(0.05)
            yield server
        finally:
            process.terminate()
            process.wait()


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    """One server for all tests; the SDK finds credentials for it in the environment, and no files of this machine."""
    with pytest.MonkeyPatch.context() as patch, running() as server:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, text in CREDENTIALS.items():
            patch.setenv(name, text)
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        yield server


if __name__ == "__main__":
    with running() as shown, contextlib.suppress(KeyboardInterrupt):
        lines = [f"export {name}={text}" for name, text in CREDENTIALS.items()]
        print(f"endpoint: {shown.endpoint}", *lines, sep="\n", flush=True)  # noqa: T201  # it is what one runs it for
        signal.pause()
