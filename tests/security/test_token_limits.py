"""Tokens over four workers: uses are never more than they say, trees end whole, makers give no more than they have."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.servers.gateway import Running, running

READER = "/v1/secret/data/limits"


@pytest.fixture(scope="module")
def four() -> Iterator[Running]:
    """A gateway with four workers, a secret, a policy that reads it and one that denies part."""
    with running(plugins=["native", "vault"], workers=4) as gateway:
        assert gateway.call("POST", READER, {"data": {"a": "b"}}).status == 200
        for name, effect, actions, paths in (
            ("reader", "allow", ["read"], ["secret/**"]),
            ("maker", "allow", ["*"], ["auth/**"]),
            ("guard", "deny", ["*"], ["secret/private/**"]),
        ):
            rules = {"rules": [{"effect": effect, "actions": actions, "paths": paths}]}
            assert gateway.call("PUT", f"/api/v1/policies/{name}", rules).status in {200, 204}
        yield gateway


def make(gateway: Running, *, token: str | None = None, **asked: object) -> dict[str, Any]:
    answer = gateway.call("POST", "/v1/auth/token/create", asked, token=token)
    assert answer.status == 200, answer.body
    made: dict[str, Any] = answer.json()["auth"]
    return made


def test_uses_are_counted_exactly_over_all_workers(four: Running) -> None:
    """Sixteen at a time in four workers: as many grants as uses, in every trial, and none afterwards."""
    with ThreadPoolExecutor(16) as pool:
        for uses in (1, 2, 5, 9):
            token = make(four, policies=["reader"], num_uses=uses)["client_token"]
            statuses = [pool.submit(four.call, "GET", READER, token=token) for _ in range(24)]
            assert uses == [answer.result().status for answer in statuses].count(200)
            assert 403 == four.call("GET", READER, token=token).status


def test_a_tree_is_gone_in_every_worker_before_its_end_is_acknowledged(four: Running) -> None:
    """Three generations, remembered by every worker, while they are used."""
    with ThreadPoolExecutor(8) as pool:
        for _ in range(6):
            parent = make(four, policies=["reader", "maker"])
            child = make(four, token=parent["client_token"])
            tokens = [child["client_token"], make(four, token=child["client_token"])["client_token"]]
            before = [pool.submit(four.call, "GET", READER, token=token) for token in tokens * 8]
            ended = four.call("POST", "/v1/auth/token/revoke-accessor", {"accessor": parent["accessor"]})
            assert 204 == ended.status
            after = [pool.submit(four.call, "GET", READER, token=token) for token in tokens * 8]
            assert {answer.result().status for answer in before} <= {200, 403}
            assert {403} == {answer.result().status for answer in after}


def test_a_maker_gives_no_more_than_it_has(four: Running) -> None:
    """Not administrator, not a policy beside its own, not an orphan that outlives it, not a way round what denies."""
    clerk = make(four, policies=["reader", "maker", "guard"], ttl="1h")["client_token"]
    for policies in (["administrator"], ["reader", "default", "administrator"], ["Administrator"], ["root"]):
        for verb in ("create", "create-orphan"):
            answer = four.call("POST", f"/v1/auth/token/{verb}", {"policies": policies}, token=clerk)
            assert 403 == answer.status, answer.body
    child = make(four, token=clerk, policies=["reader"])
    assert ["default", "guard", "reader"] == child["policies"]
    orphan = make(four, token=clerk, no_parent=True, ttl="90h")
    assert orphan["lease_duration"] <= 3_600
    renewed = four.call("POST", "/v1/auth/token/renew-self", {"increment": "90h"}, token=orphan["client_token"]).json()
    assert renewed["auth"]["lease_duration"] <= 3_600
    role = {"token_policies": ["reader"]}
    assert 403 == four.call("POST", "/v1/auth/approle/role/sly", role, token=clerk).status
    key = {"name": "sly", "policies": ["reader"]}
    assert 403 == four.call("POST", "/api/v1/keys", key, token=clerk).status


def test_a_bound_token_works_where_it_is_bound_to_and_nowhere_else(four: Running) -> None:
    """The same role, once with the network we come from; what is bound elsewhere does not even log in."""
    role = "/v1/auth/approle/role/bound"
    assert four.call("POST", role, {"token_policies": ["reader"], "token_bound_cidrs": "127.0.0.0/8"}).status == 204
    ids = {
        "role_id": four.call("GET", f"{role}/role-id").json()["data"]["role_id"],
        "secret_id": four.call("POST", f"{role}/secret-id").json()["data"]["secret_id"],
    }
    login = four.call("POST", "/v1/auth/approle/login", ids, token="").json()["auth"]
    for _ in range(8):
        assert 200 == four.call("GET", READER, token=login["client_token"]).status
    assert four.call("POST", role, {"token_bound_cidrs": ["192.0.2.0/24"]}).status == 204
    refused = four.call("POST", "/v1/auth/approle/login", ids, token="")
    assert (400, {"errors": ["invalid role or secret ID"]}) == (refused.status, refused.json())


def test_neither_token_nor_secret_id_is_in_the_audit(four: Running) -> None:
    """Named in bodies, chosen by callers or handed out: only their keyed hashes and accessors."""
    role = "/v1/auth/approle/role/quiet"
    chosen = "canary-chosen-secret-id"
    made = make(four, policies=["reader"], meta={"canary": "canary-of-meta"})
    assert four.call("POST", role, {"token_policies": ["reader"]}).status == 204
    assert four.call("POST", f"{role}/custom-secret-id", {"secret_id": chosen}).status == 200
    for path, body in (
        ("auth/token/lookup", {"token": made["client_token"]}),
        ("auth/token/renew", {"token": made["client_token"]}),
        ("auth/approle/role/quiet/secret-id/lookup", {"secret_id": chosen}),
        ("auth/approle/role/quiet/secret-id/destroy", {"secret_id": chosen}),
        ("auth/token/revoke", {"token": made["client_token"]}),
    ):
        assert four.call("POST", f"/v1/{path}", body).status in {200, 204}
    lines = b"".join(file.read_bytes() for file in four.audit.glob("*.jsonl"))
    assert b'"operation":"RevokeToken"' in lines
    for canary in (made["client_token"], chosen, "canary-of-meta"):
        assert canary.encode() not in lines
