"""A client that goes away takes its request along, and nobody calls that a fault."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.waiting import until

HANG = b"GET /hang HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /hang HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"


def close(client: socket.socket) -> None:
    client.close()


def end(client: socket.socket) -> None:
    client.shutdown(socket.SHUT_WR)


def reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@pytest.mark.parametrize("leave", [close, end, reset])
@pytest.mark.parametrize("request_bytes", [HANG, POST], ids=["read", "with a body"])
def test_what_nobody_waits_for_ends(toy: Callable[..., Any], request_bytes: bytes, leave: Any) -> None:
    """However the client leaves; the server serves on, and its log holds no error."""
    server = toy()
    with server.connect() as client:
        client.sendall(request_bytes)
        until((server.folder / "hang-began").exists)
        assert not (server.folder / "hang-ended").exists()
        leave(client)
        until((server.folder / "hang-ended").exists)
    assert server.ask("/")["raw_path"] == "/"
    code, told = server.stop()
    assert (0, "") == (code, "".join(line for line in told.splitlines() if "rror" in line or "Traceback" in line))
