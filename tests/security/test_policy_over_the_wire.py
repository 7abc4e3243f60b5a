"""No way round a policy: every spelling of a denied path, at every place, by every method, over both APIs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.servers.gateway import Running, running

CANARY = "canary-denied-81f2"
NAME = "canary-name-17ae"
"""A secret that is nowhere but in the denied folder. (Another case is another folder, and may be written to.)"""
DENIED = "private"
RULES = {
    "whole folder": ["secret/team/private/**"],
    "folder at any depth of one": ["secret/*/private/**"],
    "a star within": ["secret/team/pri*/**"],
}
SPELLINGS = [
    "private", "%70rivate", "privat%65", "%70%72%69%76%61%74%65", "PRIVATE", "Private", "private%20", "%20private",
    "private%00", "private%0a", "private%09", "private%7f", "private%c2%a0", "private%e2%80%8b", "private.",
    "./private", "x/../private", "x/%2e%2e/private", "%2e/private", "/private", "private/", "private//", "private%2f",
    "%2fprivate", "private%5c", "private;x", "private%3b", "private%3f", "private%23", "private%252f", "%2570rivate",
    "priv%c3%a0te", "p%72ivate%c0%af", "private%ff", "%ef%bd%90rivate",
]  # fmt: skip
METHODS = ["GET", "LIST", "POST", "PUT", "PATCH", "DELETE", "HEAD", "SCAN"]
PLACES = {
    "vault data": "/v1/secret/data/team/{}/db",
    "vault metadata": "/v1/secret/metadata/team/{}/db",
    "vault listing": "/v1/secret/metadata/team/{}?list=true",
    "vault undelete": "/v1/secret/undelete/team/{}/db",
    "rest secret": "/api/v1/secrets/secret/team/{}/db",
    "rest metadata": "/api/v1/metadata/secret/team/{}/db",
    "rest folder": "/api/v1/folders/secret/team/{}",
}


@pytest.fixture(scope="module")
def guarded() -> Iterator[tuple[Running, dict[str, str]]]:
    """A gateway with a secret behind three ways of denying it, and a token for each way."""
    with running(plugins=["native", "vault"], workers=1) as gateway:
        for place in ("team/private/db", f"team/private/{NAME}", "team/open/db"):
            value = CANARY if DENIED in place else "open"
            assert gateway.call("POST", f"/v1/secret/data/{place}", {"data": {"v": value}}).status == 200
        tokens = {}
        for number, (name, denied) in enumerate(RULES.items()):
            rules = [
                {"effect": "allow", "actions": ["*"], "paths": ["secret/**"]},
                {"effect": "deny", "actions": ["*"], "paths": denied},
            ]
            assert gateway.call("PUT", f"/api/v1/policies/p{number}", {"rules": rules}).status in {200, 201, 204}
            made = gateway.call("POST", "/api/v1/keys", {"name": name, "policies": [f"p{number}"]})
            tokens[name] = made.json()["token"]
        yield gateway, tokens


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("place", PLACES)
def test_no_spelling_reaches_what_is_denied(guarded: tuple[Running, dict[str, str]], rule: str, place: str) -> None:
    """Nothing shows the value, a 5xx, or that the secret is there."""
    gateway, tokens = guarded
    for spelling, method in itertools.product(SPELLINGS, METHODS):
        target = PLACES[place].format(spelling)
        body = b'{"data":{"v":"overwritten"},"versions":[1]}' if method in {"POST", "PUT", "PATCH"} else None
        answer = gateway.call(method, target, body, token=tokens[rule], Content_Type="application/json")
        assert answer.status < 500, (method, target, answer.status)
        assert CANARY.encode() not in answer.body, (method, target)
        assert NAME.encode() not in answer.body, (method, target)
    untouched = gateway.call("GET", "/v1/secret/data/team/private/db").json()["data"]
    assert {"v": CANARY} == untouched["data"]
    assert 1 == untouched["metadata"]["version"]


@pytest.mark.parametrize("rule", RULES)
def test_what_is_not_denied_is_reached(guarded: tuple[Running, dict[str, str]], rule: str) -> None:
    """The control: the same token reads beside it, and sees the folder's other names."""
    gateway, tokens = guarded
    read = gateway.call("GET", "/v1/secret/data/team/open/db", token=tokens[rule])
    assert {"v": "open"} == read.json()["data"]["data"]
    listed = gateway.call("LIST", "/v1/secret/metadata/team", token=tokens[rule]).json()["data"]["keys"]
    assert "open/" in listed


def test_the_host_header_changes_nothing(guarded: tuple[Running, dict[str, str]]) -> None:
    """Some frameworks build the path from it."""
    gateway, tokens = guarded
    for host in ("x/v1/secret/data/team/open/db?", "a\\b", "[::1", "secret@x", "x:1/.."):
        answer = gateway.call("GET", "/v1/secret/data/team/private/db", token=tokens["whole folder"], Host=host)
        assert answer.status in {400, 403}, (host, answer.status)


def test_a_denied_folder_cannot_be_listed_and_its_name_is_hidden(guarded: tuple[Running, dict[str, str]]) -> None:
    """A deny below a folder covers the folder's own listing."""
    gateway, tokens = guarded
    token = tokens["whole folder"]
    assert 403 == gateway.call("LIST", "/v1/secret/metadata/team/private", token=token).status
    assert 403 == gateway.call("LIST", "/v1/secret/metadata/team/private/", token=token).status
    assert 403 == gateway.call("GET", "/api/v1/folders/secret/team/private", token=token).status
