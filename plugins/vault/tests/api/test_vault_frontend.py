"""The front-end as a translator: what enters the road, and what is said of what comes back."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wardgate.spi.errors import (
    CLOSED_LIST,
    Gone,
    OutcomeUnknown,
    RateLimited,
    Sealed,
    Unavailable,
    Unsupported,
    WardgateError,
)
from wardgate.spi.frontend import Freshness, Outcome
from wardgate.spi.operations.base import Action, Rejected
from wardgate.spi.operations.secrets import ListSecrets, ReadSecret, WriteSecret
from wardgate.spi.path import Path
from wardgate.spi.values import BYTES, TEXT, Entry, Page, SecretVersion, Value, VersionInfo, VersionState
from wardgate_vault.api import errors, listing

from tests.end_to_end.vault_vectors import Response, Send

SECRET = Path(("secret", "a"))


def _as(token: str, **headers: str) -> dict[str, str]:
    return {"X-Vault-Token": token, **{name.replace("_", "-"): value for name, value in headers.items()}}


def _answering(gateway: Any, monkeypatch: pytest.MonkeyPatch, answer: Outcome[Any] | WardgateError) -> None:
    """Let the road answer everything alike."""

    async def perform(*_: Any, **__: Any) -> Outcome[Any]:
        if isinstance(answer, WardgateError):
            raise answer
        return answer

    monkeypatch.setattr(gateway, "perform", perform)


@pytest.mark.parametrize("kind", CLOSED_LIST, ids=lambda kind: kind.__name__)
def test_every_error_of_the_closed_list_has_an_answer(kind: type[WardgateError]) -> None:
    """Only what is nobody's fault but the gateway's or a store's is 500 and above."""
    answer = errors.answer(kind("why"))

    assert (answer.status >= 500) is (kind in {Unavailable, OutcomeUnknown, Sealed})
    assert set(json.loads(answer.body)) == {"errors"}


def test_a_rate_limit_says_when_to_come_back() -> None:
    """Seconds, rounded up: a client that waits them is not refused again."""
    assert ((b"retry-after", b"2"),) == errors.answer(RateLimited(retry_after=1.2)).headers


def test_a_value_comes_back_as_the_text_it_was(send: Send, token: str) -> None:
    """Order, spaces and the forms of numbers are the caller's."""
    text = '{ "b": 1.50, "a": [12345678901234567890 , "\\u00fc"] }'
    send("POST", "/v1/secret/data/a", _as(token), f'{{"data":{text},"options":{{}}}}'.encode())

    assert f'"data":{{"data":{text},"metadata"'.encode() in send("GET", "/v1/secret/data/a", _as(token), b"").body


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Value(b"hunter2", TEXT), {"value": "hunter2", "wardgate:type": TEXT}),
        (Value(b"\xff\x00", BYTES), {"value_base64": "/wA=", "wardgate:type": BYTES}),
        (Value(b'{"a": 1}', BYTES), {"a": 1}),
        (Value(b"[1]", "application/json"), {"value": "[1]", "wardgate:type": "application/json"}),
    ],
)
def test_what_is_no_object_is_shown_in_one(
    value: Value, shown: object, gateway: Any, send: Send, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Vault's clients know maps alone; a text or bytes of another API or store still reads."""
    _answering(gateway, monkeypatch, Outcome(SecretVersion(VersionInfo("x", 1), value)))

    assert shown == _json(send("GET", "/v1/secret/data/a", _as(token), b""))["data"]["data"]


@pytest.mark.parametrize("target", ["secret/data/a", "secret/data/a?version=1", "secret/subkeys/a", "kv1/a"])
@pytest.mark.parametrize(
    ("given", "fresh"),
    [
        ({}, False),
        ({"cache-control": "no-cache"}, True),
        ({"cache-control": "no-cache, no-store"}, True),
        ({"cache-control": "max-age=0 ,No-Cache"}, True),
        ({"cache-control": "no-cache", "Cache-Control": "no-store"}, True),
        ({"cache-control": "no-store"}, False),
        ({"cache-control": "x-no-cache"}, False),
    ],
    ids=str,
)
def test_who_asks_for_no_cache_gets_none(
    target: str,
    given: dict[str, str],
    fresh: bool,  # noqa: FBT001  # a parameter of the case
    gateway: Any,
    send: Send,
    token: str,
) -> None:
    """In whatever company the directive stands, and whichever read it is."""
    send("GET", f"/v1/{target}", {**_as(token), **given}, b"")

    assert fresh is gateway.asked[-1].fresh


def test_a_stale_value_says_how_old_it_is(
    gateway: Any, send: Send, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never silently old."""
    found = SecretVersion(VersionInfo("x", 1), Value(b"{}"))
    _answering(gateway, monkeypatch, Outcome(found, freshness=Freshness(age=90.7, stale=True)))
    response = send("GET", "/v1/secret/data/a", _as(token), b"")

    assert "90" == response.headers["age"]
    assert ["the store does not answer; this value was read 90 seconds ago"] == _json(response)["warnings"]


@pytest.mark.parametrize(
    ("info", "deletion_time", "destroyed"),
    [
        (VersionInfo("x", 3, 0, VersionState.DELETED, deleted_at=1_500_000_000), "1970-01-01T00:00:01.5Z", False),
        (VersionInfo("x", 3, 0, VersionState.EXPIRED, expires_at=10**9), "1970-01-01T00:00:01Z", False),
        (VersionInfo("x", 3, 10**9, VersionState.DISABLED), "1970-01-01T00:00:01Z", False),
        (VersionInfo("x", 3, 0, VersionState.DESTROYED), "", True),
    ],
)
def test_a_version_that_is_gone_shows_its_metadata(
    info: VersionInfo,
    deletion_time: str,
    destroyed: bool,  # noqa: FBT001  # a parameter of the case
    gateway: Any,
    send: Send,
    token: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Clients read it from the 404, and take an empty deletion time for a live version."""
    _answering(gateway, monkeypatch, Gone("gone", info=info))
    response = send("GET", "/v1/secret/data/a", _as(token), b"")
    metadata = _json(response)["data"]["metadata"]

    assert (404, 3, deletion_time, destroyed) == (
        response.status, metadata["version"], metadata["deletion_time"], metadata["destroyed"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("method", "target", "action"),
    [
        ("POST", "/v1/secret/data/a", Action.WRITE),
        ("POST", "/v1/secret/destroy/a", Action.DESTROY),
        ("POST", "/v1/secret/metadata/a", Action.ANNOTATE),
        ("LIST", "/v1/secret/data/a", Action.LIST),
        ("GET", "/v1/secret/wrong/a", Action.READ),
        ("GET", "/v1/sys/nothing", Action.READ),
        ("DELETE", "/v1/auth/token/lookup-self", Action.DELETE),
    ],
)
def test_what_cannot_be_translated_enters_the_road(
    method: str, target: str, action: Action, gateway: Any, send: Send, token: str
) -> None:
    """It is audited as rejected, and what is wrong with it is told only to who may act there."""
    refused = send(method, target, _as(token), b"{")
    unknown = send(method, target, _as("wrong"), b"{")
    operation = gateway.asked[0]

    assert 400 <= refused.status < 500
    assert (403, b'{"errors":["permission denied"]}\n') == (unknown.status, unknown.body)
    assert ("Rejected", action, False) == (operation.name(), operation.action, operation.anonymous)
    assert isinstance(operation, Rejected)


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/v1/secret/data/..", {}),
        ("/v1/secret/data/%ff", {}),
        ("/v1/secret/data/a?x=%ff", {}),
        ("/v1/secret/data/a?" + "&".join(f"p{n}=1" for n in range(40)), {}),
        ("/v1/secret/data/a", {"X-Vault-Namespace": "a/../b"}),
        ("/v1/secret/data/a", {"X-Vault-Wrap-TTL": "soon"}),
        ("/v1/secret/data/a", {"Authorization": "Bearer another"}),
    ],
)
def test_what_cannot_be_read_is_refused_to_all(
    target: str, headers: dict[str, str], gateway: Any, send: Send, token: str
) -> None:
    """Before there is a path or a caller there is nobody to ask; the audit still hears of it."""
    response = send("GET", target, {**_as(token), **headers}, b"")

    assert (400, [Rejected]) == (response.status, [type(operation) for operation in gateway.asked])


def test_a_lookup_of_a_wrapping_is_wrapped_like_any_answer(gateway: Any, send: Send, token: str) -> None:
    """It once was refused, and left a kept answer behind that nobody had the token of."""
    wrapping = {**_as(token), "X-Vault-Wrap-TTL": "60s"}
    kept = _json(send("POST", "/v1/sys/wrapping/wrap", wrapping, b'{"a": 1}'))["wrap_info"]["token"]

    told = send("POST", "/v1/sys/wrapping/lookup", wrapping, json.dumps({"token": kept}).encode())

    told_token = _json(told)["wrap_info"]["token"]
    assert {kept, told_token} == set(gateway.keeper._kept)
    inside = send("POST", "/v1/sys/wrapping/unwrap", _as(told_token), b"")
    assert "sys/wrapping/wrap" == _json(inside)["data"]["creation_path"]


def test_the_token_may_come_as_bearer(send: Send, token: str) -> None:
    """In any case of the word; the same token twice is one token; another scheme is no token of ours."""
    assert 200 == send("GET", "/v1/auth/token/lookup-self", {"Authorization": f"bearer {token}"}, b"").status
    assert 200 == send("GET", "/v1/sys/mounts", _as(token, Authorization=f"Bearer {token}"), b"").status
    assert 200 == send("GET", "/v1/sys/mounts", _as(token, Authorization="Basic YTpi"), b"").status


def test_paths_are_the_mounts_prefix_and_what_lies_below(gateway: Any, send: Send, token: str) -> None:
    """The words of KV version 2 end here: the road sees one path, whatever was asked of the secret."""
    for method, kind in (("GET", "data"), ("GET", "metadata"), ("LIST", "metadata"), ("DELETE", "data")):
        send(method, f"/v1/secret/{kind}/data/a%20b", _as(token), b"")

    assert {Path(("secret", "data", "a b"))} == {operation.path for operation in gateway.asked}


def test_a_write_carries_the_text_and_what_must_be_current(gateway: Any, send: Send, token: str) -> None:
    """The value is the text of the `data` member and nothing else of the body."""
    send("POST", "/v1/secret/data/a", _as(token), b'{"options":{"cas":0},"data": {"k" : 1}}')
    operation = gateway.asked[0]

    assert isinstance(operation, WriteSecret)
    assert (SECRET, b'{"k" : 1}', "application/json") == (
        operation.path, operation.value.data, operation.value.media_type,
    )  # fmt: skip


def test_a_path_without_a_mount_is_asked_for_on_the_road(gateway: Any, send: Send, token: str) -> None:
    """An unknown mount fails after authentication, not before."""
    send("DELETE", "/v1/nowhere/a", _as(token), b"")

    assert [ReadSecret(path=Path(("nowhere", "a")))] == gateway.asked


def test_one_version_of_several_that_is_not_there_is_told(send: Send, token: str) -> None:
    """Nothing was changed then, and a 204 would say that all was."""
    send("POST", "/v1/secret/data/a", _as(token), b'{"data":{}}')
    response = send("POST", "/v1/secret/destroy/a", _as(token), b'{"versions":[1,7]}')

    assert (404, 200) == (response.status, send("GET", "/v1/secret/data/a", _as(token), b"").status)


def test_a_list_is_bounded(gateway: Any, send: Send, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of more names than one answer holds is cut, and the answer says so."""
    monkeypatch.setattr(listing, "MAX_NAMES", 4)
    asked: list[ListSecrets] = []

    async def perform(_: Any, operation: ListSecrets, **__: Any) -> Outcome[Page]:
        asked.append(operation)
        return Outcome(Page(tuple(Entry(f"{len(asked)}-{n}") for n in range(3)), cursor="more"))

    monkeypatch.setattr(gateway, "perform", perform)
    answer = _json(send("LIST", "/v1/secret/metadata", _as(token), b""))

    assert (6, [None, "more"]) == (len(answer["data"]["keys"]), [operation.cursor for operation in asked])
    assert ["there are more names than one answer holds"] == answer["warnings"]


@pytest.mark.parametrize(
    ("initialized", "sealed", "query", "status"),
    [
        (False, True, "", 501),
        (True, True, "", 503),
        (True, True, "?sealedcode=200", 200),
        (False, True, "?uninitcode=250&sealedcode=200", 250),
    ],
)
def test_health_is_a_status(
    initialized: bool,  # noqa: FBT001  # a parameter of the case
    sealed: bool,  # noqa: FBT001  # likewise
    query: str,
    status: int,
    gateway: Any,
    send: Send,
) -> None:
    """Load balancers read nothing else."""
    gateway.services.status = dataclasses.replace(gateway.services.status, initialized=initialized, sealed=sealed)

    assert status == send("GET", f"/v1/sys/health{query}", {}, b"").status


def test_head_has_the_length_and_no_body(send: Send) -> None:
    """The answer to HEAD is that of GET without its body."""
    response = send("HEAD", "/v1/sys/health", {}, b"")

    assert b"" == response.body
    assert len(send("GET", "/v1/sys/health", {}, b"").body) == int(response.headers["content-length"])


def test_a_mount_that_is_shown_in_another_way_is_not_answered(gateway: Any, send: Send, token: str) -> None:
    """KV version 1 is not spoken as yet; version 2's paths must not pass for it."""
    gateway.mount(Path(("old",)), "native", {"vault.kv": "1"})

    assert 404 == send("GET", "/v1/old/data/a", _as(token), b"").status


def test_options_of_another_backend_type_reach_it(gateway: Any, send: Send, token: str) -> None:
    """`options` are the backend's own, but for the version, which says how the mount is shown."""
    body = b'{"type":"vault","options":{"version":"2","address":"https://vault.example","pool_size":4}}'
    send("POST", "/v1/sys/mounts/team/kv", _as(token), body)
    operation = gateway.asked[0]

    assert ("vault", {"address": "https://vault.example", "pool_size": 4}, {"vault.kv": "2"}) == (
        operation.type, operation.options, operation.presentation,
    )  # fmt: skip
    assert "https" not in repr(operation)


def test_a_refusal_of_the_store_keeps_vaults_words_and_adds_its_own() -> None:
    """The first sentence is for programs, the second for people."""
    assert ["1 error occurred:\n\t* unsupported operation\n\n", "this store cannot list names"] == json.loads(
        errors.answer(Unsupported("this store cannot list names")).body
    )["errors"]


targets = st.lists(
    st.sampled_from(
        ["secret", "data", "metadata", "delete", "undelete", "destroy", "config", "sys", "auth", "token", "mounts",
         "approle", "role", "login", "secret-id", "role-id", "internal", "ui", "capabilities-self", "health", "a", "",
         "lookup-self", "renew-self", "%2e", "%00", "%ff", "%F0%9F%98%80", "\\", "+"],
    ),
    max_size=6,
).map("/".join)  # fmt: skip
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["data", "options", "cas", "versions", "max_versions", "custom_metadata", "delete_version_after", "paths",
             "path", "type", "role_id", "secret_id", "token_ttl", "token_policies", "increment", "wardgate:type"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "LIST", "DELETE", "HEAD", "PATCH", "SCAN"]),
    target=targets,
    query=st.sampled_from(["", "list=true", "version=2", "version=-9", "limit=0&after=x", "activecode=99", "=&=", "%"]),
    body=documents.map(lambda document: json.dumps(document).encode()) | st.binary(max_size=40),
)
def test_no_request_is_the_gateways_fault(
    method: str, target: str, query: str, body: bytes, send: Send, token: str
) -> None:
    """Whatever comes in, what goes out is below 500, in Vault's form, and nothing is left to the server to explain."""
    response = send(method, f"/v1/{target}?{query}", _as(token), body)

    assert response.status < 500
    assert ("application/json", "no-store") == (response.headers["content-type"], response.headers["cache-control"])
    assert response.status == 204 or method == "HEAD" or isinstance(_json(response), dict)


def _json(response: Response) -> Any:
    return json.loads(response.body)
