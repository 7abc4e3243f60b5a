"""Every wire vector, through the front-end over a gateway in memory and two kinds of store."""

from __future__ import annotations

import pytest
from wardgate_conformance.odd import OddBackend

from tests.end_to_end.vault_vectors import Send, Vector, mount_of, replay_through, vectors

IN_THE_ROOT = [vector for vector in vectors() if not vector.namespace]
"""The gateway in memory has no other namespace."""
CASES = [("memory", vector) for vector in IN_THE_ROOT if not vector.lacks] + [
    ("odd", vector) for vector in IN_THE_ROOT if vector.applies_to(OddBackend.capabilities)
]


@pytest.mark.parametrize(
    ("gateway", "vector"), CASES, indirect=["gateway"], ids=[f"{backend}-{vector.name}" for backend, vector in CASES]
)
def test_a_vector_holds(vector: Vector, send: Send, token: str) -> None:
    """The front-end answers as the vector says, over a store that can do everything and over one that cannot."""
    replay_through(send, token, vector, mount_of(vector, "kv1", "secret"))


def test_every_vector_says_how_it_stands_to_a_real_server() -> None:
    """Equal to a real server, or different for a stated reason."""
    unclear = [v.name for v in vectors() if v.vault != "same" and not v.vault.startswith(("differs: ", "not asked: "))]

    assert unclear == []
