"""Commands run against a real HTTP server: the REST front-end over a scripted gateway."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from click.testing import CliRunner, Result
from wardgate.cli import terminal
from wardgate.cli.root import wardgate
from wardgate.spi.frontend import ARRIVAL, Arrival, Frontend, Receive, Scope, Send
from wardgate_native.api import FRONTEND

from tests.support.scripted import Scripted

TOKEN = "wg_canary-token-5d1e"
Run = Callable[..., Result]


class Served(uvicorn.Server):
    """A server that says when it is ready."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        self.ready.set()


def arriving(frontend: Frontend) -> Any:
    """What the accept layer does, as far as a front-end sees it."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        scope[ARRIVAL] = Arrival(id="request-1", received_at=0, deadline=0.0, source="127.0.0.1")
        await frontend(scope, receive, send)

    return application


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """The configuration file of an installation that ``init`` made."""
    config = tmp_path / "wardgate.toml"
    words = ["init", "--data", str(tmp_path / "data"), "--key-file", str(tmp_path / "key"), "--config", str(config)]
    ended = CliRunner().invoke(wardgate, words)
    assert ended.exit_code == 0, ended.stderr
    return config


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[str, Scripted]]:
    """The address of one server for all tests, and the gateway behind it."""
    gateway = Scripted()
    application = arriving(FRONTEND.open(None, gateway))
    server = Served(uvicorn.Config(application, port=0, lifespan="off", ws="none", log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    assert server.ready.wait(30)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}", gateway
    server.should_exit = True
    thread.join()


@pytest.fixture
def gateway(served: tuple[str, Scripted]) -> Scripted:
    """The scripted gateway, with nothing scripted yet."""
    _, gateway = served
    gateway.answers.clear()
    gateway.asked.clear()
    gateway.credentials.clear()
    gateway.namespaces.clear()
    return gateway


@pytest.fixture
def run(served: tuple[str, Scripted], gateway: Scripted) -> Run:
    """``run("get", "a", input=b"")``: one command against the server, with a good token in the environment."""

    def invoke(*arguments: str, input: bytes | None = None, env: Mapping[str, str | None] | None = None) -> Result:  # noqa: A002  # click's name
        environment = {"WARDGATE_ADDR": served[0], "WARDGATE_TOKEN": TOKEN, **(env or {})}
        return CliRunner().invoke(wardgate, list(arguments), input=input, env=environment)

    return invoke


@pytest.fixture
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person sits at the terminal."""
    monkeypatch.setattr(terminal, "somebody_is_there", lambda: True)
