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


def rewritten(gateway: Running, name: str, rules: list[dict[str, object]]) -> None:
    answer = gateway.call("PUT", f"/api/v1/policies/{name}", {"rules": rules})
    assert answer.status in {200, 201, 204}, answer.body


def made_by(gateway: Running, maker: str, policy: str) -> dict[str, str]:
    """One of each that the maker can make of one policy of its own, and what the first of these makes in its turn."""
    wanted = {"name": "other", "policies": [policy]}
    made = {
        "child": gateway.call("POST", "/api/v1/tokens", wanted, token=maker, Content_Type=JSON),
        "orphan": gateway.call("POST", "/api/v1/tokens", {**wanted, "orphan": True}, token=maker, Content_Type=JSON),
        "key": gateway.call("POST", "/api/v1/keys", wanted, token=maker, Content_Type=JSON),
        "of Vault": gateway.call("POST", "/v1/auth/token/create", {"policies": [policy]}, token=maker),
    }
    tokens = {
        kind: answer.json()["auth"]["client_token"] if "auth" in answer.json() else answer.json()["token"]
        for kind, answer in made.items()
    }
    grandchild = gateway.call("POST", "/api/v1/tokens", wanted, token=tokens["key"], Content_Type=JSON)
    return {**tokens, "grandchild": grandchild.json()["token"], "login": logged_in(gateway, maker, policy, "bob")}


def logged_in(gateway: Running, maker: str, policy: str, name: str) -> str:
    """The token of a role that the maker writes, by either API."""
    role = f"/v1/auth/approle/role/{name}"
    written = gateway.call("POST", role, {"token_policies": [policy]}, token=maker)
    assert 204 == written.status, written.body
    ids = {
        "role_id": gateway.call("GET", f"{role}/role-id", token=maker).json()["data"]["role_id"],
        "secret_id": gateway.call("POST", f"{role}/secret-id", token=maker).json()["data"]["secret_id"],
    }
    return str(gateway.call("POST", "/v1/auth/approle/login", ids, token="").json()["auth"]["client_token"])


@pytest.mark.parametrize("condition", ['"contractor" in principal.policies', "principal.id == {id}"])
def test_what_denies_a_maker_denies_what_it_makes(tenants: tuple[Running, str], condition: str) -> None:
    """By the policies it carries, though these carry fewer, and by its id, though these have others."""
    gateway, _ = tenants
    rewritten(gateway, "contractor", [{"effect": "allow", "actions": ["read"], "paths": ["nothing"]}])
    rewritten(gateway, "base", [{"effect": "allow", "actions": ["*"], "paths": ["secret/**", "sys/**", "auth/**"]}])
    wanted = {"name": "carl", "policies": ["base", "contractor"]}
    made = gateway.call("POST", "/api/v1/keys", wanted).json()
    marked = condition.replace("{id}", f'"{made["info"]["id"]}"')
    allow: dict[str, object] = {"effect": "allow", "actions": ["*"], "paths": ["secret/**", "sys/**", "auth/**"]}
    deny: dict[str, object] = {"effect": "deny", "actions": ["*"], "paths": ["secret/bob/**"], "when": marked}
    rewritten(gateway, "base", [allow, deny])
    assert ALICE == reads(gateway, made["token"])
    for kind, token in made_by(gateway, made["token"], "base").items():
        assert ALICE == reads(gateway, token), kind


def test_a_role_is_its_writer_whatever_it_is_called(tenants: tuple[Running, str]) -> None:
    """Its tokens read as their writer's name; once an administrator writes the role, as the role's."""
    gateway, maker = tenants
    assert ALICE == reads(gateway, logged_in(gateway, maker, "own", "bob"))
    administrators = gateway.call("POST", "/v1/auth/approle/role/bob", {"token_policies": ["own"]})
    assert 204 == administrators.status
    ids = {
        "role_id": gateway.call("GET", "/v1/auth/approle/role/bob/role-id").json()["data"]["role_id"],
        "secret_id": gateway.call("POST", "/v1/auth/approle/role/bob/secret-id").json()["data"]["secret_id"],
    }
    token = gateway.call("POST", "/v1/auth/approle/login", ids, token="").json()["auth"]["client_token"]
    assert {("bob", 200), ("alice", 403)} == reads(gateway, token)
    known = gateway.call("GET", "/v1/auth/token/lookup-self", token=token).json()["data"]
    assert {"role_name": "bob"} == known["meta"]
