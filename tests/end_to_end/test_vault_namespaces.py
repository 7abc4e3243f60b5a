"""Unmodified clients in a child namespace, through a real gateway and through a real OpenBao alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end import vault_vectors
from tests.end_to_end.vault_namespaces import BAO_NAMESPACE, HVAC_NAMESPACE, Child, child_of
from tests.servers.gateway import Running

VECTORS = [vector for vector in vault_vectors.vectors() if vector.namespace]


@pytest.fixture(params=["gateway", "openbao"])
def child(request: pytest.FixtureRequest) -> Child:
    """A namespace of what answers: a scenario that a real server fails would prove nothing of us."""
    return child_of(request.getfixturevalue(request.param))


@pytest.mark.parametrize("scenario", HVAC_NAMESPACE, ids=lambda scenario: scenario.__name__)
def test_hvac_in_a_namespace(child: Child, scenario: Callable[[Child], None]) -> None:
    """A Python program with ``hvac.Client(namespace=…)`` works."""
    scenario(child)


@pytest.mark.parametrize("scenario", BAO_NAMESPACE, ids=lambda scenario: scenario.__name__)
def test_bao_in_a_namespace(
    child: Child, scenario: Callable[[Child, Path, Path], None], bao: Path, tmp_path: Path
) -> None:
    """The ``bao`` command with ``-namespace`` works."""
    scenario(child, bao, tmp_path)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_wire_vector_in_a_namespace(gateway: Running, vector: vault_vectors.Vector) -> None:
    """Each recorded scenario of a child namespace answers to the letter; the plugin's tests ask a real server."""
    child_of(gateway).replay(vector)
