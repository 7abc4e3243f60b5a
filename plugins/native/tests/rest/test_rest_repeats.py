"""Idempotency-Key: what the gateway is asked to do once, and what a repeat is answered."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardgate.spi.errors import AlreadyExists, InvalidValue, OutcomeUnknown
from wardgate.spi.frontend import Outcome, Repeat, Repeated
from wardgate.spi.identity import Principal
from wardgate.spi.operations.base import Rejected
from wardgate.spi.operations.keys import CreateKey
from wardgate.spi.operations.secrets import DeleteSecret, ReadSecrets, WriteSecret
from wardgate.spi.operations.tokens import TokenInfo, TokenIssued
from wardgate.spi.values import VersionInfo
from wardgate_native.api.repeats import HEADER, key_of

from tests.support.scripted import Request, Scripted

INFO = VersionInfo(id="3", ordinal=3)
ISSUED = TokenIssued(TokenInfo(Principal("id-1", "root", "ci", "key", (), "a"), 0, 0, 0, renewable=False), "wg_canary")


def key(text: str) -> tuple[tuple[str, str], ...]:
    return (("Idempotency-Key", text),)


def asked(gateway: Scripted) -> Repeat:
    (repeat,) = gateway.repeats
    assert repeat is not None
    return repeat


def test_a_change_with_a_key_is_asked_for_once(gateway: Scripted, rest: Request) -> None:
    """The request is its method, target, body, and the headers that change what it means."""
    gateway.answers[WriteSecret] = INFO
    headers = (*key('"k"'), ("Content-Type", "text/plain"), ("If-Match", '"2"'), ("Authorization", "Bearer t"))
    assert rest("PUT", "/api/v1/secrets/a/b", b"x", headers).status == 200
    repeat = asked(gateway)
    assert ("k", (b"PUT", b"/api/v1/secrets/a/b", b"", b"text/plain", b'"2"', b"", b"x")) == (
        repeat.key,
        repeat.request,
    )
    assert "x" not in repr(repeat)


@pytest.mark.parametrize(
    ("kind", "result", "method", "target", "body"),
    [
        (WriteSecret, INFO, "PUT", "secrets/a/b", b"x"),
        (DeleteSecret, None, "DELETE", "secrets/a/b", b""),
    ],
)
def test_a_repeat_gets_the_same_answer(
    gateway: Scripted, rest: Request, kind: type, result: Any, method: str, target: str, body: bytes
) -> None:
    """Status, headers and body, and a header that says so."""
    gateway.answers[kind] = result
    first = rest(method, f"/api/v1/{target}", body, key("k"))
    gateway.answers[kind] = Repeated(asked(gateway).encode(Outcome(result)))
    again = rest(method, f"/api/v1/{target}", body, key("k"))
    assert "true" == again.headers["idempotent-replayed"]
    without = {name: value for name, value in again.headers.items() if name != "idempotent-replayed"}
    assert (first.status, first.body, first.headers) == (again.status, again.body, without)


def test_what_is_shown_once_is_not_shown_again(gateway: Scripted, rest: Request) -> None:
    """Nor kept: a repeat learns which key was made, not its token."""
    gateway.answers[CreateKey] = ISSUED
    body = {"name": "ci", "policies": []}
    first = rest("POST", "/api/v1/keys", body, key("k")).json()
    kept = asked(gateway).encode(Outcome(ISSUED))
    assert b"canary" not in kept
    gateway.answers[CreateKey] = Repeated(kept)
    again = rest("POST", "/api/v1/keys", body, key("k"))
    assert (201, first | {"token": None}) == (again.status, again.json())


@pytest.mark.parametrize(
    ("error", "status"), [(AlreadyExists("x"), 409), (InvalidValue("x"), 422), (OutcomeUnknown("x"), 502)]
)
def test_what_stands_against_a_key_is_no_failed_condition(
    gateway: Scripted, rest: Request, error: Exception, status: int
) -> None:
    """Even where the request has one."""
    gateway.answers[WriteSecret] = error
    assert rest("PUT", "/api/v1/secrets/a", b"x", (*key("k"), ("If-Match", '"1"'))).status == status


@pytest.mark.parametrize("text", ["", " ", '"', '""', '"a', 'a"', "a b", "\xe9", "a" * 256, '"a\\b"', "a, b"])
def test_a_key_that_is_none_is_refused(gateway: Scripted, rest: Request, text: str) -> None:
    """Nothing is done under a key that was misread."""
    assert rest("PUT", "/api/v1/secrets/a", b"x", key(text)).status == 400
    assert [Rejected] == [type(operation) for operation in gateway.asked]


def test_two_keys_are_refused(gateway: Scripted, rest: Request) -> None:
    """None is chosen."""
    assert rest("PUT", "/api/v1/secrets/a", b"x", key("a") + key("a")).status == 400


def test_a_login_has_no_principal_whose_key_it_could_be(gateway: Scripted, rest: Request) -> None:
    """Refused rather than ignored."""
    assert rest("POST", "/api/v1/approle/login", {"role_id": "r"}, key("k")).status == 400


def test_a_read_needs_no_key(gateway: Scripted, rest: Request) -> None:
    """It changes nothing, however often it is sent."""
    gateway.answers[ReadSecrets] = ()
    assert rest("POST", "/api/v1/batch/read", {"items": [{"path": "a"}]}, key("k")).status == 200
    assert [None] == gateway.repeats


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=255))
def test_any_printable_key_can_be_quoted(text: str) -> None:
    """As a structured field's string, and bare where it has no quote, space or comma."""
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert text == key_of({HEADER: quoted})
    if not set(text) & set('" ,'):
        assert text == key_of({HEADER: text})
