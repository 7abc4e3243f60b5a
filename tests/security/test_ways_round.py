"""No way round a policy by what came later: batches, scans, merges, the older KV, conditions, the cache, wrapping."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.servers.gateway import Answer, Running, running

CANARY = "canary-denied-4c19"
NAME = "canary-name-0d72"
"""A secret that is nowhere but in the denied folder."""
JSON = "application/json"
MERGE = "application/merge-patch+json"
SPELLINGS = [
    "secret/team/private/db", "/secret/team/private/db", "secret/team/private/db/", "secret//team/private/db",
    "secret/team/./private/db", "secret/team/x/../private/db", "secret/team/%70rivate/db", "secret/team/private%2fdb",
    "secret/team\\private/db", "secret/team/private/db\u0000", "secret/team/private/db ", " secret/team/private/db",
    "secret/team/private\u200b/db", "SECRET/team/private/db", "secret/data/team/private/db", "kv1/team/private/db",
]  # fmt: skip


@pytest.fixture(scope="module")
def guarded() -> Iterator[tuple[Running, str]]:
    """Two mounts, shown as either version of KV, with a denied folder in each; and who may do all else there."""
    with running(plugins=["native", "vault"], workers=2) as gateway:
        made = gateway.call("POST", "/v1/sys/mounts/kv1", {"type": "kv", "options": {"version": "1"}})
        assert 204 == made.status, made.body
        for place in ("private/db", f"private/{NAME}", "open/db"):
            value = {"v": CANARY if "private" in place else "open"}
            assert 200 == gateway.call("POST", f"/v1/secret/data/team/{place}", {"data": value}).status
            assert 204 == gateway.call("POST", f"/v1/kv1/team/{place}", value).status
        rules = [
            {"effect": "allow", "actions": ["*"], "paths": ["secret/**", "kv1/**"]},
            {"effect": "deny", "actions": ["*"], "paths": ["secret/team/private/**", "kv1/team/private/**"]},
        ]
        assert gateway.call("PUT", "/api/v1/policies/p", {"rules": rules}).status in {200, 201, 204}
        token = gateway.call("POST", "/api/v1/keys", {"name": "p", "policies": ["p"]}).json()["token"]
        yield gateway, token


def hidden(answer: Answer) -> None:
    """Nothing of what is denied is in it, and it is no failure."""
    assert answer.status < 500, answer.body
    assert CANARY.encode() not in answer.body
    assert NAME.encode() not in answer.body


def untouched(gateway: Running) -> None:
    read = gateway.call("GET", "/v1/secret/data/team/private/db").json()["data"]
    assert (CANARY, 1) == (read["data"]["v"], read["metadata"]["version"])
    assert {"v": CANARY} == gateway.call("GET", "/v1/kv1/team/private/db").json()["data"]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_batch_reaches_what_is_denied(guarded: tuple[Running, str], spelling: str) -> None:
    """Whatever stands beside it, and however it is written; what is not denied is done all the same."""
    gateway, token = guarded
    for beside in ([], ["secret/team/open/db"] * 3):
        paths = [*beside, spelling, *beside]
        for target, more in (("read", {}), ("write", {"json": {"v": "overwritten"}})):
            items = [{"path": path, **more} for path in paths]
            hidden(gateway.call("POST", f"/api/v1/batch/{target}", {"items": items}, token=token, Content_Type=JSON))
    untouched(gateway)


def test_a_batch_answers_item_by_item(guarded: tuple[Running, str]) -> None:
    """The control, and after somebody else's read has filled the memory of every worker."""
    gateway, token = guarded
    items = [{"path": path} for path in ("secret/team/open/db", "secret/team/private/db", "kv1/team/private/db")]
    for who, statuses in ((gateway.token, [200, 200, 200]), (token, [200, 403, 403])) * 6:
        answer = gateway.call("POST", "/api/v1/batch/read", {"items": items}, token=who, Content_Type=JSON)
        assert statuses == [item["status"] for item in answer.json()["items"]]
        assert (who == gateway.token) == (CANARY.encode() in answer.body)


@pytest.mark.parametrize("folder", ["", "team", "team/", "team/private", "team/private/"])
def test_no_scan_and_no_list_names_what_is_denied(guarded: tuple[Running, str], folder: str) -> None:
    """From any folder above it, or of itself; plain, detailed, recursive, wrapped."""
    gateway, token = guarded
    targets = [
        *itertools.product(
            ("LIST", "SCAN"),
            (f"/v1/{at}/{folder}" for at in ("secret/metadata", "secret/detailed-metadata", "kv1")),
        ),
        *(("GET", f"/v1/secret/metadata/{folder}?{query}") for query in ("list=true", "scan=true")),
        *(
            ("GET", f"/api/v1/folders/{mount}/{folder}?recursive={how}")
            for mount, how in itertools.product(("secret", "kv1"), ("true", "false"))
        ),
    ]  # fmt: skip
    for method, target in targets:
        hidden(gateway.call(method, target, token=token))
        wrapped = gateway.call(method, target, token=token, X_Vault_Wrap_TTL="60")
        hidden(wrapped)
        if wrapped.status == 200 and wrapped.json().get("wrap_info"):
            hidden(unwrap(gateway, wrapped.json()["wrap_info"]["token"]))


def unwrap(gateway: Running, token: str, **headers: str) -> Answer:
    return gateway.call("POST", "/v1/sys/wrapping/unwrap", {"token": token}, **headers)


def test_no_merge_and_no_older_kv_reaches_what_is_denied(guarded: tuple[Running, str]) -> None:
    """Every verb of both, and all that stands beside the value."""
    gateway, token = guarded
    verbs = ("GET", "HEAD", "LIST", "SCAN", "POST", "PUT", "PATCH", "DELETE")
    kinds = ("data", "metadata", "subkeys", "delete", "undelete", "destroy", "detailed-metadata")
    targets = [f"/v1/secret/{kind}/team/private/db" for kind in kinds]
    targets += [
        "/v1/kv1/team/private/db",
        "/api/v1/secrets/kv1/team/private/db",
        "/api/v1/metadata/secret/team/private/db",
    ]
    body = b'{"data":{"v":"x"},"versions":[1],"custom_metadata":{"a":"b"},"v":"x"}'
    for verb, target in itertools.product(verbs, targets):
        sent = body if verb in {"POST", "PUT", "PATCH"} else None
        answer = gateway.call(verb, target, sent, token=token, Content_Type=MERGE if verb == "PATCH" else JSON)
        hidden(answer)
        assert answer.status in {400, 403, 404, 405, 415}, (verb, target, answer.status)
    untouched(gateway)
    assert not gateway.call("GET", "/v1/secret/metadata/team/private/db").json()["data"]["custom_metadata"]


def test_a_condition_on_the_version_tells_nothing_of_what_is_denied(guarded: tuple[Running, str]) -> None:
    """The right tag and a wrong one are refused alike."""
    gateway, token = guarded
    target = "/api/v1/secrets/secret/team/private/db"
    tag = gateway.call("GET", target).headers["etag"]
    for method, header in itertools.product(("GET", "PUT", "DELETE"), ("If-Match", "If-None-Match")):
        answers = [
            gateway.call(method, target, b"x" if method == "PUT" else None, token=token, **{header: value})
            for value in (tag, '"2"')
        ]
        assert len({answer.status for answer in answers}) == 1
        assert answers[0].status in {400, 403}
    untouched(gateway)


def test_a_refused_read_is_not_kept_wrapped(guarded: tuple[Running, str]) -> None:
    """No wrapping token comes of what is denied."""
    gateway, token = guarded
    for target in ("/v1/secret/data/team/private/db", "/v1/secret/subkeys/team/private/db", "/v1/kv1/team/private/db"):
        answer = gateway.call("GET", target, token=token, X_Vault_Wrap_TTL="60")
        assert 403 == answer.status
        assert not answer.json().get("wrap_info")


def test_a_wrapping_token_is_no_token(guarded: tuple[Running, str]) -> None:
    """It reads nothing, makes nothing and lists nothing; trying does not use it up, and unwrapping does, once."""
    gateway, _ = guarded
    wrapped = gateway.call("GET", "/v1/secret/data/team/private/db", X_Vault_Wrap_TTL="60").json()["wrap_info"]
    for method, target in (
        ("GET", "/v1/secret/data/team/open/db"), ("LIST", "/v1/secret/metadata/team"),
        ("POST", "/v1/auth/token/create"),
        ("GET", "/v1/auth/token/lookup-self"), ("GET", "/api/v1/secrets/secret/team/open/db"), ("GET", "/metrics"),
        ("POST", "/v1/sys/wrapping/wrap"),
    ):  # fmt: skip
        assert gateway.call(method, target, {} if method == "POST" else None, token=wrapped["token"]).status in {
            401,
            403,
        }
        bearer = gateway.call(method, target, token="", Authorization=f"Bearer {wrapped['token']}")
        assert bearer.status in {401, 403}
    assert CANARY == unwrap(gateway, wrapped["token"]).json()["data"]["data"]["v"]
    assert 400 == unwrap(gateway, wrapped["token"]).status


def namespace(gateway: Running, name: str) -> dict[str, Any]:
    """A child namespace: the headers and the token of its administrator."""
    answer = gateway.call("POST", "/api/v1/namespaces", {"name": name})
    assert 201 == answer.status, answer.body
    return {
        "token": answer.json()["administrator"]["token"], "X_Vault_Namespace": name, "X_Wardgate_Namespace": name,
    }  # fmt: skip


def test_nothing_of_one_namespace_is_named_in_another(guarded: tuple[Running, str]) -> None:
    """Accessors, tokens in bodies, wrapping tokens, roles and secret ids are strangers there, both ways."""
    gateway, token = guarded
    there = namespace(gateway, "stranger")
    home: dict[str, Any] = {}
    own = gateway.call("GET", "/v1/auth/token/lookup-self", token=token).json()["data"]
    theirs = gateway.call("GET", "/v1/auth/token/lookup-self", **there).json()["data"]
    for accessor, shown, where in ((own["accessor"], token, there), (theirs["accessor"], there["token"], home)):
        for verb in ("lookup", "renew", "revoke"):
            by_accessor = gateway.call("POST", f"/v1/auth/token/{verb}-accessor", {"accessor": accessor}, **where)
            by_token = gateway.call("POST", f"/v1/auth/token/{verb}", {"token": shown}, **where)
            assert max(by_accessor.status, by_token.status) < 500  # to end what is unknown has succeeded already
            assert shown.encode() not in by_accessor.body + by_token.body
        gone = gateway.call("DELETE", f"/api/v1/tokens/{accessor}", **where)
        assert gone.status == 404, gone.body
    wrapped = gateway.call("GET", "/v1/secret/data/team/private/db", X_Vault_Wrap_TTL="60").json()["wrap_info"]["token"]
    for verb in ("unwrap", "lookup", "rewrap"):
        answer = gateway.call("POST", f"/v1/sys/wrapping/{verb}", {"token": wrapped}, **there)
        hidden(answer)
        assert 400 == answer.status
    assert 200 == unwrap(gateway, wrapped).status
    assert 204 == gateway.call("POST", "/v1/auth/approle/role/r", {"token_policies": ["p"]}).status
    ids = {
        "role_id": gateway.call("GET", "/v1/auth/approle/role/r/role-id").json()["data"]["role_id"],
        "secret_id": gateway.call("POST", "/v1/auth/approle/role/r/secret-id").json()["data"]["secret_id"],
    }
    assert 400 == gateway.call("POST", "/v1/auth/approle/login", ids, token="", X_Vault_Namespace="stranger").status
    assert 200 == gateway.call("POST", "/v1/auth/approle/login", ids, token="").status
    for who, where in ((token, home), (there["token"], {**there})):
        where.pop("token", None)
        assert 200 == gateway.call("GET", "/v1/auth/token/lookup-self", token=who, **where).status


def test_another_s_idempotency_key_is_another_key(guarded: tuple[Running, str]) -> None:
    """Whoever guesses it gets no answer of another's, and whoever may not write is told so first."""
    gateway, token = guarded
    target = "/api/v1/secrets/secret/team/open/once"

    def write(who: str) -> Answer:
        return gateway.call("PUT", target, b"v", token=who, Idempotency_Key="guessed", Content_Type="text/plain")

    first = write(gateway.token)
    assert 200 == first.status
    nobody = gateway.call("POST", "/api/v1/keys", {"name": "n", "policies": ["default"]}).json()["token"]
    assert 403 == write(nobody).status
    second = write(token)
    assert (200, False) == (second.status, "idempotent-replayed" in second.headers)
    assert first.headers["etag"] != second.headers["etag"]


def test_metrics_are_for_whom_policy_lets(guarded: tuple[Running, str]) -> None:
    """No token and one without the right are refused; health says no more than it must."""
    gateway, token = guarded
    assert {401, 403} >= {gateway.call("GET", "/metrics", token=who).status for who in ("", token)}
    for target in ("/livez", "/readyz"):
        answer = gateway.call("GET", target, token="")
        assert 200 == answer.status
        assert len(answer.body) < 50


def test_the_audit_has_no_value_and_no_name_of_a_field(guarded: tuple[Running, str]) -> None:
    """Of batches, merges, the older KV and wrapped data: neither there, nor in the log, nor in any file."""
    gateway, _ = guarded
    value, field = "canary-value-77b1", "canary_field_31ce"
    data = {field: value}
    items = [{"path": f"secret/quiet/{number}", "json": data} for number in range(3)]
    calls: list[tuple[str, str, object, str]] = [
        ("POST", "/api/v1/batch/write", {"items": items}, JSON),
        ("POST", "/api/v1/batch/read", {"items": [{"path": "secret/quiet/0"}]}, JSON),
        ("PATCH", "/v1/secret/data/quiet/0", {"data": {f"{field}_2": value}}, MERGE),
        ("GET", "/v1/secret/subkeys/quiet/0", None, JSON),
        ("POST", "/v1/kv1/quiet", data, JSON),
        ("POST", "/v1/kv1/quiet", b'{"%s":"%s",' % (field.encode(), value.encode()), JSON),
        ("POST", "/api/v1/batch/write", {"items": [{"path": "secret/q", "json": data, field: value}]}, JSON),
    ]
    for method, target, body, kind in calls:
        assert gateway.call(method, target, body, Content_Type=kind).status < 500, target
    wrapped = gateway.call("POST", "/v1/sys/wrapping/wrap", data, X_Vault_Wrap_TTL="60").json()["wrap_info"]["token"]
    assert data == unwrap(gateway, wrapped).json()["data"]
    files = [file for file in gateway.folder.rglob("*") if file.is_file()]
    assert any(b'"WriteSecrets"' in file.read_bytes() for file in files)
    for canary in (value, field, wrapped):
        assert [] == [file.name for file in files if canary.encode() in file.read_bytes()], canary


def test_the_audit_of_a_batch_names_each_item_and_its_decision(guarded: tuple[Running, str]) -> None:
    """What was refused within a batch is on record like any refusal."""
    gateway, token = guarded
    items = [{"path": "secret/team/open/db"}, {"path": "secret/team/private/db"}]
    answer = gateway.call("POST", "/api/v1/batch/read", {"items": items}, token=token, Content_Type=JSON)
    assert 200 == answer.status
    lines = [
        json.loads(line) for file in gateway.audit.rglob("*.jsonl") for line in file.read_text().splitlines()
        if "ReadSecrets" in line and "secret/team/private/db" in line
    ]  # fmt: skip
    assert lines
    assert any("permission_denied" in json.dumps(line) for line in lines)
