"""Every wire vector, through the front-end over a gateway in memory."""

from __future__ import annotations

import pytest

from tests.end_to_end.vault_vectors import Send, Vector, replay_through, vectors


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: vector.name)
def test_a_vector_holds(vector: Vector, send: Send, token: str, gateway: object) -> None:
    """The front-end answers as the vector says."""
    if vector.lacks:
        pytest.skip("the backend in memory lacks nothing")

    replay_through(send, token, vector, "secret")


def test_every_vector_says_how_it_stands_to_a_real_server() -> None:
    """Equal to a real server, or different for a stated reason."""
    unclear = [v.name for v in vectors() if v.vault != "same" and not v.vault.startswith(("differs: ", "not asked: "))]

    assert unclear == []
