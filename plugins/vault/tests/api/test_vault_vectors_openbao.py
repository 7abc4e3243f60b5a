"""Every wire vector that claims equality, against a real OpenBao; and every difference that is claimed is one."""

from __future__ import annotations

import pytest

from tests.end_to_end.vault_namespaces import child_of
from tests.end_to_end.vault_vectors import SAME, Vector, mount_of, replay, vectors
from tests.servers.openbao import OpenBao


def _marked(how: str) -> list[Vector]:
    return [vector for vector in vectors() if vector.vault.startswith(how)]


@pytest.fixture(scope="module")
def first(openbao: OpenBao) -> str:
    """A mount of version 1."""
    return openbao.new_mount(version="1")


def _replay(vector: Vector, openbao: OpenBao, first: str) -> None:
    if vector.namespace:
        child_of(openbao).replay(vector)
    else:
        replay(openbao.address, openbao.token, vector, mount_of(vector, first, "secret"))


@pytest.mark.parametrize("vector", _marked(SAME), ids=lambda vector: vector.name)
def test_a_real_server_answers_the_same(vector: Vector, openbao: OpenBao, first: str) -> None:
    """What the vector says of us holds of OpenBao too."""
    _replay(vector, openbao, first)


@pytest.mark.parametrize("vector", _marked("differs: "), ids=lambda vector: vector.name)
def test_a_claimed_difference_is_one(vector: Vector, openbao: OpenBao, first: str) -> None:
    """A vector that a real server passes has no difference to explain."""
    with pytest.raises(AssertionError):
        _replay(vector, openbao, first)
