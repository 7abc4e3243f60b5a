"""Unmodified clients over a gateway in memory, and over a real OpenBao: the same scenarios pass on both."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.frontend import ARRIVAL, Arrival
from wardgate_vault.api import FRONTEND

from tests.end_to_end import vault_bao, vault_clients, vault_kv
from tests.end_to_end.vault_bao import Bao
from tests.end_to_end.vault_clients import client
from tests.servers.openbao import OpenBao

Scenario = Callable[[Any, str, Capabilities], None]
HVAC_SCENARIOS = (*vault_clients.HVAC_SCENARIOS, *vault_kv.HVAC_SCENARIOS)
BAO_SCENARIOS = (*vault_bao.BAO_SCENARIOS, *vault_kv.BAO_SCENARIOS)
BOTH = pytest.mark.parametrize("gateway", ["memory", "odd"], indirect=True)


@pytest.fixture
def address(gateway: Any) -> Iterator[str]:
    """The front-end over the gateway in memory, behind a socket."""
    frontend = FRONTEND.open(None, gateway)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        scope[ARRIVAL] = Arrival(str(uuid.uuid4()), time.time_ns(), time.monotonic() + 10, "127.0.0.1")
        await frontend(scope, receive, send)

    # h11, because httptools refuses the verb LIST.
    config = uvicorn.Config(application, port=0, http="h11", lifespan="off", log_level="critical", loop="asyncio")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def _bao(bao: Path, address: str, token: str, home: Path) -> Bao:
    return Bao(command=bao, address=address, home=home, token=token)


@BOTH
@pytest.mark.parametrize("scenario", HVAC_SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_hvac_is_served(scenario: Scenario, address: str, token: str, gateway: Any) -> None:
    """Hvac finds what it expects of a Vault server."""
    scenario(client(address, token), "secret", gateway.capabilities)


@BOTH
@pytest.mark.parametrize("scenario", BAO_SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_bao_is_served(scenario: Scenario, address: str, token: str, gateway: Any, bao: Path, tmp_path: Path) -> None:
    """The command finds what it expects of its own server."""
    scenario(_bao(bao, address, token, tmp_path), "secret", gateway.capabilities)


@pytest.mark.parametrize("scenario", HVAC_SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_hvac_is_served_the_same_by_openbao(scenario: Scenario, openbao: OpenBao, gateway: Any) -> None:
    """A scenario that a real server fails would prove nothing of us."""
    scenario(client(openbao.address, openbao.token), "secret", gateway.capabilities)


@pytest.mark.parametrize("scenario", BAO_SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_bao_is_served_the_same_by_openbao(
    scenario: Scenario, openbao: OpenBao, gateway: Any, bao: Path, tmp_path: Path
) -> None:
    """And likewise for the command."""
    scenario(_bao(bao, openbao.address, openbao.token, tmp_path), "secret", gateway.capabilities)


@pytest.mark.parametrize("scenario", vault_kv.HVAC_FIRST, ids=lambda scenario: scenario.__name__)
def test_hvac_is_served_version_1_the_same(
    scenario: Scenario, address: str, token: str, openbao: OpenBao, gateway: Any
) -> None:
    """By us and by a real server."""
    scenario(client(address, token), "kv1", gateway.capabilities)
    scenario(client(openbao.address, openbao.token), openbao.new_mount(version="1"), gateway.capabilities)


@pytest.mark.parametrize("scenario", vault_kv.BAO_FIRST, ids=lambda scenario: scenario.__name__)
def test_bao_is_served_version_1_the_same(
    scenario: Scenario, address: str, token: str, openbao: OpenBao, gateway: Any, bao: Path, tmp_path: Path
) -> None:
    """And the command."""
    scenario(_bao(bao, address, token, tmp_path), "kv1", gateway.capabilities)
    mount = openbao.new_mount(version="1")
    scenario(_bao(bao, openbao.address, openbao.token, tmp_path), mount, gateway.capabilities)
