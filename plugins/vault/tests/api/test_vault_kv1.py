"""Version 1 of KV where it is not what a wire vector can show: what the store is asked, and old answers."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from wardgate.spi.errors import Gone, PermissionDenied
from wardgate.spi.frontend import Freshness, Outcome
from wardgate.spi.operations.secrets import DeleteSecret, DestroySecret
from wardgate.spi.path import Path
from wardgate.spi.values import JSON, TEXT, SecretVersion, Value, VersionInfo
from wardgate_vault.api.kv1 import DEFAULT_LEASE

from tests.end_to_end.vault_vectors import Response, Send

HEADERS = {"X-Vault-Token": "an-administrator's-token"}
SECRET = Path(("kv1", "a"))


def ask(send: Send, method: str, body: bytes = b"") -> Response:
    return send(method, "/v1/kv1/a", HEADERS, body)


def answering(gateway: Any, monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    async def perform(*_: Any, **__: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(gateway, "perform", perform)


def version(value: Value) -> Outcome[SecretVersion]:
    return Outcome(SecretVersion(VersionInfo("1", 1), value))


def test_a_delete_leaves_no_version_behind(gateway: Any, send: Send) -> None:
    """The whole secret is destroyed: a version that could be undeleted is not what version 1 promises."""
    ask(send, "POST", b'{"k":"1"}')
    ask(send, "POST", b'{"k":"2"}')
    assert 204 == ask(send, "DELETE").status
    assert DestroySecret(path=SECRET) == gateway.asked[-1]
    assert Path(("a",)) not in gateway._mounts[Path(("kv1",))].backend.secrets


@pytest.mark.parametrize("gateway", ["odd"], indirect=True)
def test_a_delete_is_a_delete_where_that_is_final(gateway: Any, send: Send) -> None:
    """Over a store that cannot destroy."""
    ask(send, "POST", b'{"k":"1"}')
    assert 204 == ask(send, "DELETE").status
    assert DeleteSecret(path=SECRET) == gateway.asked[-1]


def test_a_delete_that_is_denied_says_so(gateway: Any, send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    """It needs the right to destroy."""
    answering(gateway, monkeypatch, PermissionDenied())
    assert 403 == ask(send, "DELETE").status


def test_a_deleted_version_is_not_there(gateway: Any, send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody deleted it through another API: version 1 knows of no such thing, and shows nothing of it."""
    answering(gateway, monkeypatch, Gone(info=VersionInfo("1", 1)))
    response = ask(send, "GET")
    assert (404, {"errors": []}) == (response.status, json.loads(response.body))


def test_a_value_is_kept_as_the_text_it_was(gateway: Any, send: Send) -> None:
    """The body without the white space around it."""
    text = b'{ "b": 1.50, "a": [12345678901234567890 , "\\u00fc"] }'
    ask(send, "POST", b"\n " + text + b"\n")
    assert b'"data":' + text + b"," in ask(send, "GET").body


def test_a_value_that_is_no_object_is_shown_as_one(gateway: Any, send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in version 2."""
    answering(gateway, monkeypatch, version(Value(b"text", TEXT)))
    answer = json.loads(ask(send, "GET").body)
    assert {"value": "text", "wardgate:type": TEXT} == answer["data"]
    assert DEFAULT_LEASE == answer["lease_duration"]


@pytest.mark.parametrize("ttl", ["1e999", "-5s", "292000y", "[]", {"a": 1}, True, 1.5, -1])
def test_a_ttl_that_is_none_is_passed_over(
    gateway: Any, send: Send, monkeypatch: pytest.MonkeyPatch, ttl: object
) -> None:
    """It is the value's own, and can be anything."""
    answering(gateway, monkeypatch, version(Value(json.dumps({"ttl": ttl}).encode(), JSON)))
    assert DEFAULT_LEASE == json.loads(ask(send, "GET").body)["lease_duration"]


def test_the_lease_is_said_once(gateway: Any, send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that holds the words of the envelope stays what it is."""
    text = b'{"lease_duration":0,"ttl":"5s","x":"\\"lease_duration\\":0"}'
    answering(gateway, monkeypatch, version(Value(text, JSON)))
    response = ask(send, "GET")
    assert text in response.body
    assert 5 == json.loads(response.body)["lease_duration"]


def test_an_old_answer_says_so(gateway: Any, send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its age, as in version 2."""
    old = dataclasses.replace(version(Value(b"{}", JSON)), freshness=Freshness(61.5, stale=True))
    answering(gateway, monkeypatch, old)
    response = ask(send, "GET")
    assert "61" == response.headers["age"]
    assert ["the store does not answer; this value was read 61 seconds ago"] == json.loads(response.body)["warnings"]


def test_the_gateway_s_own_key_is_refused(gateway: Any, send: Send) -> None:
    """It would pass for the form of another value."""
    response = ask(send, "POST", b'{"value": "x", "wardgate:type": "text/plain"}')
    assert 400 == response.status
    assert 404 == ask(send, "GET").status
