"""Wrapping over REST, against a real gateway: once, by one, in one namespace, and across both APIs."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.servers.gateway import Answer, Running, running

WRAPPING = "/api/v1/wrapping"
GONE = (422, "invalid_value")


@pytest.fixture(scope="module")
def gateway() -> Iterator[Running]:
    with running(plugins=("native", "vault"), workers=2) as started:
        yield started


def wrapped(gateway: Running, data: object, token: str | None = None) -> str:
    answer = gateway.call("POST", f"{WRAPPING}/wrap", {"data": data, "ttl_seconds": 600}, token=token)
    assert 201 == answer.status
    return str(answer.json()["token"])


def told(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json()["code"]


def test_what_is_wrapped_is_unwrapped_once(gateway: Running) -> None:
    """Looking up uses nothing up, a new token ends the old one, and a token that was used is none."""
    first = wrapped(gateway, {"password": "hunter2"})
    for _ in range(2):
        looked = gateway.call("POST", f"{WRAPPING}/lookup", {"token": first}, token="")
        assert ("sys/wrapping/wrap", 600) == (looked.json()["creation_path"], looked.json()["ttl_seconds"])
    again = gateway.call("POST", f"{WRAPPING}/rewrap", {"token": first})
    assert (201, 600) == (again.status, again.json()["info"]["ttl_seconds"])
    second = again.json()["token"]
    assert GONE == told(gateway.call("POST", f"{WRAPPING}/unwrap", {"token": first}, token=""))
    taken = gateway.call("POST", f"{WRAPPING}/unwrap", {"token": second}, token="")
    assert (200, {"data": {"password": "hunter2"}}) == (taken.status, taken.json())
    for name in ("lookup", "unwrap"):
        assert GONE == told(gateway.call("POST", f"{WRAPPING}/{name}", {"token": second}, token=""))
    audit = b"".join(file.read_bytes() for file in gateway.audit.rglob("*") if file.is_file())
    assert looked.json()["accessor"].encode() in audit
    for secret in (first, second, "hunter2"):
        assert secret.encode() not in audit


def test_of_all_who_unwrap_one_gets_it(gateway: Running) -> None:
    """Over two workers, whether they show a credential or not."""
    token = wrapped(gateway, {"a": 1})
    with ThreadPoolExecutor(16) as pool:
        asked = [
            pool.submit(gateway.call, "POST", f"{WRAPPING}/unwrap", {"token": token}, token="" if n % 2 else None)
            for n in range(32)
        ]
        statuses = [one.result().status for one in asked]
    assert [200] + [422] * 31 == sorted(statuses)


def test_a_credential_that_is_shown_must_be_allowed(gateway: Running) -> None:
    """A policy that denies unwrapping, a wrong token: refused, and nothing is used up."""
    rules = [{"effect": "deny", "actions": ["write"], "paths": ["sys/wrapping/**"]}]
    gateway.call("PUT", "/api/v1/policies/no-wrapping", {"rules": rules})
    key = gateway.call("POST", "/api/v1/keys", {"name": "k", "policies": ["no-wrapping"]}).json()["token"]
    token = wrapped(gateway, {"a": 1})
    for name, body in (("unwrap", {"token": token}), ("wrap", {"data": {}, "ttl_seconds": 1})):
        assert 403 == gateway.call("POST", f"{WRAPPING}/{name}", body, token=key).status
    assert 401 == gateway.call("POST", f"{WRAPPING}/unwrap", {"token": token}, token="wrong").status
    assert 401 == gateway.call("POST", f"{WRAPPING}/rewrap", {"token": token}, token="").status
    assert 200 == gateway.call("POST", f"{WRAPPING}/unwrap", {"token": token}, token=token).status


def test_it_opens_in_its_own_namespace_alone(gateway: Running) -> None:
    """Elsewhere it is a token like any that never was."""
    made = gateway.call("POST", "/api/v1/namespaces", {"name": "team"})
    assert 201 == made.status
    token = wrapped(gateway, {"a": 1})
    there = gateway.call("POST", f"{WRAPPING}/unwrap", {"token": token}, token="", X_Wardgate_Namespace="team")
    assert GONE == told(there)
    assert 200 == gateway.call("POST", f"{WRAPPING}/unwrap", {"token": token}, token="").status


def test_both_apis_open_what_the_other_wrapped(gateway: Running) -> None:
    """By the same operations, so by the same rules."""
    ours = wrapped(gateway, {"a": 1.5})
    theirs = gateway.call("POST", "/v1/sys/wrapping/unwrap", {"token": ours})
    assert (200, {"a": 1.5}) == (theirs.status, theirs.json()["data"])
    made = gateway.call("POST", "/v1/sys/wrapping/wrap", {"b": 2}, X_Vault_Wrap_TTL="60").json()["wrap_info"]
    taken = gateway.call("POST", f"{WRAPPING}/unwrap", {"token": made["token"]}, token="")
    assert {"data": {"b": 2}} == taken.json()


def test_a_rewrap_under_a_key_is_done_once_and_shows_its_token_once(gateway: Running) -> None:
    """Its answer may be lost on the way; the token in it is kept nowhere."""
    token = wrapped(gateway, {"a": 1})
    first, second = (
        gateway.call("POST", f"{WRAPPING}/rewrap", {"token": token}, Idempotency_Key="rewrap-1") for _ in range(2)
    )
    assert (201, 201) == (first.status, second.status)
    assert "true" == second.headers["idempotent-replayed"]
    assert second.json()["token"] is None
    assert first.json()["info"] == second.json()["info"]
    assert 200 == gateway.call("POST", f"{WRAPPING}/unwrap", {"token": first.json()["token"]}, token="").status
