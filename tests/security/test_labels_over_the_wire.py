"""Conditions over the wire: a label's change holds in every worker at once, and only the gateway's own labels count."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.gateway import Running, running

CANARY = "canary-conditional-6a02"
ASKS = 12
"""Connections of their own for one question, so that both workers answer."""


@pytest.fixture(scope="module")
def guarded() -> Iterator[tuple[Running, str]]:
    """Two workers, a secret, and a token that may do all but what its conditions forbid."""
    with running(plugins=["native", "vault"], workers=2) as gateway:
        made = gateway.call("POST", "/v1/secret/data/team/db", {"data": {"v": CANARY}})
        assert made.status == 200
        rules = [
            {"effect": "allow", "actions": ["*"], "paths": ["secret/**"], "when": 'source in "127.0.0.0/8"'},
            {"effect": "deny", "actions": ["*"], "paths": ["secret/**"], "when": 'label.class == "restricted"'},
        ]
        assert gateway.call("PUT", "/api/v1/policies/p", {"rules": rules}).status == 204
        token = gateway.call("POST", "/api/v1/keys", {"name": "p", "policies": ["p"]}).json()["token"]
        yield gateway, token


def label(gateway: Running, path: str, **labels: str | None) -> None:
    assert gateway.call("PATCH", f"/api/v1/labels/{path}", {"labels": labels}).status == 200


def statuses(gateway: Running, token: str, *targets: str) -> set[int]:
    answers = [gateway.call("GET", target, token=token) for target in targets * ASKS]
    assert not any(answer.status != 200 and CANARY.encode() in answer.body for answer in answers)
    return {answer.status for answer in answers}


PLACES = ("/v1/secret/data/team/db", "/api/v1/secrets/secret/team/db", "/v1/secret/metadata/team/db")


def test_a_label_s_change_holds_in_every_worker_at_once(guarded: tuple[Running, str]) -> None:
    """No answer after the acknowledgement is the old one, over either API; at the path and at an ancestor."""
    gateway, token = guarded
    for _ in range(5):
        for path in ("secret/team/db", "secret"):
            label(gateway, path, **{"class": "open"})
            assert {200} == statuses(gateway, token, *PLACES)
            label(gateway, path, **{"class": "restricted"})
            assert {403} == statuses(gateway, token, *PLACES)
            label(gateway, path, **{"class": None})
            assert {403} == statuses(gateway, token, *PLACES)


def test_what_the_writer_of_a_secret_says_of_it_is_no_label(guarded: tuple[Running, str]) -> None:
    """Its metadata cannot open what a condition closes."""
    gateway, token = guarded
    label(gateway, "secret/team/db", **{"class": None})
    written = gateway.call("POST", "/v1/secret/metadata/team/db", {"custom_metadata": {"class": "open"}})
    assert written.status == 204
    assert gateway.call("PATCH", "/api/v1/metadata/secret/team/db", {"labels": {"class": "open"}}).status in {200, 204}
    assert {403} == statuses(gateway, token, *PLACES)


def test_whoever_may_do_all_with_secrets_cannot_set_labels(guarded: tuple[Running, str]) -> None:
    """They are the gateway's own, at ``sys/labels``."""
    gateway, token = guarded
    for method, body in (("PATCH", {"labels": {"class": "open"}}), ("DELETE", None), ("GET", None)):
        assert 403 == gateway.call(method, "/api/v1/labels/secret/team/db", body, token=token).status
    assert 403 == gateway.call("GET", "/api/v1/labels", token=token).status


def test_a_list_hides_what_conditions_forbid(guarded: tuple[Running, str]) -> None:
    """Over both APIs, page by page."""
    gateway, token = guarded
    for name in ("a", "b", "hidden"):
        assert gateway.call("POST", f"/v1/secret/data/listed/{name}", {"data": {"v": "1"}}).status == 200
    label(gateway, "secret/listed", **{"class": "open"})
    label(gateway, "secret/listed/hidden", **{"class": "restricted"})
    for _ in range(ASKS):
        vault = gateway.call("LIST", "/v1/secret/metadata/listed", token=token)
        assert ["a", "b"] == vault.json()["data"]["keys"]
        rest = gateway.call("GET", "/api/v1/folders/secret/listed", token=token)
        assert b"hidden" not in rest.body
        assert rest.status == 200


def test_a_client_of_vault_finds_its_mount(guarded: tuple[Running, str]) -> None:
    """It asks for the mount before it asks for the secret, and nothing is known of labels below yet."""
    gateway, token = guarded
    found = gateway.call("GET", "/v1/sys/internal/ui/mounts/secret/team/db", token=token)
    assert (200, "kv") == (found.status, found.json()["data"]["type"])


def test_an_explanation_and_the_audit_hold_no_token(guarded: tuple[Running, str]) -> None:
    """What conditions read is shown; who showed which token is not."""
    gateway, token = guarded
    question = {"policies": ["p"], "action": "read", "path": "secret/team/db", "facts": {"source": "127.0.0.1"}}
    why = gateway.call("POST", "/api/v1/explain", question)
    assert {"label.class", "source"} == {name for one in why.json()["considered"] for name in one["attributes"]}
    assert token.encode() not in why.body
    assert gateway.token.encode() not in why.body
    logged = b"".join(file.read_bytes() for file in gateway.audit.glob("**/*") if file.is_file())
    assert b"ChangeLabels" in logged
    assert token.encode() not in logged
