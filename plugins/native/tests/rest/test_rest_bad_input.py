"""What the REST front-end refuses: always a 4xx problem, always audited as a rejection, never with the payload."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wardgate.spi.errors import CLOSED_LIST, RateLimited, Unauthenticated, Unsupported
from wardgate.spi.operations.base import Rejected
from wardgate.spi.operations.secrets import ReadSecret
from wardgate_native.api.problems import STATUS
from wardgate_native.api.table import TABLE

from tests.support.scripted import Request, Scripted

CANARY = "canary-7f3a"


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("secrets/a/../b", "'..'"),
        ("secrets/a/%2e%2e/b", "'..'"),
        ("secrets/a%2fb", "encoded slash"),
        ("secrets/a//b", "empty segment"),
        ("secrets/a/", "empty segment"),
        ("secrets/", "empty segment"),
        ("secrets/a%00", "control"),
        ("secrets/a%ff", "UTF-8"),
        ("secrets/a%EF%BF%BD", "U+FFFD"),
        ("secrets/a%5Cb", "backslash"),
        ("secrets/e%CC%81", "normalization"),
        ("secrets/%20a", "white space"),
        ("secrets/" + "a/" * 40 + "a", "32 segments"),
        ("secrets/" + "a" * 300, "255 bytes"),
        ("secrets/a?version=0", "version: must be a whole number >= 1"),
        ("secrets/a?version=-1", "version"),
        ("secrets/a?version=x", "version: must be a whole number"),
        ("secrets/a?version=" + "9" * 5000, "version"),
        ("secrets/a?version=1&version=2", "twice"),
        ("secrets/a?version=1&stage=x", "name one of"),
        ("secrets/a?verison=1", "did you mean 'version'"),
        ("secrets/a?%ff=1", "UTF-8"),
        ("folders/a?limit=0", "limit"),
        ("folders/a?limit=-1", "limit"),
        ("folders/a?limit=10001", "limit"),
        ("folders/a?limit=", "limit"),
        ("folders/a//", "empty segment"),
        ("status?x=1", "there are none"),
    ],
)
def test_a_bad_target_is_a_400(gateway: Scripted, rest: Request, target: str, says: str) -> None:
    """The problem says what is wrong, and the gateway was asked to audit it."""
    response = rest("GET", f"/api/v1/{target}")
    assert (400, "malformed") == (response.status, response.json()["code"])
    assert says in response.json()["detail"]
    assert [Rejected] == [type(operation) for operation in gateway.asked]


@pytest.mark.parametrize(
    ("method", "target", "body", "says"),
    [
        ("POST", "keys", b"{", "not valid JSON"),
        ("POST", "keys", b"[]", "a JSON object"),
        ("POST", "keys", b'{"name": "a", "name": "b"}', "twice"),
        ("POST", "keys", b'{"name": NaN}', "NaN"),
        ("POST", "keys", b'{"name": ' + b"9" * 5000 + b"}", "digits"),
        ("POST", "keys", b"[" * 5000 + b"]" * 5000, "nested"),
        ("POST", "keys", b"[" + b"1," * 30_000 + b"1]", "items"),
        ("POST", "keys", b'{"name": "\\ud800", "policies": []}', "surrogate"),
        ("POST", "keys", b'{"nmae": "a", "policies": []}', "did you mean 'name'"),
        ("POST", "keys", {"name": "a"}, "'policies' is missing"),
        ("POST", "keys", {"name": "a", "policies": "x"}, "$.policies: must be a list"),
        ("POST", "keys", {"name": "a", "policies": [], "ttl_seconds": 0}, ">= 1"),
        ("POST", "keys", {"name": "a", "policies": [], "ttl_seconds": 10**30}, "ttl_seconds"),
        ("GET", "keys", {"name": "a"}, "takes no body"),
        (
            "PUT",
            "policies/p",
            {"rules": [{"effect": CANARY, "actions": [], "paths": []}]},
            "$.rules[0].effect: must be one of allow, deny",
        ),
        ("PUT", "policies/p", {"rules": [{"efect": "deny", "actions": [], "paths": []}]}, "did you mean 'effect'"),
        (
            "POST",
            "explain",
            {"policies": [], "action": "reed", "path": "a"},
            "$.action: must be one of read, describe, list",
        ),
        ("POST", "explain", {"policies": [], "action": "read", "path": "a", "facts": {"time": "now"}}, "time with its"),
        ("PUT", "policies/p", {}, "'rules' is missing"),
        ("POST", "explain", {"policies": [], "action": "read", "path": ""}, "empty segment"),
        ("POST", "mounts", {"prefix": "a/../b", "type": "native"}, "'..'"),
        ("POST", "namespaces", {"name": "a/b"}, "slash"),
        ("POST", "undelete/a", {"versions": []}, "length >= 1"),
        ("POST", "undelete/a", {"versions": [0]}, "versions[0]"),
        ("POST", "undelete/a", {"versions": [True]}, "versions[0]"),
        ("POST", "destroy/a", {}, "say which"),
        ("POST", "destroy/a", {"versions": []}, "length >= 1"),
        ("POST", "destroy/a", {"versions": [1], "all": True}, "say which"),
        ("PATCH", "metadata/a", {}, "nothing to change"),
    ],
)
def test_a_bad_body_is_a_400(gateway: Scripted, rest: Request, method: str, target: str, body: Any, says: str) -> None:
    """Strict JSON, exact types, known fields; the payload is never echoed."""
    response = rest(method, f"/api/v1/{target}", body)
    assert (400, "malformed") == (response.status, response.json()["code"])
    assert says in response.json()["detail"]
    assert CANARY not in response.body.decode()
    assert [Rejected] == [type(operation) for operation in gateway.asked]


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ((("Authorization", "Bearer a"), ("Authorization", "Bearer a")), "twice"),
        ((("Authorization", "Bearer a"), ("X-Vault-Token", "b")), "different tokens"),
        ((("X-Wardgate-Namespace", "a/../b"),), "'..'"),
        ((("X-Wardgate-Namespace", "a//b"),), "empty segment"),
        ((("X-Wardgate-Namespace", "\xff"),), "UTF-8"),
        ((("If-Match", "*"),), "name one version"),
        ((("If-Match", 'W/"3"'),), "name one version"),
        ((("If-Match", '"1", "2"'),), "name one version"),
        ((("If-Match", '"1"'), ("If-None-Match", "*")), "not both"),
        ((("If-None-Match", '"1"'),), "If-None-Match: * alone"),
        ((("Content-Type", "application/x-www-form-urlencoded"),), "say what the value is"),
        ((("Content-Type", "text/plain; charset=latin-1"),), "UTF-8"),
        ((("Content-Type", "nonsense"),), "not a media type"),
        ((("Content-Type", "application/json"),), "not valid JSON"),
    ],
)
def test_a_bad_header_is_a_400(
    gateway: Scripted, rest: Request, headers: tuple[tuple[str, str], ...], says: str
) -> None:
    """Headers that contradict one another, or cannot be read, are refused rather than chosen from."""
    response = rest("PUT", "/api/v1/secrets/a/b", b"x", headers)
    assert (400, "malformed") == (response.status, response.json()["code"])
    assert says in response.json()["detail"]
    assert [Rejected] == [type(operation) for operation in gateway.asked]


@pytest.mark.parametrize(
    ("method", "target", "header"),
    [
        ("POST", "destroy/a", "If-Match"),
        ("PATCH", "secrets/a", "If-None-Match"),
        ("GET", "secrets/a", "If-Match"),
        ("DELETE", "secrets/a", "If-None-Match"),
        ("PATCH", "metadata/a", "If-Match"),
        ("PUT", "policies/p", "If-None-Match"),
    ],
)
def test_a_condition_that_would_be_ignored_is_refused(
    gateway: Scripted, rest: Request, method: str, target: str, header: str
) -> None:
    """A caller that says "only if" must never have it done anyway."""
    response = rest(method, f"/api/v1/{target}", b"", ((header, '"1"'),))
    assert (400, [Rejected]) == (response.status, [type(operation) for operation in gateway.asked])
    assert header in response.json()["detail"]


def test_a_policy_under_another_name_is_refused(gateway: Scripted, rest: Request) -> None:
    """The name in the body, when there is one, is the one of the URL."""
    assert rest("PUT", "/api/v1/policies/p", {"name": "q", "rules": []}).status == 422


@pytest.mark.parametrize("source", ["bogus", "", "10.0.0.0/8", "10.1.2.3:80"])
def test_a_supposed_source_that_is_no_address_gets_no_verdict(gateway: Scripted, rest: Request, source: str) -> None:
    """One would be read as an answer for the address that was meant."""
    question = {"policies": [], "action": "read", "path": "a", "facts": {"source": source}}
    response = rest("POST", "/api/v1/explain", question)
    assert (422, True) == (response.status, response.json()["detail"].startswith("facts.source must be an address"))
    assert [Rejected] == [type(operation) for operation in gateway.asked]


def test_text_that_is_not_utf8_is_refused(gateway: Scripted, rest: Request) -> None:
    """422: the request can be read, the value is not what it says it is."""
    assert rest("PUT", "/api/v1/secrets/a", b"\xff", (("Content-Type", "text/plain"),)).status == 422


@pytest.mark.parametrize("target", ["/api/v1/", "/api/v1/nothing", "/api/v1/status/", "/api/v1/SECRETS/a"])
def test_an_unknown_endpoint_is_a_404(gateway: Scripted, rest: Request, target: str) -> None:
    """It is audited too."""
    assert rest("GET", target).status == 404
    assert [Rejected] == [type(operation) for operation in gateway.asked]


def test_an_unknown_method_is_a_405_that_names_the_others(gateway: Scripted, rest: Request) -> None:
    """Allow lists what the endpoint has."""
    response = rest("POST", "/api/v1/secrets/a", b"x")
    assert (405, "DELETE, GET, HEAD, PATCH, PUT") == (response.status, response.headers["allow"])


def test_a_rejection_that_cannot_be_audited_says_so(gateway: Scripted, rest: Request) -> None:
    """No audit, no answer: not even a 400."""
    gateway.audit_down = True
    assert rest("GET", "/api/v1/secrets/a?x=1").status == 503


def test_every_error_of_the_closed_list_has_a_status() -> None:
    """The table is complete, and no error of a caller's making is 500 or more."""
    assert set(CLOSED_LIST) == set(STATUS)


@pytest.mark.parametrize("error", CLOSED_LIST)
def test_an_error_is_a_problem_document(gateway: Scripted, rest: Request, error: type[Exception]) -> None:
    """RFC 9457's members, the stable code and the request's id."""
    gateway.answers[ReadSecret] = error("what happened")
    response = rest("GET", "/api/v1/secrets/a")
    body = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    assert body["type"] == f"urn:wardgate:problem:{body['code']}"
    assert (response.status, "what happened", "request-1") == (body["status"], body["detail"], body["request_id"])


def test_problems_carry_the_headers_their_status_wants(gateway: Scripted, rest: Request) -> None:
    """401 says how to authenticate, 429 when to come back; what a store cannot do owes no Allow."""
    gateway.answers[ReadSecret] = Unauthenticated("x")
    assert rest("GET", "/api/v1/secrets/a").headers["www-authenticate"].startswith("Bearer")
    gateway.answers[ReadSecret] = RateLimited("x", retry_after=1.2)
    assert rest("GET", "/api/v1/secrets/a").headers["retry-after"] == "2"
    gateway.answers[ReadSecret] = Unsupported("x")
    response = rest("GET", "/api/v1/secrets/a")
    assert (422, False) == (response.status, "allow" in response.headers)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(
    route=st.sampled_from(TABLE.routes),
    tail=st.text(st.characters(codec="latin-1", exclude_characters="?"), max_size=20),
    query=st.sampled_from(["", "limit=2", "version=1", "a=b", "%", "&&", "=", "version=%31"]),
    body=st.one_of(
        st.just(b""),
        st.binary(max_size=40),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
        ).map(lambda value: json.dumps(value).encode()),
    ),
)
def test_no_input_is_answered_with_a_500(
    gateway: Scripted, rest: Request, route: Any, tail: str, query: str, body: bytes
) -> None:
    """Whatever comes is translated or refused: nothing scripted is there, so every answer is a 4xx or a 204."""
    pattern = route.pattern.replace("{path}", tail).replace("{name}", tail).replace("{folder}", tail)
    response = rest(route.method, f"/api/v1/{pattern}?{query}", body)
    assert response.status in {400, 404, 405, 413, 422}
