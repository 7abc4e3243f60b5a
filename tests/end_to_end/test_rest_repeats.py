"""Idempotency keys over real workers: one change of many attempts, over restarts, authorized and audited each time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.servers.gateway import Answer, Running, running, start

PATH = "/api/v1/secrets/secret/once"


@pytest.fixture
def gateway() -> Iterator[Running]:
    with running(plugins=("native",)) as started:
        yield started


def write(gateway: Running, key: str, *, path: str = PATH, body: bytes = b"v", token: str | None = None) -> Answer:
    return gateway.call("PUT", path, body, token=token, Idempotency_Key=key, Content_Type="text/plain")


def versions(gateway: Running, path: str) -> int:
    metadata = gateway.call("GET", path.replace("secrets", "metadata", 1))
    return 0 if metadata.status == 404 else len(metadata.json()["versions"])


def test_of_many_attempts_at_once_one_writes(gateway: Running) -> None:
    """Whichever worker each reaches: one version, one answer, and 409 for those that come meanwhile."""
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: write(gateway, "k"), range(16)))
    assert {200, 409} >= {answer.status for answer in answers}
    assert 1 == len({answer.body for answer in answers if answer.status == 200})
    assert 1 == versions(gateway, PATH)
    assert 422 == write(gateway, "k", path=f"{PATH}-more").status


def test_a_repeat_is_answered_after_a_restart(gateway: Running) -> None:
    """By what was kept, with nothing done; another token's key of that name is another key."""
    other = gateway.call("POST", "/api/v1/keys", {"name": "b", "policies": ["administrator"]}).json()["token"]
    first = write(gateway, "r")
    gateway.stop()
    again = start(gateway.folder, gateway.token)
    try:
        repeated = write(again, "r")
        assert (200, first.body, "true") == (
            repeated.status, repeated.body, repeated.headers["idempotent-replayed"],
        )  # fmt: skip
        assert first.headers["etag"] == repeated.headers["etag"]
        assert 1 == versions(again, PATH)
        assert "idempotent-replayed" not in write(again, "r", token=other).headers
        assert 2 == versions(again, PATH)
    finally:
        again.stop()


def test_a_repeat_is_authorized_anew_and_audited(gateway: Running) -> None:
    """Who may no more is refused what was kept; the audit tells a repeat from a change."""
    assert 200 == write(gateway, "a").status
    assert 200 == write(gateway, "a").status
    assert 401 == write(gateway, "a", token="wg_wrong").status
    key = gateway.call("POST", "/api/v1/keys", {"name": "c", "policies": ["default"]}).json()["token"]
    assert 403 == write(gateway, "a", token=key).status
    gateway.stop()
    lines = [json.loads(line) for file in gateway.audit.rglob("*.jsonl") for line in file.read_text().splitlines()]
    closed = [line for line in lines if line.get("operation") == "WriteSecret" and line["kind"] == "closing"]
    assert [None, "true"] == sorted(
        ((line.get("details") or {}).get("repeated") for line in closed if line["code"] == "ok"), key=str
    )
    assert "canary" not in str(lines)


def test_what_was_refused_can_be_tried_again(gateway: Running) -> None:
    """A failed condition changed nothing, so its key is free."""
    headers = {"Idempotency_Key": "f", "If_Match": '"1"'}
    assert 412 == gateway.call("PUT", PATH, b"v2", **headers).status
    assert 200 == write(gateway, "g").status
    assert 200 == gateway.call("PUT", PATH, b"v2", **headers).status
    assert 200 == gateway.call("PUT", PATH, b"v2", **headers).status
    assert 2 == versions(gateway, PATH)
