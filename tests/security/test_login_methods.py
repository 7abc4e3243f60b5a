"""Login methods that are made and ended: over the wire, by policies, in every worker, and told to nobody else."""

from __future__ import annotations

import itertools
import json
import uuid
from typing import Any

import pytest

from tests.servers.gateway import Answer, Running


def name() -> str:
    return f"m{uuid.uuid4().hex[:12]}"


@pytest.fixture
def method(gateway: Running) -> str:
    """A login method of its own, with the role ``web``."""
    found = name()
    assert 204 == gateway.call("POST", f"/v1/sys/auth/{found}", {"type": "approle"}).status
    role(gateway, found)
    return found


def role(gateway: Running, method: str) -> None:
    answer = gateway.call("POST", f"/v1/auth/{method}/role/web", {"token_policies": ["default"]})
    assert 204 == answer.status, answer.body


def ids(gateway: Running, method: str) -> dict[str, str]:
    at = f"/v1/auth/{method}/role/web"
    return {
        "role_id": gateway.call("GET", f"{at}/role-id").json()["data"]["role_id"],
        "secret_id": gateway.call("POST", f"{at}/secret-id").json()["data"]["secret_id"],
    }


def login(gateway: Running, method: str, given: dict[str, str], **headers: str) -> Answer:
    return gateway.call("POST", f"/v1/auth/{method}/login", given, token="", **headers)


def key(gateway: Running, *rules: dict[str, Any]) -> str:
    policy = name()
    assert gateway.call("PUT", f"/api/v1/policies/{policy}", {"rules": list(rules)}).status < 300
    made = gateway.call("POST", "/api/v1/keys", {"name": policy, "policies": [policy]})
    token: str = made.json()["token"]
    return token


def test_a_method_is_managed_by_whom_a_policy_names_and_no_other_is(gateway: Running, method: str) -> None:
    """Made, tuned, ended and given roles by its path alone; by either API."""
    mine = name()
    rules = {"effect": "allow", "actions": ["manage", "read"], "paths": [f"sys/auth/{mine}", f"auth/{mine}/**"]}
    token = key(gateway, rules)
    assert 204 == gateway.call("POST", f"/v1/sys/auth/{mine}", {"type": "approle"}, token=token).status
    asked = [
        ("POST", "/v1/sys/auth/{}/tune", {"max_lease_ttl": "1h"}),
        ("POST", "/v1/sys/mounts/auth/{}/tune", {"description": "d"}),
        ("GET", "/v1/sys/auth/{}", None),
        ("GET", "/v1/sys/mounts/auth/{}/tune", None),
        ("PATCH", "/api/v1/auth-methods/{}", {"description": "e"}),
        ("POST", "/v1/auth/{}/role/web", {"token_policies": ["default"]}),
        ("GET", "/v1/auth/{}/role/web/role-id", None),
        ("GET", "/api/v1/approle/roles/web?method={}", None),
        ("DELETE", "/api/v1/approle/roles/web?method={}", None),
        ("DELETE", "/v1/sys/auth/{}", None),
    ]
    for verb, target, body in asked:
        for other in (method, "approle", name()):
            assert 403 == gateway.call(verb, target.format(other), body, token=token).status, target
        assert gateway.call(verb, target.format(mine), body, token=token).status in {200, 204}, target
    for verb, target, body in (
        ("POST", f"/v1/sys/auth/{name()}", {"type": "approle"}),
        ("POST", "/api/v1/auth-methods", {"name": name()}),
        ("GET", "/v1/sys/auth", None),
        ("GET", "/api/v1/auth-methods", None),
    ):
        assert 403 == gateway.call(verb, target, body, token=token).status, target
    assert 200 == gateway.call("GET", f"/v1/sys/auth/{method}").status


def test_whoever_writes_roles_of_one_method_hands_out_no_more_than_it_has(gateway: Running, method: str) -> None:
    """A method of one's own is no way to another's policies."""
    rules = {"effect": "allow", "actions": ["*"], "paths": [f"sys/auth/{method}", f"auth/{method}/**"]}
    token = key(gateway, rules)
    answer = gateway.call("POST", f"/v1/auth/{method}/role/own", {"token_policies": ["administrator"]}, token=token)
    assert 403 == answer.status


def test_a_role_id_proves_nothing_at_another_method_or_in_another_namespace(gateway: Running, method: str) -> None:
    """Where a role of the same name stands too."""
    other, team = name(), name()
    assert 204 == gateway.call("POST", f"/v1/sys/auth/{other}", {"type": "approle"}).status
    role(gateway, other)
    there = gateway.call("POST", "/api/v1/namespaces", {"name": team}).json()["administrator"]["token"]
    enabled = gateway.call("POST", f"/v1/sys/auth/{method}", {"type": "approle"}, token=there, X_Vault_Namespace=team)
    assert 204 == enabled.status
    given = ids(gateway, method)
    assert 400 == login(gateway, other, given).status
    assert 400 == login(gateway, "approle", given).status
    assert 400 == login(gateway, method, given, X_Vault_Namespace=team).status
    assert 401 == gateway.call("POST", f"/api/v1/approle/login?method={other}", given, token="").status
    assert 200 == login(gateway, method, given).status
    assert 201 == gateway.call("POST", f"/api/v1/approle/login?method={method}", given, token="").status


def test_nobody_learns_which_methods_there_are_by_trying_to_log_in(gateway: Running, method: str) -> None:
    """A method or a namespace that is not there answers to the letter as wrong ids do, over either API."""
    given = {"role_id": "wrong", "secret_id": "wrong"}
    places = itertools.product((method, "approle", name(), "a b"), ("", "no-such-namespace"))
    vault, rest = set(), set()
    for each, where in places:
        shown = each.replace(" ", "%20")
        answer = login(gateway, shown, given, X_Vault_Namespace=where)
        vault.add((answer.status, answer.body, answer.headers["content-type"]))
        answer = gateway.call(
            "POST", f"/api/v1/approle/login?method={shown}", given, token="", X_Wardgate_Namespace=where
        )
        told = answer.json()
        rest.add((answer.status, *(str(told[field]) for field in ("type", "title", "detail"))))
    assert {(400, b'{"errors":["invalid role or secret ID"]}\n', "application/json")} == vault
    assert [401] == [status for status, *_ in rest]


@pytest.mark.parametrize("again", [False, True])
def test_a_disabled_methods_tokens_are_dead_at_once_and_stay_so(gateway: Running, again: bool) -> None:  # noqa: FBT001
    """Theirs and their children's, in every worker, from the very next request; also once it is enabled again."""
    for _ in range(10):
        found = name()
        gateway.call("POST", f"/v1/sys/auth/{found}", {"type": "approle"})
        role(gateway, found)
        given = ids(gateway, found)
        held = login(gateway, found, given).json()["auth"]["client_token"]
        parent = gateway.call("POST", "/api/v1/approle/login", given, token="").status
        assert 401 == parent
        for _ in range(8):
            assert 200 == gateway.call("GET", "/v1/auth/token/lookup-self", token=held).status
        assert 204 == gateway.call("DELETE", f"/v1/sys/auth/{found}").status
        if again:
            gateway.call("POST", f"/v1/sys/auth/{found}", {"type": "approle"})
            role(gateway, found)
        answers = [gateway.call("GET", "/v1/auth/token/lookup-self", token=held).status for _ in range(8)]
        assert {403} == set(answers)
        assert {400} == {login(gateway, found, given).status for _ in range(4)}


def test_what_becomes_of_a_method_is_in_the_audit(gateway: Running) -> None:
    """Each change begun before it was done, with what was asked, and refused ones too."""
    found = name()
    config = {"max_lease_ttl": "1h"}
    gateway.call("POST", f"/v1/sys/auth/{found}", {"type": "approle", "config": config})
    gateway.call("POST", f"/v1/sys/auth/{found}", {"type": "approle"})
    gateway.call("POST", f"/v1/sys/auth/{found}", {"type": "no-such"})
    gateway.call("POST", f"/v1/sys/auth/{found}/tune", {"default_lease_ttl": "5m"})
    login(gateway, found, {"role_id": "x", "secret_id": "y"})
    gateway.call("DELETE", f"/v1/sys/auth/{found}")
    gateway.call("DELETE", "/v1/sys/auth/token")
    records = [json.loads(line) for file in gateway.audit.glob("*.jsonl") for line in file.read_text().splitlines()]
    mine = [one for one in records if found in one.get("path", "")]
    closed = [(one["operation"], one["code"]) for one in mine if "code" in one]
    assert sorted(closed) == [
        ("DisableMethod", "ok"), ("EnableMethod", "already_exists"), ("EnableMethod", "ok"),
        ("Login", "unauthenticated"), ("Rejected", "invalid_value"), ("TuneMethod", "ok"),
    ]  # fmt: skip
    begun = {one["operation"] for one in mine if "code" not in one}
    assert {"EnableMethod", "TuneMethod", "DisableMethod", "Login"} == begun
    details = [one["details"] for one in mine if one.get("details")]
    assert {"type": "approle", "default_lease_ttl": "0s", "max_lease_ttl": "3600s"} in details
    assert {"default_lease_ttl": "300s"} in details
