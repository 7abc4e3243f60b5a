"""Endpoints of wrapping: what is asked of the gateway, what is kept, and what each says."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest
from wardgate.spi.errors import InvalidValue, PermissionDenied
from wardgate.spi.frontend import Arrival, Outcome, Wrap
from wardgate.spi.operations.base import Operation, Rejected
from wardgate.spi.operations.wrapping import LookupWrapping, Rewrap, Unwrap, UnwrapOwn, Unwrapped, WrapData, Wrapped
from wardgate_native.api.table import TABLE

from tests.support.scripted import Request, Scripted

SECOND = 1_000_000_000
KEPT = Wrapped("acc-1", 300 * SECOND, 60 * SECOND, "sys/wrapping/wrap", "", "wg_shown_once")
TOLD = {
    "accessor": "acc-1", "creation_path": "sys/wrapping/wrap", "created_at": "1970-01-01T00:01:00.000000Z",
    "expires_at": "1970-01-01T00:06:00.000000Z", "ttl_seconds": 300,
}  # fmt: skip
ANSWERS: MappingProxyType[type, Any] = MappingProxyType({
    WrapData: KEPT, LookupWrapping: KEPT, Rewrap: KEPT, Unwrap: Unwrapped(KEPT, b'{"data":{"a": 1.50}}'),
    UnwrapOwn: Unwrapped(KEPT, b'{"data":{"a": 1.50}}'),
})  # fmt: skip
SHOWN = {"token": "wrapping-1"}
MINE = (("Authorization", "Bearer mine"),)


class Keeping(Scripted):
    """A gateway that notes what it was asked to keep."""

    kept: list[Wrap | None]

    async def perform(
        self, arrival: Arrival, operation: Operation[Any], *, wrap: Wrap | None = None, **rest: Any
    ) -> Outcome[Any]:
        """See Scripted."""
        self.kept = [*getattr(self, "kept", []), wrap]
        return await super().perform(arrival, operation, wrap=wrap, **rest)


@pytest.fixture
def gateway() -> Keeping:
    return Keeping(answers=dict(ANSWERS))


def test_an_object_is_kept_as_the_text_that_came(rest: Request, gateway: Keeping) -> None:
    """For the time asked; the token is in the answer's body, and nowhere else."""
    answer = rest("POST", "/api/v1/wrapping/wrap", b'{"ttl_seconds": 300, "data": {"b":  1.50, "a": "\\u0061"}}', MINE)
    assert (201, {"token": "wg_shown_once", "info": TOLD}) == (answer.status, answer.json())
    assert "wg_shown_once" not in str(answer.headers)
    text = b'{"b":  1.50, "a": "\\u0061"}'
    assert [WrapData(data=text)] == gateway.asked
    (wrap,) = gateway.kept
    assert wrap is not None
    assert (300 * SECOND, "sys/wrapping/wrap") == (wrap.ttl, wrap.creation_path)
    assert b'{"data":' + text + b"}" == wrap.encode(Outcome(text))


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "missing"),
        ({"data": {}}, "ttl_seconds"),
        ({"ttl_seconds": 60}, "'data' is missing"),
        ({"data": [1], "ttl_seconds": 60}, "$.data: must be an object"),
        ({"data": "text", "ttl_seconds": 60}, "$.data: must be an object"),
        ({"data": None, "ttl_seconds": 60}, "$.data: must be an object"),
        ({"data": {}, "ttl_seconds": 0}, "must be a whole number >= 1"),
        ({"data": {}, "ttl_seconds": 32 * 86_400 + 1}, "must be a whole number <= 2764800"),
        ({"data": {}, "ttl_seconds": 60, "tll": 1}, "unknown field 'tll'"),
        (b'{"data": {"a": 1, "a": 2}, "ttl_seconds": 60}', "same key twice"),
        (b'{"data": {}, "data": {"a": 2}, "ttl_seconds": 60}', "same key twice"),
        (b'{"data": {"a": NaN}, "ttl_seconds": 60}', "NaN"),
        (b'{"data": {"a": 1}, "ttl_seconds": 60', "JSON"),
        (b'["data"]', "must be an object"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_said(rest: Request, gateway: Keeping, body: object, detail: str) -> None:
    """As strictly as all else; nothing of it comes further than the audit."""
    answer = rest("POST", "/api/v1/wrapping/wrap", body, MINE)
    assert 400 == answer.status
    assert detail in answer.json()["detail"]
    assert [Rejected] == [type(one) for one in gateway.asked]


@pytest.mark.parametrize(
    ("name", "headers", "expected", "status", "body"),
    [
        ("lookup", (), LookupWrapping(token="wrapping-1"), 200, TOLD),
        ("unwrap", (), UnwrapOwn(token="wrapping-1"), 200, {"data": {"a": 1.5}}),
        (
            "unwrap", (("X-Vault-Token", "wrapping-1"),), UnwrapOwn(token="wrapping-1"), 200, {"data": {"a": 1.5}}
        ),
        ("unwrap", MINE, Unwrap(token="wrapping-1"), 200, {"data": {"a": 1.5}}),
        ("rewrap", MINE, Rewrap(token="wrapping-1"), 201, {"token": "wg_shown_once", "info": TOLD}),
    ],
)  # fmt: skip
def test_a_wrapping_token_goes_in_the_body(
    rest: Request, gateway: Keeping, name: str, headers: tuple[tuple[str, str], ...], expected: Any, status: int,
    body: Any,
) -> None:  # fmt: skip
    """Whoever holds it needs nothing else to look and to take; who shows a credential is looked at too."""
    answer = rest("POST", f"/api/v1/wrapping/{name}", SHOWN, headers)
    assert (status, body) == (answer.status, answer.json())
    assert [expected] == gateway.asked
    assert [None] == gateway.kept


def test_content_comes_as_the_text_that_was_kept(rest: Request) -> None:
    """A number keeps its zeros."""
    assert b'{"data":{"a": 1.50}}' == rest("POST", "/api/v1/wrapping/unwrap", SHOWN).body


@pytest.mark.parametrize(
    ("payload", "body"),
    [
        (b'{"request_id":"r","data":{"k": "v"},"auth":null}\n', {"data": {"k": "v"}}),
        (b'{"data":null,"auth":{"c": "t"}}\n', {"data": {"data": None, "auth": {"c": "t"}}}),
        (b'{"auth":{"c": "t"}}', {"data": {"auth": {"c": "t"}}}),
        (b'{"data":[1]}', {"data": {"data": [1]}}),
    ],
)
def test_of_what_another_api_wrapped_nothing_is_lost(
    rest: Request, gateway: Keeping, payload: bytes, body: object
) -> None:
    """It is gone from where it was kept: whoever asked must get it."""
    gateway.answers[UnwrapOwn] = Unwrapped(KEPT, payload)
    answer = rest("POST", "/api/v1/wrapping/unwrap", SHOWN)
    assert (200, body) == (answer.status, answer.json())


def test_what_is_no_object_is_refused_in_words(rest: Request, gateway: Keeping) -> None:
    """Never half an answer, and no defect."""
    gateway.answers[UnwrapOwn] = Unwrapped(KEPT, b"\xff\x00")
    answer = rest("POST", "/api/v1/wrapping/unwrap", SHOWN)
    assert (422, "invalid_value") == (answer.status, answer.json()["code"])


@pytest.mark.parametrize("name", ["lookup", "unwrap", "rewrap"])
@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "'token' is missing"),
        ({"token": ""}, "$.token"),
        ({"token": "x" * 513}, "$.token"),
        ({"token": None}, "$.token"),
        ({"tokn": "x"}, "unknown field 'tokn'"),
    ],
)
def test_a_token_that_is_none_is_refused(rest: Request, name: str, body: object, detail: str) -> None:
    """And what was sent is not repeated."""
    answer = rest("POST", f"/api/v1/wrapping/{name}", body, MINE)
    assert 400 == answer.status
    assert detail in answer.json()["detail"]


def test_a_token_in_the_path_or_the_query_finds_nothing(rest: Request) -> None:
    """Both are written into the logs of whatever stands between."""
    assert 404 == rest("POST", "/api/v1/wrapping/unwrap/wrapping-1", SHOWN).status
    assert 400 == rest("POST", "/api/v1/wrapping/unwrap?token=wrapping-1", b"").status
    assert 405 == rest("GET", "/api/v1/wrapping/unwrap").status


@pytest.mark.parametrize("error", [InvalidValue("wrapping token is not valid or does not exist"), PermissionDenied()])
def test_a_refusal_is_a_problem(rest: Request, gateway: Keeping, error: Any) -> None:
    """RFC 9457, with the code of the closed list."""
    gateway.answers[UnwrapOwn] = error
    answer = rest("POST", "/api/v1/wrapping/unwrap", SHOWN)
    assert "application/problem+json" == answer.headers["content-type"]
    assert error.code == answer.json()["code"]


@pytest.mark.parametrize(("name", "body"), [("wrap", {"data": {}, "ttl_seconds": 60}), ("unwrap", SHOWN)])
def test_what_is_given_once_cannot_be_asked_for_again_under_a_key(
    rest: Request, gateway: Keeping, name: str, body: object
) -> None:
    """Said, and not ignored; the document does not offer it."""
    answer = rest("POST", f"/api/v1/wrapping/{name}", body, (*MINE, ("Idempotency-Key", "k-1")))
    assert 400 == answer.status
    assert "Idempotency-Key" in answer.json()["detail"]
    assert [Rejected] == [type(one) for one in gateway.asked]
    assert not next(route for route in TABLE.routes if f"wrapping/{name}" == route.pattern).repeatable
