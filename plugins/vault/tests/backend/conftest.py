"""What the backend's tests share: a clock to wind, and backends that are closed at the end."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from wardgate.spi.backend import Backend
from wardgate.spi.options import parse
from wardgate.spi.services import Services
from wardgate_vault.options import Options
from wardgate_vault.plugin import BACKEND

from tests.servers.sockets import SocketServer, listening


class WoundClock:
    """Wall time is the machine's, since servers stamp versions with theirs; monotonic time only moves when wound."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def now(self) -> int:
        return time.time_ns()

    def monotonic(self) -> float:
        return self.seconds


class Codes:
    """As much of a keyring as a backend asks for."""

    def mac(self, purpose: str, fields: Sequence[bytes]) -> bytes:
        message = b"".join(len(field).to_bytes(8) + field for field in (purpose.encode(), *fields))
        return hmac.digest(b"key", message, "sha256")


@pytest.fixture
def clock() -> WoundClock:
    return WoundClock()


@pytest.fixture
def opened(clock: WoundClock) -> Iterator[Callable[..., Backend]]:
    """Opens a backend with these options, as a mount does."""
    backends: list[Backend] = []

    def opened(**options: Any) -> Backend:
        services = cast("Services", SimpleNamespace(clock=clock, keyring=Codes(), mount="kv"))
        backends.append(BACKEND.open(parse(Options, options, of="mount kv/"), services))
        return backends[-1]

    yield opened
    for backend in backends:
        asyncio.run(backend.close())


@pytest.fixture
def server() -> Iterator[SocketServer]:
    """A server that behaves as it is told."""
    with listening() as server:
        yield server
