"""What is not offered below a login method: answered alike at each one, whatever its name."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from wardgate.spi.operations.base import Rejected


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ("PATCH role/x", 405, "unsupported operation"),
        ("GET login", 405, "unsupported operation"),
        ("GET nonsense", 404, "unsupported path"),
    ],
)
def test_methods_are_alike(gateway: Any, send: Any, token: str, asked: str, status: int, said: str) -> None:
    """One of another name once had no such route, where ``approle`` had no such operation."""
    headers = {"X-Vault-Token": token, "Content-Type": "application/merge-patch+json"}
    method, below = asked.split()
    another = f"ci-{uuid.uuid4()}"
    assert 204 == send("POST", f"/v1/sys/auth/{another}", headers, b'{"type": "approle"}').status
    for name in ("approle", another):
        response = send(method, f"/v1/auth/{name}/{below}", headers, b"{}")
        assert (name, status) == (name, response.status)
        assert said in json.loads(response.body)["errors"][0]
        assert isinstance(gateway.asked[-1], Rejected)
    response = send(method, f"/v1/auth/gone/{below}", headers, b"{}")
    assert 404 == response.status
    assert "no handler for route" in json.loads(response.body)["errors"][0]


def test_nobody_without_a_token_learns_which_methods_there_are(send: Any) -> None:
    """The refusal is the same at one that is there and at one that is not."""
    told = [send("PATCH", f"/v1/auth/{name}/role/x", {}, b"{}") for name in ("approle", "gone")]
    assert [400, 400] == [one.status for one in told]
    assert told[0].body == told[1].body
    told = [send("GET", f"/v1/auth/{name}/nonsense", {}, b"") for name in ("approle", "gone")]
    assert [403, 403] == [one.status for one in told]
    assert told[0].body == told[1].body
