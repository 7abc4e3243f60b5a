"""Batches: what they ask of the gateway, an outcome each, and bodies read as strictly as any other."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardgate.spi import strict_json
from wardgate.spi.errors import Conflict, Gone, Malformed, PermissionDenied, SecretNotFound
from wardgate.spi.operations.base import Rejected
from wardgate.spi.operations.secrets import (
    Absent,
    Ordinal,
    ReadSecret,
    ReadSecrets,
    Stage,
    VersionId,
    WriteSecret,
    WriteSecrets,
)
from wardgate.spi.path import Path
from wardgate.spi.values import BYTES, JSON, TEXT, SecretVersion, Value, VersionInfo, VersionState
from wardgate_native.api.batch import decode_reads, decode_writes
from wardgate_native.api.reading import decode
from wardgate_native.api.table import TABLE

from tests.support.scripted import Request, Scripted

A, B = Path(("secret", "a")), Path(("secret", "b"))
INFO = VersionInfo(id="3", ordinal=3, created_at=31, digest=lambda: "1f")


def test_a_batch_of_reads_asks_once(gateway: Scripted, rest: Request) -> None:
    """Each item with the version it names."""
    gateway.answers[ReadSecrets] = ()
    items = [
        {"path": "secret/a"}, {"path": "secret/a", "version": 3}, {"path": "secret/b", "version": "3"},
        {"path": "secret/b", "stage": "previous"}, {"path": "secret/b", "stage": "previous", "fresh": True},
        {"path": "secret/a", "fresh": False},
    ]  # fmt: skip
    assert rest("POST", "/api/v1/batch/read", {"items": items}).status == 200
    assert gateway.asked == [
        ReadSecrets(
            items=(
                ReadSecret(path=A), ReadSecret(path=A, version=Ordinal(3)), ReadSecret(path=B, version=VersionId("3")),
                ReadSecret(path=B, version=Stage("previous")),
                ReadSecret(path=B, version=Stage("previous"), fresh=True), ReadSecret(path=A),
            )
        )
    ]  # fmt: skip


def test_values_come_as_json_text_or_base64(gateway: Scripted, rest: Request) -> None:
    """JSON as the text that is stored, UTF-8 text as text, and anything else as base64; with the version and ETag."""
    gateway.answers[ReadSecrets] = (
        SecretVersion(INFO, Value(b'{"a": 1.50}', JSON)),
        SecretVersion(INFO, Value('"é\0'.encode(), TEXT)),
        SecretVersion(INFO, Value(b"\xff", BYTES)),
        SecretVersion(INFO, Value(b"\xff", TEXT)),
        SecretVersion(INFO, Value(b"<a/>", "application/xml")),
    )
    answer = rest("POST", "/api/v1/batch/read", {"items": [{"path": "secret/a"}]})
    assert b'"json":{"a": 1.50}}' in answer.body
    found = answer.json()["items"]
    version = {"status": 200, "etag": '"3;1f"', "id": "3", "ordinal": 3}
    assert found == [
        version | {"media_type": JSON, "json": {"a": 1.5}},
        version | {"media_type": TEXT, "text": '"é\0'},
        version | {"media_type": BYTES, "base64": "/w=="},
        version | {"media_type": TEXT, "base64": "/w=="},
        version | {"media_type": "application/xml", "base64": "PGEvPg=="},
    ]


def test_what_one_item_may_not_see_is_no_other_s_matter(gateway: Scripted, rest: Request) -> None:
    """A problem document stands in the place of that item alone."""
    gone = VersionInfo(id="1", ordinal=1, state=VersionState.DELETED, deleted_at=1_000_000_000)
    gateway.answers[ReadSecrets] = (
        PermissionDenied("no"), SecretVersion(INFO, Value(b"x", TEXT)), SecretNotFound("none"), Gone("x", info=gone),
    )  # fmt: skip
    answer = rest("POST", "/api/v1/batch/read", {"items": [{"path": "secret/a"}]}).json()["items"]
    assert [(403, "permission_denied"), (200, None), (404, "secret_not_found"), (410, "gone")] == [
        (one["status"], one.get("problem", {}).get("code")) for one in answer
    ]
    assert answer[0]["problem"] == {
        "type": "urn:wardgate:problem:permission_denied", "title": "Permission denied", "status": 403,
        "code": "permission_denied", "detail": "no",
    }  # fmt: skip
    assert answer[3]["problem"]["version"]["ordinal"] == 1


def test_a_batch_of_writes_asks_once(gateway: Scripted, rest: Request) -> None:
    """Values in their forms and media types, each with what it expects; null expects that nothing is there."""
    gateway.answers[WriteSecrets] = (INFO, Conflict("x"))
    body = (
        b'{"items": [{"path": "secret/a", "json": {"a" : 1.50}}, {"path": "secret/a", "text": "\\u00e9\\""},'
        b'{"path": "secret/b", "base64": "/w==", "expect": null},'
        b'{"path": "secret/b", "base64": "/w==", "media_type": "application/x-der", "expect": 2},'
        b'{"path": "secret/b", "text": "<a/>", "media_type": "application/xml", "expect": "2"}]}'
    )
    answer = rest("POST", "/api/v1/batch/write", body)
    assert gateway.asked == [
        WriteSecrets(
            items=(
                WriteSecret(path=A, value=Value(b'{"a" : 1.50}', JSON)),
                WriteSecret(path=A, value=Value('é"'.encode(), TEXT)),
                WriteSecret(path=B, value=Value(b"\xff", BYTES), expect=Absent()),
                WriteSecret(path=B, value=Value(b"\xff", "application/x-der"), expect=Ordinal(2)),
                WriteSecret(path=B, value=Value(b"<a/>", "application/xml"), expect=VersionId("2")),
            )
        )
    ]
    first, second = answer.json()["items"]
    assert {"status": 200, "etag": '"3;1f"', "id": "3", "ordinal": 3} == first
    assert (412, "conflict") == (second["status"], second["problem"]["code"])


@pytest.mark.parametrize(
    ("kind", "body", "says"),
    [
        ("read", b"", "'items' is missing"),
        ("read", b"{}", "items"),
        ("read", b'{"items": []}', "length >= 1"),
        ("read", b'{"items": [{"path": "a"}], "items": [{"path": "b"}]}', "twice"),
        ("read", b'{"items": [{"path": "a", "path": "b"}]}', "twice"),
        ("read", b'{"items": [{"path": "a", "p\\u0061th": "b"}]}', "twice"),
        ("read", b'{"items": [{"path": "a", "version": 1, "version": 2}]}', "twice"),
        ("read", b'{"items": [{"path": "a", "version": 1, "stage": "b"}]}', "name one of"),
        ("read", b'{"items": [{"path": "a", "fresh": true, "fresh": false}]}', "twice"),
        ("read", b'{"items": [{"path": "a", "fresh": 1}]}', "fresh"),
        ("read", b'{"items": [{"path": "a", "version": 0}]}', "version"),
        ("read", b'{"items": [{"path": "a", "version": 1.5}]}', "version"),
        ("read", b'{"items": [{"path": "a", "version": ' + b"9" * 5_000 + b"}]}", "version"),
        ("read", b'{"items": [{"path": "a", "verison": 1}]}', "did you mean 'version'"),
        ("read", b'{"items": [{"path": "a/../b"}]}', "'..'"),
        ("read", b'{"items": [{"path": "a"}, {"path": "a//b"}]}', "$.items[1]: "),
        ("read", b'{"items": [{"path": "a"}, {"path": "a", "verison": 1}]}', "$.items[1]: unknown field 'verison'"),
        ("read", b'{"items": [{"path": "a"}, {}]}', "$.items[1]: 'path' is missing"),
        ("write", b'{"items": [{"path": "a", "json": 1}, {"path": "a//b", "json": 1}]}', "$.items[1]: "),
        ("write", b'{"items": [{"path": "a", "json": 1}, {"path": "a"}]}', "$.items[1]: each item has its value"),
        ("write", b'{"items": [{"path": "a", "json": 1}, {"path": "b", "json": {"c": 1, "c": 2}}]}', "$.items[1]: "),
        ("read", b'{"items": [{"path": "\\ud800"}]}', "valid JSON"),
        ("read", b'{"items": [{"path": "\xff"}]}', "valid JSON"),
        ("read", b'\xef\xbb\xbf{"items": [{"path": "a"}]}', "valid JSON"),
        ("read", b'{"items": ' + b"[" * 100_000, "must be"),
        ("read", json.dumps({"items": [{"path": "a"}] * 1_001}).encode(), "length <= 1000"),
        ("write", b'{"items": [{"path": "a"}]}', "one of json, text and base64"),
        ("write", b'{"items": [{"path": "a", "json": 1, "text": "x"}]}', "one of json, text and base64"),
        ("write", b'{"items": [{"path": "a", "text": 1}]}', "$.items[0]: text and base64 are texts"),
        ("write", b'{"items": [{"path": "a", "base64": "?"}]}', "RFC 4648"),
        ("write", b'{"items": [{"path": "a", "json": {"b": 1, "b": 2}}]}', "twice"),
        ("write", b'{"items": [{"path": "a", "text": "x", "text": "y"}]}', "twice"),
        ("write", b'{"items": [], "items": [{"path": "a", "text": "x"}]}', "length >= 1"),
        ("write", b'{"items": [{"path": "a", "text": "x"}], "items": [{"path": "a", "text": "x"}]}', "twice"),
        ("write", b'{"items": [{"path": "a", "json": NaN}]}', "valid JSON"),
        ("write", b'{"items": [{"path": "a", "json": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]}", "items"),
        ("write", b'{"items": [{"path": "a", "json": ' + b"[" * 32 + b"]" * 32 + b"}]}", "deeper"),
        ("write", b'{"items": [{"path": "a", "json": ' + b"9" * 5_000 + b"}]}", "digits"),
        ("write", b'{"items": [{"path": "a", "text": "\\ud800"}]}', "valid JSON"),
        ("write", b'{"items": [{"path": "a", "text": "x", "media_type": "application/json"}]}', "given as json"),
        ("write", b'{"items": [{"path": "a", "json": 1, "media_type": "text/plain"}]}', "given as json"),
        ("write", b'{"items": [{"path": "a", "base64": "eA==", "media_type": "text/plain"}]}', "given as text"),
        ("write", b'{"items": [{"path": "a", "text": "x", "media_type": "multipart/form-data"}]}', "not a form"),
    ],
)
def test_a_bad_batch_is_a_400(gateway: Scripted, rest: Request, kind: str, body: bytes, says: str) -> None:
    """None of it is done, and the refusal is audited."""
    response = rest("POST", f"/api/v1/batch/{kind}", body)
    assert (400, "malformed") == (response.status, response.json()["code"]), response.body
    assert says in response.json()["detail"]
    assert [Rejected] == [type(operation) for operation in gateway.asked]


def test_the_bound_on_members_is_that_of_a_batch() -> None:
    """A thousand values within their own bound took seconds together, of a caller nobody knew yet."""
    items = [b'{"path": "a", "json": [' + b"[0]," * 1_000 + b"0]}"] * 1_000
    started = time.process_time()
    with pytest.raises(Malformed, match="more than 50000 items"):
        decode_writes(b'{"items": [' + b",".join(items) + b"]}")
    assert time.process_time() - started < 0.5


def test_a_value_in_a_batch_may_be_as_deep_as_a_batch_allows() -> None:
    """What is around an item does not count."""
    value = b"[" * 31 + b"]" * 31
    (write,) = decode_writes(b'{"items": [{"path": "a", "json": ' + value + b"}]}").items
    assert value == write.value.data


TEXTS = st.sampled_from(["a", "b/c", "é", '\\"', "\\u0061", "path", '"'])
MEMBERS = st.tuples(
    st.sampled_from(["path", "p\\u0061th", "version", "stage", "fresh", "items", "text", "json"]),
    st.one_of(
        TEXTS.map(lambda text: f'"{text}"'), st.sampled_from(["1", "2", "true", "null", '{"a":1}', '{"a":1,"a":2}'])
    ),
)
OBJECTS = st.lists(MEMBERS, max_size=4).map(lambda pairs: "{" + ",".join(f'"{k}":{v}' for k, v in pairs) + "}")
ARRAYS = st.lists(OBJECTS, max_size=3).map(lambda items: "[" + ",".join(items) + "]")
BODIES = st.lists(st.tuples(st.sampled_from(["items", "it\\u0065ms"]), ARRAYS), min_size=1, max_size=2).map(
    lambda pairs: ("{" + ",".join(f'"{k}":{v}' for k, v in pairs) + "}").encode()
)


@given(BODIES, st.sampled_from([("batch/read", decode_reads), ("batch/write", decode_writes)]))
def test_what_the_fast_reader_accepts_the_strict_one_does_too(body: bytes, reader: tuple[str, Any]) -> None:
    """It spares the scan only where nothing can stand twice; both kinds of escapes included."""
    pattern, read = reader
    route = next(route for route in TABLE.routes if route.pattern == pattern)
    assert route.decode is read
    try:
        decode(body, {}, route)
    except Malformed:
        return
    strict_json.loads(body)


@pytest.mark.parametrize("wrong", [b'{"items": [{"path": "a", "text": "canary\xff"}]}', b'{"items": "canary'])
def test_no_error_about_a_body_holds_it(wrong: bytes) -> None:
    """What was caught may have the bytes in it, and would travel on as the context."""
    route = next(route for route in TABLE.routes if route.pattern == "batch/write")
    with pytest.raises(Malformed) as told:
        decode(wrong, {}, route)
    error: BaseException | None = told.value
    while error is not None:
        assert type(error) is Malformed
        error = error.__context__
