"""Batches over a store outside the gateway, itself a gateway: how often it was asked stands in its own audit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.servers.gateway import Running, running


@pytest.fixture
def gateways() -> Iterator[tuple[Running, Running]]:
    """The one that is asked, and the one behind it, which holds ``a`` and ``b``."""
    plugins = ("native", "vault")
    with running(plugins=plugins, workers=1) as store, running(plugins=plugins, workers=1) as gateway:
        for name in "ab":
            assert 200 == store.call("PUT", f"/v1/secret/data/{name}", {"data": {"name": name}}).status
        gateway.mount("far", "vault", address=store.address, token=store.token)
        yield gateway, store


def items_of(gateway: Running, operation: str) -> list[list[dict[str, Any]]]:
    lines = [line for file in sorted(gateway.audit.glob("*.jsonl")) for line in file.read_text().splitlines()]
    return [record["items"] for record in map(json.loads, lines) if record.get("operation") == operation]


def reads_at(store: Running, name: str) -> int:
    lines = [line for file in sorted(store.audit.glob("*.jsonl")) for line in file.read_text().splitlines()]
    found = [record for record in map(json.loads, lines) if record.get("operation") == "ReadSecret"]
    return sum(record["path"] == f"secret/{name}" for record in found)


def test_those_who_ask_for_the_same_at_once_are_one_question(gateways: tuple[Running, Running]) -> None:
    """Fifty batches and fifty reads; and the audit of the gateway has each of them, item by item."""
    gateway, store = gateways

    def ask(number: int) -> int:
        if number % 2:
            return gateway.call("GET", "/api/v1/secrets/far/a").status
        body = {"items": [{"path": "far/a"}, {"path": "far/b"}, {"path": "far/a"}, {"path": "far/none"}]}
        answer = gateway.call("POST", "/api/v1/batch/read", body)
        outcomes = [(item["status"], item.get("json")) for item in answer.json()["items"]]
        assert [(200, {"name": "a"}), (200, {"name": "b"}), (200, {"name": "a"}), (404, None)] == outcomes
        return answer.status

    with ThreadPoolExecutor(50) as pool:
        assert [200] * 100 == list(pool.map(ask, range(100)))
    assert (1, 1) == (reads_at(store, "a"), reads_at(store, "b"))
    paths = [[item["path"] for item in items] for items in items_of(gateway, "ReadSecrets")]
    assert [["far/a", "far/b", "far/a", "far/none"]] * 50 == paths


def test_a_path_named_a_thousand_times_is_asked_for_once(gateways: tuple[Running, Running]) -> None:
    """Also where nothing is remembered; each item has its line in the audit."""
    gateway, store = gateways
    assert 200 <= gateway.call("PATCH", "/api/v1/mounts/far", {"cache_ttl_seconds": 0}).status < 300
    answer = gateway.call("POST", "/api/v1/batch/read", {"items": [{"path": "far/a"}] * 1_000})
    assert [200] * 1_000 == [item["status"] for item in answer.json()["items"]]
    assert 1 == reads_at(store, "a")
    assert [1_000] == [len(items) for items in items_of(gateway, "ReadSecrets")]
