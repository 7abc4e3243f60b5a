"""The control socket: a Unix socket beside the data, for its owner alone. One line of JSON asks, one answers."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from wardgate.spi.errors import Unavailable
from wardgate.spi.options import nearest

NAME = "control.sock"
_SECONDS = 2.0
_LONGEST = 64 * 1024

Command = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class Control:
    """The server's end; the supervisor calls ``answer`` when ``socket`` is readable."""

    def __init__(self, folder: Path, commands: Mapping[str, Command]) -> None:
        self._commands = commands
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(_SECONDS)
        with _short(folder) as path:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)  # noqa: PTH108  # left by a server that was killed; the folder's lock is ours
            mask = os.umask(0o177)
            try:
                self.socket.bind(path)
            finally:
                os.umask(mask)
        self.socket.listen(8)
        self._file = folder / NAME

    def answer(self) -> None:
        """Answer one client; a bad or slow one is dropped."""
        with contextlib.suppress(OSError), self.socket.accept()[0] as client:
            client.sendall(json.dumps(self._reply(_line(client))).encode() + b"\n")

    def close(self) -> None:
        """Take the socket away."""
        self.socket.close()
        self._file.unlink(missing_ok=True)

    def _reply(self, line: bytes) -> Mapping[str, Any]:
        try:
            asked = json.loads(line)
            name = asked["command"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return {"error": 'ask with one line of JSON, such as {"command": "status"}'}
        command = self._commands.get(name) if isinstance(name, str) else None
        if command is None:
            return {"error": f"unknown command {name!r}{nearest(str(name), self._commands)}"}
        return command(asked)


def ask(folder: Path, command: str, **arguments: Any) -> dict[str, Any]:
    """Ask the server that runs on this data folder (of a dev server: on the folder above).

    Raises:
        Unavailable: no server runs there, or it did not answer.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client, _short(folder) as path:
            client.settimeout(_SECONDS)
            client.connect(path)
            client.sendall(json.dumps({"command": command, **arguments}).encode() + b"\n")
            answer: dict[str, Any] = json.loads(_line(client))
    except (OSError, ValueError):
        raise Unavailable(f"no server answers at {folder / NAME}; start it with wardgate serve") from None
    return answer


def _line(peer: socket.socket) -> bytes:
    """One line, or what came of it; raises TimeoutError when it is not whole in time."""
    line = bytearray()
    end = time.monotonic() + _SECONDS
    while not line.endswith(b"\n") and len(line) < _LONGEST:
        peer.settimeout(max(end - time.monotonic(), 0.001))
        part = peer.recv(4096)
        if not part:
            break
        line += part
    return bytes(line)


@contextlib.contextmanager
def _short(folder: Path) -> Any:
    """The socket's path by way of an open folder: a Unix socket's own path may have 107 bytes only."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{opened}/{NAME}"
    finally:
        os.close(opened)
