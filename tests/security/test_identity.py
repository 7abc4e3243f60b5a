"""Who may ask: tokens wrong, expired, revoked and another namespace's, over both APIs and all workers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.servers.gateway import Answer, Running, running

READERS: dict[str, str] = {"vault": "/v1/secret/data/identity", "rest": "/api/v1/secrets/secret/identity"}


@pytest.fixture(scope="module")
def four() -> Iterator[Running]:
    """A gateway with four workers and a secret to ask for."""
    with running(plugins=["native", "vault"], workers=4) as gateway:
        assert gateway.call("POST", READERS["vault"], {"data": {"a": "b"}}).status == 200
        policy = {"rules": [{"effect": "allow", "actions": ["read"], "paths": ["secret/**"]}]}
        assert gateway.call("PUT", "/api/v1/policies/reader", policy).status in {200, 201, 204}
        yield gateway


def issue(gateway: Running, seconds: int | None = None) -> dict[str, Any]:
    body: dict[str, object] = {"name": "probe", "policies": ["reader"]}
    if seconds:
        body["ttl_seconds"] = seconds
    answer = gateway.call("POST", "/api/v1/keys", body)
    assert answer.status == 201, answer.body
    made: dict[str, Any] = answer.json()
    return made


def child(gateway: Running, name: str) -> str:
    """Make a child namespace; its administrator's token."""
    answer = gateway.call("POST", "/api/v1/namespaces", {"name": name})
    assert answer.status == 201, answer.body
    return str(answer.json()["administrator"]["token"])


def assert_refused(answer: Answer) -> None:
    assert answer.status in {401, 403}, answer.body
    assert b'"a"' not in answer.body


WRONG: dict[str, Callable[[str], str]] = {
    "none": lambda _: "",
    "not a token": lambda _: "x",
    "one letter changed": lambda good: good[:-1] + ("A" if good[-1] != "A" else "B"),
    "one letter more": lambda good: good + "A",
    "in another case": lambda good: good.swapcase(),
    "with a space": lambda good: good + " x",
    "of Vault": lambda _: "hvs.CAESIJ",
    "very long": lambda _: "wg_" + "A" * 4_000,
}


@pytest.mark.parametrize("api", READERS)
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_token_is_refused(four: Running, api: str, wrong: Callable[[str], str]) -> None:
    """Nothing near a good token will do, and all of them are answered alike."""
    answer = four.call("GET", READERS[api], token=wrong(issue(four)["token"]))
    assert_refused(answer)
    if api == "vault":
        assert {"errors": ["permission denied"]} == answer.json()


@pytest.mark.parametrize("api", READERS)
def test_a_good_token_reads(four: Running, api: str) -> None:
    """The control: the refusals below are not the only answer this gateway has."""
    assert 200 == four.call("GET", READERS[api], token=issue(four)["token"]).status


def test_an_expired_token_is_refused_in_every_worker(four: Running) -> None:
    """Also where a worker remembers it: memory never outlives the expiry."""
    before = time.monotonic()
    key = issue(four, seconds=2)
    after = time.monotonic()
    while time.monotonic() < before + 1.5:
        assert 200 == four.call("GET", READERS["vault"], token=key["token"]).status
    while time.monotonic() < after + 2.1:
        four.call("GET", READERS["vault"], token=key["token"])
    for _ in range(20):
        assert_refused(four.call("GET", READERS["vault"], token=key["token"]))


def test_revocation_is_seen_by_every_worker_before_it_is_acknowledged(four: Running) -> None:
    """Trials under load: once the revocation is answered, no worker grants that token again."""
    with ThreadPoolExecutor(8) as pool:
        for _ in range(10):
            key = issue(four)
            reads = [pool.submit(four.call, "GET", READERS["vault"], token=key["token"]) for _ in range(16)]
            assert four.call("DELETE", f"/api/v1/keys/{key['info']['id']}").status in {200, 204}
            after = [pool.submit(four.call, "GET", READERS["vault"], token=key["token"]) for _ in range(16)]
            assert {read.result().status for read in reads} <= {200, 403}
            assert {403} == {read.result().status for read in after}


def test_a_policy_taken_away_is_gone_in_every_worker(four: Running) -> None:
    """Removing the policy ends what it gave, at the next request anywhere."""
    rules = {"rules": [{"effect": "allow", "actions": ["read"], "paths": ["secret/**"]}]}
    four.call("PUT", "/api/v1/policies/passing", rules)
    made = four.call("POST", "/api/v1/keys", {"name": "passing", "policies": ["passing"]}).json()
    for _ in range(12):
        assert 200 == four.call("GET", READERS["vault"], token=made["token"]).status
    assert four.call("DELETE", "/api/v1/policies/passing").status in {200, 204}
    for _ in range(20):
        assert_refused(four.call("GET", READERS["vault"], token=made["token"]))


@pytest.mark.parametrize("api", READERS)
def test_namespaces_do_not_know_each_other_s_tokens(four: Running, api: str) -> None:
    """A token is one namespace's: not the parent's, not the child's, not a namespace's that is not there."""
    header = "X_Vault_Namespace" if api == "vault" else "X_Wardgate_Namespace"
    name = f"team-{api}"
    administrator = child(four, name)
    assert_refused(four.call("GET", READERS[api], token=administrator))
    assert_refused(four.call("GET", READERS[api], **{header: name}))
    assert_refused(four.call("GET", READERS[api], **{header: "nobody"}))
    assert_refused(four.call("GET", READERS[api], token=administrator, **{header: "nobody"}))
    # Its own administrator gets past identity and policy; there is no mount yet.
    assert 404 == four.call("GET", READERS[api], token=administrator, **{header: name}).status


def test_a_namespace_s_secrets_are_its_own(four: Running) -> None:
    """The same mount and path in two namespaces are two secrets."""
    administrator = child(four, "apart")
    space = {"token": administrator, "X_Wardgate_Namespace": "apart"}
    assert four.call("POST", "/api/v1/mounts", {"prefix": "secret", "type": "native"}, **space).status == 201
    assert 404 == four.call("GET", READERS["rest"], **space).status
    assert four.call("PUT", READERS["rest"], {"of": "apart"}, **space).status in {200, 201}
    assert {"of": "apart"} == four.call("GET", READERS["rest"], **space).json()
    assert {"a": "b"} == four.call("GET", READERS["rest"]).json()


def test_a_namespace_mounts_other_machines_only_by_the_operator_s_leave(four: Running) -> None:
    """A tenant cannot make the gateway connect from its own network, nor learn which files it has."""
    administrator = child(four, "tenant")
    options = {"address": f"http://127.0.0.1:{four.port}", "token": "x", "ca_file": "/etc/passwd"}
    answer = four.call(
        "POST",
        "/api/v1/mounts",
        {"prefix": "away", "type": "vault", "options": options},
        token=administrator,
        X_Wardgate_Namespace="tenant",
    )
    assert 403 == answer.status
    with running(plugins=["native", "vault"], workers=1, first='namespace_backends = ["vault"]\n') as lenient:
        administrator = child(lenient, "tenant")
        space = {"token": administrator, "X_Wardgate_Namespace": "tenant"}
        tried = {"prefix": "away", "type": "vault", "options": {"address": "http://127.0.0.1:1", "token": "x"}}
        assert 503 == lenient.call("POST", "/api/v1/mounts", tried, **space).status


def test_nobody_hands_out_more_than_he_has(four: Running) -> None:
    """A key that may manage keys cannot make itself an administrator."""
    rules = {"rules": [{"effect": "allow", "actions": ["*"], "paths": ["auth/**"]}]}
    four.call("PUT", "/api/v1/policies/clerk", rules)
    clerk = four.call("POST", "/api/v1/keys", {"name": "clerk", "policies": ["clerk"]}).json()["token"]
    more = four.call("POST", "/api/v1/keys", {"name": "x", "policies": ["administrator"]}, token=clerk)
    assert 403 == more.status
    role = four.call(
        "POST",
        "/v1/auth/approle/role/sly",
        {"token_policies": "administrator", "policies": "administrator"},
        token=clerk,
    )
    assert 403 == role.status
