"""Whoever may make tokens or keys makes none that may do more, by its own words about itself, than its maker."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.servers.gateway import Running, running

CANARY = "canary-bob-5a17"
PLACES = ("/v1/secret/data/{}/db", "/api/v1/secrets/secret/{}/db")
JSON = "application/json"


@pytest.fixture(scope="module")
def tenants() -> Iterator[tuple[Running, str]]:
    """Everyone has a folder of the name it has; bob has one, and alice may make tokens, keys and roles."""
    with running(plugins=["native", "vault"], workers=1) as gateway:
        for name in ("alice", "bob"):
            assert gateway.call("POST", f"/v1/secret/data/{name}/db", {"data": {"v": CANARY}}).status == 200
        own = {"effect": "allow", "actions": ["*"], "paths": ["secret/**"], "when": "path.segment.2 == principal.name"}
        make = {"effect": "allow", "actions": ["*"], "paths": ["auth/**", "sys/**"]}
        for name, rules in (("own", [own]), ("maker", [make])):
            answer = gateway.call("PUT", f"/api/v1/policies/{name}", {"rules": rules})
            assert answer.status in {200, 201, 204}, answer.body
        made = gateway.call("POST", "/api/v1/keys", {"name": "alice", "policies": ["own", "maker"]})
        yield gateway, made.json()["token"]


def reads(gateway: Running, token: str) -> set[tuple[str, int]]:
    """Whose folder it can read, by any API."""
    asked = itertools.product(("alice", "bob"), PLACES)
    return {(name, gateway.call("GET", place.format(name), token=token).status) for name, place in asked}


ALICE = {("alice", 200), ("bob", 403)}


def test_a_maker_reads_what_it_should(tenants: tuple[Running, str]) -> None:
    """The control."""
    assert ALICE == reads(*tenants)


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("/v1/auth/token/create", {"display_name": "bob"}),
        ("/v1/auth/token/create", {"display_name": "bob", "policies": ["own"], "no_parent": True}),
        ("/v1/auth/token/create-orphan", {"display_name": "bob", "policies": ["own"]}),
        ("/v1/auth/token/create", {"display_name": "bob", "meta": {"name": "bob", "role": "bob"}}),
        ("/api/v1/tokens", {"name": "bob"}),
        ("/api/v1/tokens", {"name": "bob", "orphan": True}),
        ("/api/v1/keys", {"name": "bob", "policies": ["own"]}),
    ],
)
def test_no_token_becomes_another_by_its_name(
    tenants: tuple[Running, str], target: str, body: dict[str, object]
) -> None:
    """What conditions read of a token is its maker's; the name is for people."""
    gateway, maker = tenants
    answer = gateway.call("POST", target, body, token=maker, Content_Type=JSON)
    assert answer.status in {200, 201}, answer.body
    made = answer.json()
    assert ALICE == reads(gateway, made["auth"]["client_token"] if "auth" in made else made["token"])


def test_a_key_is_its_maker_to_a_condition_that_denies(tenants: tuple[Running, str]) -> None:
    """Neither its name nor how it came to be takes it out of a rule; an administrator's key is what it is called."""
    gateway, _ = tenants
    rules = [
        {"effect": "allow", "actions": ["*"], "paths": ["secret/**", "sys/**", "auth/**"]},
        {"effect": "deny", "actions": ["*"], "paths": ["secret/bob/**"], "when": 'principal.role == "ci"'},
    ]
    assert gateway.call("PUT", "/api/v1/policies/ci", {"rules": rules}).status in {200, 201, 204}
    role = "/v1/auth/approle/role/ci"
    assert 204 == gateway.call("POST", role, {"token_policies": ["ci"]}).status
    ids = {
        "role_id": gateway.call("GET", f"{role}/role-id").json()["data"]["role_id"],
        "secret_id": gateway.call("POST", f"{role}/secret-id").json()["data"]["secret_id"],
    }
    token = gateway.call("POST", "/v1/auth/approle/login", ids, token="").json()["auth"]["client_token"]
    assert ALICE == reads(gateway, token)
    key = gateway.call("POST", "/api/v1/keys", {"name": "other", "policies": ["ci"]}, token=token).json()["token"]
    child = gateway.call("POST", "/api/v1/tokens", {"name": "other"}, token=key).json()["token"]
    for made in (key, child):
        assert ALICE == reads(gateway, made)
    named = gateway.call("POST", "/api/v1/keys", {"name": "bob", "policies": ["own"]}).json()["token"]
    assert {("bob", 200), ("alice", 403)} == reads(gateway, named)
