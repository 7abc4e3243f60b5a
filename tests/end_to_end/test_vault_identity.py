"""Tokens and AppRole by unmodified clients, through a real gateway and through a real OpenBao alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import hvac
import pytest

from tests.end_to_end import vault_clients
from tests.end_to_end.vault_bao import Bao
from tests.end_to_end.vault_identity import BAO_IDENTITY, HVAC_IDENTITY
from tests.servers.gateway import Running
from tests.servers.openbao import OpenBao


@pytest.fixture(params=["wardgate", "openbao"])
def server(request: pytest.FixtureRequest) -> Running | OpenBao:
    """What answers: a scenario that a real server fails would prove nothing of us."""
    found: Running | OpenBao = request.getfixturevalue("gateway" if request.param == "wardgate" else "openbao")
    return found


@pytest.mark.parametrize("scenario", HVAC_IDENTITY, ids=lambda scenario: scenario.__name__)
def test_hvac_finds_tokens_and_approle(server: Running | OpenBao, scenario: Callable[[hvac.Client], None]) -> None:
    """A Python program with hvac works."""
    scenario(vault_clients.client(server.address, server.token))


@pytest.mark.parametrize("scenario", BAO_IDENTITY, ids=lambda scenario: scenario.__name__)
def test_bao_finds_tokens_and_approle(
    server: Running | OpenBao, scenario: Callable[[Bao], None], bao: Path, tmp_path: Path
) -> None:
    """The ``bao`` command works."""
    scenario(Bao(bao, server.address, tmp_path, server.token))
