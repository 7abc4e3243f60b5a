"""What an operator sees of real gateways: health, and metrics of all workers together."""

from __future__ import annotations

import json
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from prometheus_client.parser import text_string_to_metric_families
from wardgate.server.control import ask

from tests.servers.gateway import Answer, Running, initialise, running, start
from tests.support.waiting import until

T = TypeVar("T")


@pytest.fixture(scope="module")
def gateway() -> Iterator[Running]:
    """A gateway of two workers."""
    with running(plugins=["native", "vault"], workers=2) as started:
        assert 200 == started.call("POST", "/v1/secret/data/x", {"data": {"a": "1"}}).status
        yield started


def scrape(gateway: Running, token: str | None = None) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample that Prometheus would see."""
    token = gateway.token if token is None else token
    answer = gateway.call("GET", "/metrics", token="", Authorization=f"Bearer {token}")
    assert 200 == answer.status, answer.body
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
    }


def requests(gateway: Running, **labels: str) -> float:
    """How many requests with these labels were counted."""
    return sum(
        value
        for (name, found), value in scrape(gateway).items()
        if name == "wardgate_requests_total" and labels.items() <= dict(found).items()
    )


def recorded(gateway: Running, slot: int, operation: str) -> int:
    """How many closing records one worker wrote of an operation."""
    lines = [line for file in gateway.audit.glob(f"shard-{slot}-*.jsonl") for line in file.read_bytes().splitlines()]
    records = map(json.loads, lines)
    return sum(record.get("operation") == operation and record["kind"] == "closing" for record in records)


def workers(gateway: Running) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(gateway.folder / "data", "status")["workers"]
    return found


def unready(gateway: Running) -> Answer | None:
    """What it says while it is not ready."""
    answer = gateway.call("GET", "/readyz?verbose", token="")
    return answer if answer.status == 503 else None


def test_metrics_are_those_of_all_workers(gateway: Running) -> None:
    """Whichever worker answers: as many reads as both audits together hold."""
    before = recorded(gateway, 0, "ReadSecret"), recorded(gateway, 1, "ReadSecret")

    def both_have_some() -> bool:
        gateway.call("GET", "/v1/secret/data/x")
        return all(recorded(gateway, slot, "ReadSecret") > before[slot] for slot in (0, 1))

    until(both_have_some)
    written = recorded(gateway, 0, "ReadSecret") + recorded(gateway, 1, "ReadSecret")
    assert {float(written)} == {requests(gateway, operation="ReadSecret", code="ok") for _ in range(10)}
    shown = scrape(gateway)
    assert {"0", "1"} == {
        dict(labels)["worker"] for name, labels in shown if name == "wardgate_process_resident_memory_bytes"
    }


def test_metrics_need_a_policy(gateway: Running) -> None:
    """No token: 401. A token of somebody else's purpose: 403. One that may read sys/metrics and nothing else: 200."""
    rule = {"rules": [{"effect": "allow", "actions": ["read"], "paths": ["sys/metrics"]}]}
    assert gateway.call("PUT", "/api/v1/policies/scraper", rule).status in {200, 201, 204}

    def status(token: str, method: str = "GET") -> int:
        more = {"Authorization": f"Bearer {token}"} if token else {}
        return gateway.call(method, "/metrics", token="", **more).status

    def key(policy: str) -> str:
        made = gateway.call("POST", "/api/v1/keys", {"name": policy, "policies": [policy]})
        return str(made.json()["token"])

    scraper = key("scraper")
    assert [401, 401, 403, 200, 200] == [
        status(""), status("wg_x"), status(key("default")), status(scraper), status(scraper, "HEAD")
    ]  # fmt: skip
    assert 400 == status(scraper, "POST")
    assert 403 == gateway.call("GET", "/v1/secret/data/x", token=scraper).status


def test_another_namespace_s_administrator_sees_no_metrics(gateway: Running) -> None:
    """They tell of all namespaces."""
    made = gateway.call("POST", "/api/v1/namespaces", {"name": "team"})
    assert made.status in {200, 201}, made.body
    token = made.json()["administrator"]["token"]
    for more in ({}, {"X_Wardgate_Namespace": "team"}):
        assert 401 == gateway.call("GET", "/metrics", token="", Authorization=f"Bearer {token}", **more).status


def test_health_needs_no_credential_and_comes_before_every_front_end(gateway: Running) -> None:
    """For load balancers and for those who start and stop processes."""
    for target in ("/livez", "/readyz"):
        assert (200, b"ok\n") == ((answer := gateway.call("GET", target, token="")).status, answer.body)
        assert (200, b"") == ((answer := gateway.call("HEAD", target, token="")).status, answer.body)
    assert b"state: ok\naudit: ok\nrunning: ok\nok\n" == gateway.call("GET", "/readyz?verbose", token="").body


def test_a_killed_worker_takes_no_count_with_it(gateway: Running) -> None:
    """Counters never fall, and the restart is one of them."""
    for _ in range(20):
        gateway.call("GET", "/v1/secret/data/x")
    before = requests(gateway)
    restarts = ("wardgate_worker_restarts_total", frozenset[tuple[str, str]]())
    assert 0.0 == scrape(gateway)[restarts]
    os.kill(workers(gateway)[0]["pid"], signal.SIGKILL)
    until(lambda: workers(gateway)[0]["restarts"] == 1 and workers(gateway)[0]["ready"])
    assert 1.0 == scrape(gateway)[restarts]
    assert before <= requests(gateway)


def test_a_worker_that_cannot_write_its_audit_is_not_ready(gateway: Running) -> None:
    """It lives, and says which check fails; when it can write again, it is ready again."""
    limits = resource.prlimit(workers(gateway)[0]["pid"], resource.RLIMIT_FSIZE)
    try:
        for worker in workers(gateway):
            resource.prlimit(worker["pid"], resource.RLIMIT_FSIZE, (1, limits[1]))
        until(lambda: gateway.call("GET", "/v1/secret/data/x").status == 503)
        answer = until(lambda: unready(gateway))
        assert b"audit: records could not be written\n" in answer.body
        assert 200 == gateway.call("GET", "/livez", token="").status
    finally:
        for worker in workers(gateway):
            resource.prlimit(worker["pid"], resource.RLIMIT_FSIZE, limits)
    until(lambda: all(gateway.call("GET", "/readyz", token="").status == 200 for _ in range(20)))
    assert 200 == gateway.call("GET", "/v1/secret/data/x").status


def test_a_gateway_that_stops_says_so_before_anything_closes(tmp_path: Path) -> None:
    """Whoever sends it requests has time to send them elsewhere; until then they are answered."""
    token = initialise(tmp_path, plugins=["native", "vault"], workers=2)
    config = tmp_path / "wardgate.toml"
    config.write_text(config.read_text().replace("[server]\n", "[server]\nunready_seconds = 60\n"))
    gateway = start(tmp_path, token)
    try:
        assert 200 == gateway.call("GET", "/readyz", token="").status
        gateway.process.send_signal(signal.SIGTERM)
        answer = until(lambda: unready(gateway))
        assert b"running: the gateway is stopping\n" in answer.body
        assert 200 == gateway.call("GET", "/livez", token="").status
        assert 200 == gateway.call("GET", "/api/v1/mounts").status
        assert 1.0 == scrape(gateway)["wardgate_stopping", frozenset()]
    finally:
        gateway.stop()  # asked twice: at once
