"""Starts the toy server as a process of its own, and talks bytes to it."""

from __future__ import annotations

import json
import pathlib
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

TOY = pathlib.Path(__file__).with_name("toy_server.py")


@dataclass
class Running:
    """A toy server under way."""

    process: subprocess.Popen[str]
    folder: pathlib.Path
    url: str

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def connect(self) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def send(self, *parts: bytes) -> list[tuple[int, dict[str, str], bytes]]:
        """Send the parts on one connection, end it, and return all answers."""
        with self.connect() as client:
            for part in parts:
                client.sendall(part)
            return answers(client)

    def ask(self, path: str = "/", method: str = "GET") -> Any:
        """One request; its answer's JSON."""
        [(_, _, body)] = self.send(f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        return json.loads(body)

    def stop(self) -> tuple[int, str]:
        """Ask it to stop; its exit code and what it wrote to the standard error."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        _, errors = self.process.communicate(timeout=60)
        return self.process.returncode, errors


def answers(client: socket.socket) -> list[tuple[int, dict[str, str], bytes]]:
    """All answers until the server closes."""
    received = b""
    try:
        while part := client.recv(65536):
            received += part
    except ConnectionResetError:
        pass
    found = []
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        code = int(status.split(" ")[1])
        length = int(headers.get("content-length", "0"))
        if code != 100:
            found.append((code, headers, received[:length]))
            received = received[length:]
    return found


def spawn(folder: pathlib.Path, **asked: Any) -> subprocess.Popen[str]:
    """Start the program; it may end by itself."""
    return subprocess.Popen(
        [sys.executable, str(TOY), json.dumps({"folder": str(folder), **asked})],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def started(folder: pathlib.Path, **asked: Any) -> Running:
    """Start it and wait until it is ready."""
    process = spawn(folder, **asked)
    assert process.stdout
    url = process.stdout.readline().strip()
    assert url, process.communicate()[1]
    return Running(process, folder, url)


@pytest.fixture(scope="session")
def start_toy() -> Callable[..., Running]:
    """Start a toy server; the caller stops it."""
    return started


@pytest.fixture(scope="session")
def spawn_toy() -> Callable[..., subprocess.Popen[str]]:
    """Start a toy server that is expected to end by itself."""
    return spawn


@pytest.fixture
def toy(tmp_path: pathlib.Path) -> Iterator[Callable[..., Running]]:
    """Start toy servers that end with the test."""
    running: list[Running] = []

    def start(**asked: Any) -> Running:
        running.append(started(tmp_path, **asked))
        return running[-1]

    yield start
    for each in running:
        each.process.kill()
        each.process.communicate()
