"""A gateway and a real OpenBao are asked the same, and say the same."""

from __future__ import annotations

import uuid

import pytest

from tests.end_to_end.vault_differential import Asked, alike, answer, first, second
from tests.end_to_end.vault_vectors import over_http
from tests.servers.gateway import Running
from tests.servers.openbao import OpenBao

LENGTH = 200


def _mount(gateway: Running, openbao: OpenBao, kind: str, version: str) -> str:
    """A fresh mount of the gateway, over its own store or over a server."""
    prefix = f"differential-{uuid.uuid4().hex[:12]}"
    options = {"address": openbao.address, "token": openbao.token, "mount": openbao.new_mount()}
    asked = {
        "prefix": prefix,
        "type": kind,
        "options": options if kind == "vault" else {},
        "presentation": {"vault.kv": version},
    }
    assert gateway.call("POST", "/api/v1/mounts", asked).status == 201
    return prefix


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kind", ["native", "vault"])
@pytest.mark.parametrize(("version", "requests"), [("2", second), ("1", first)])
def test_a_sequence_finds_the_same(
    gateway: Running, openbao: OpenBao, kind: str, version: str, requests: object, seed: int
) -> None:
    """Whatever is asked in whatever order, over the native store and over a server's own engine."""
    assert callable(requests)
    ours, real = over_http(gateway.address), over_http(openbao.address)
    at, there = _mount(gateway, openbao, kind, version), openbao.new_mount(version=version)
    asked: list[Asked] = []
    for request in requests(seed, LENGTH):
        asked.append(request)
        expected = answer(real, openbao.token, there, request)
        actual = answer(ours, gateway.token, at, request)
        assert alike(request, expected, actual), (expected, actual, asked)
