"""Unmodified Vault clients and recorded wire scenarios, through a real gateway, over four unlike stores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from wardgate.spi.capabilities import Capabilities
from wardgate_conformance.odd import OddBackend
from wardgate_native.backend import NativeBackend
from wardgate_vault.backend import VaultBackend
from wardgate_vault.backend_v1 import KvOneBackend

from tests.end_to_end import vault_bao, vault_clients, vault_kv, vault_vectors
from tests.servers.gateway import Running
from tests.servers.openbao import OpenBao

BACKENDS: dict[str, Capabilities] = {
    "native": NativeBackend.capabilities,
    "openbao": VaultBackend.capabilities,
    "openbao-kv1": KvOneBackend.capabilities,
    "odd": OddBackend.capabilities,
}


@pytest.fixture(scope="session")
def made() -> set[str]:
    """The mounts there are: pytest sets a parametrized fixture up again whenever its parameter comes back."""
    return set()


@pytest.fixture(params=BACKENDS)
def mounted(
    request: pytest.FixtureRequest, gateway: Running, made: set[str], tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The prefix of a mount with that backend, which is also its name here; ``<prefix>-1`` is shown as version 1."""
    name: str = request.param
    if name in made:
        return name
    made.add(name)
    for prefix, version in ((name, "2"), (f"{name}-1", "1")):
        options: dict[str, object] = {}
        if name == "odd":
            options = {"folder": str(tmp_path_factory.mktemp("odd"))}
        elif name.startswith("openbao"):
            server: OpenBao = request.getfixturevalue("openbao")
            engine = 1 if name == "openbao-kv1" else 2
            options = {"address": server.address, "token": server.token, "kv_version": engine}
            options["mount"] = server.new_mount(version=str(engine))
        kind = "vault" if name.startswith("openbao") else name
        asked = {"prefix": prefix, "type": kind, "options": options, "presentation": {"vault.kv": version}}
        assert gateway.call("POST", "/api/v1/mounts", asked).status == 201
    return name


@pytest.mark.parametrize(
    "scenario", [*vault_clients.HVAC_SCENARIOS, *vault_kv.HVAC_SCENARIOS], ids=lambda scenario: scenario.__name__
)
def test_hvac_over(gateway: Running, mounted: str, scenario: Callable[[Any, str, Capabilities], None]) -> None:
    """A Python program with hvac works, or is refused plainly what the store cannot do."""
    scenario(vault_clients.client(gateway.address, gateway.token), mounted, BACKENDS[mounted])


@pytest.mark.parametrize(
    "scenario", [*vault_bao.BAO_SCENARIOS, *vault_kv.BAO_SCENARIOS], ids=lambda scenario: scenario.__name__
)
def test_bao_over(
    gateway: Running,
    mounted: str,
    bao: Path,
    tmp_path: Path,
    scenario: Callable[[vault_bao.Bao, str, Capabilities], None],
) -> None:
    """The ``bao`` command works, or is refused plainly what the store cannot do."""
    scenario(vault_bao.Bao(bao, gateway.address, tmp_path, gateway.token), mounted, BACKENDS[mounted])


@pytest.mark.parametrize("scenario", vault_kv.HVAC_FIRST, ids=lambda scenario: scenario.__name__)
def test_hvac_over_version_1_of(
    gateway: Running, mounted: str, scenario: Callable[[Any, str, Capabilities], None]
) -> None:
    """The same store shown as version 1."""
    scenario(vault_clients.client(gateway.address, gateway.token), f"{mounted}-1", BACKENDS[mounted])


@pytest.mark.parametrize("scenario", vault_kv.BAO_FIRST, ids=lambda scenario: scenario.__name__)
def test_bao_over_version_1_of(
    gateway: Running,
    mounted: str,
    bao: Path,
    tmp_path: Path,
    scenario: Callable[[vault_bao.Bao, str, Capabilities], None],
) -> None:
    """And by the command."""
    client = vault_bao.Bao(bao, gateway.address, tmp_path, gateway.token)
    scenario(client, f"{mounted}-1", BACKENDS[mounted])


@pytest.mark.parametrize(
    ("mounted", "vector"),
    [
        pytest.param(name, vector, id=f"{name}-{vector.name}")
        for name, capabilities in BACKENDS.items()
        for vector in vault_vectors.vectors()
        if vector.applies_to(capabilities) and not vector.namespace
    ],
    indirect=["mounted"],
)
def test_wire_vector_over(gateway: Running, mounted: str, vector: vault_vectors.Vector) -> None:
    """Each recorded scenario that applies to the store answers to the letter."""
    prefix = vault_vectors.mount_of(vector, f"{mounted}-1", mounted)
    vault_vectors.replay(gateway.address, gateway.token, vector, prefix)
