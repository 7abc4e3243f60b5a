"""Bad input over the wire: a clear refusal in the wire's own form, never a 5xx, and nothing lost."""

from __future__ import annotations

import json
import socket

import pytest

from tests.servers.gateway import Running

SECRET = "/v1/secret/data/bad-input"

BODIES = {
    "nothing": b"",
    "not JSON": b"{",
    "no object": b"[1,2]",
    "a string": b'"x"',
    "data is no object": b'{"data":1}',
    "data is null": b'{"data":null}',
    "duplicate keys": b'{"data":{"a":1,"a":2}}',
    "duplicate data": b'{"data":{"a":1},"data":{"a":2}}',
    "NaN": b'{"data":{"a":NaN}}',
    "Infinity": b'{"data":{"a":-Infinity}}',
    "5,000 digits": b'{"data":{"a":' + b"9" * 5_000 + b"}}",
    "nested 100,000 deep": b'{"data":' + b"[" * 100_000,
    "nested 40 deep": b'{"data":{"a":' + b"[" * 40 + b"]" * 40 + b"}}",
    "100,000 items": b'{"data":{"a":[' + b"0," * 100_000 + b"0]}}",
    "a lone surrogate": b'{"data":{"a":"\\ud800"}}',
    "not UTF-8": b'{"data":{"a":"\xff"}}',
    "our own field": b'{"data":{"wardgate:type":"x","value_base64":"eA=="}}',
    "cas is text": b'{"data":{"a":1},"options":{"cas":"x"}}',
    "cas is negative": b'{"data":{"a":1},"options":{"cas":-1}}',
    "cas is huge": b'{"data":{"a":1},"options":{"cas":99999999999999999999999}}',
    "cas is a fraction": b'{"data":{"a":1},"options":{"cas":1.5}}',
}

TARGETS = {
    "dot dot": "/v1/secret/data/a/../b",
    "encoded dot dot": "/v1/secret/data/a/%2e%2e/b",
    "encoded slash, doubled": "/v1/secret/data/a%2f/b",
    "doubled slash": "/v1/secret/data//b",
    "backslash": "/v1/secret/data/a%5cb",
    "NUL": "/v1/secret/data/a%00b",
    "newline": "/v1/secret/data/a%0ab",
    "not UTF-8": "/v1/secret/data/a%ffb",
    "another not UTF-8": "/v1/secret/data/a%feb",
    "overlong": "/v1/secret/data/a%c0%afb",
    "lone surrogate": "/v1/secret/data/a%ed%a0%80b",
    "not NFC": "/v1/secret/data/e%cc%81",
    "trailing space": "/v1/secret/data/a%20",
    "a segment of 256 bytes": "/v1/secret/data/" + "a" * 256,
    "33 segments": "/v1/secret/data/" + "/".join(["a"] * 33),
    "version is text": f"{SECRET}?version=x",
    "version is negative": f"{SECRET}?version=-1",
    "version is huge": f"{SECRET}?version=" + "9" * 40,
    "half a percent sign": "/v1/secret/data/a%2",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_bad_body_is_refused_in_vault_s_form(gateway: Running, body: bytes) -> None:
    """400 with an errors list, and no version was written."""
    answer = gateway.call("POST", SECRET, body)
    assert 400 == answer.status, answer.body
    assert "application/json" == answer.headers["content-type"]
    assert "no-store" == answer.headers["cache-control"]
    assert isinstance(answer.json()["errors"], list)
    assert 404 == gateway.call("GET", SECRET).status


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "LIST"])
def test_a_bad_target_is_refused(gateway: Running, method: str, target: str) -> None:
    """Any method answers a 4xx of the wire's form, or what the path plainly means; nothing answers a 5xx."""
    answer = gateway.call(method, target, b'{"data":{}}' if method == "POST" else None)
    assert 400 <= answer.status < 500 or (method in {"POST", "DELETE"} and "?" in target), (answer.status, answer.body)
    if answer.status == 400:
        assert answer.json()["errors"]


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, gzip"])
def test_a_compressed_body_is_refused_unread(gateway: Running, coding: str) -> None:
    """A bomb is not unpacked to be found out."""
    answer = gateway.call("POST", SECRET, b"\x1f\x8b\x08\x00", Content_Encoding=coding)
    assert 415 == answer.status


def test_a_body_over_the_limit_is_refused_before_it_is_read(gateway: Running) -> None:
    """The length a client announces is enough."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(
            f"POST {SECRET} HTTP/1.1\r\nHost: x\r\nX-Vault-Token: {gateway.token}\r\n"
            f"Content-Length: {1 << 40}\r\n\r\n".encode()
        )
        assert b"413" in connection.recv(100)


def test_a_huge_header_is_refused(gateway: Running) -> None:
    """A megabyte of header is not kept."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(f"GET {SECRET} HTTP/1.1\r\nHost: x\r\nX-Filler: ".encode() + b"a" * 100_000)
        assert b"431" in connection.recv(100)


@pytest.mark.parametrize("verb", ["GET", "LIST"])
@pytest.mark.parametrize(
    "lines",
    [
        "X-Vault-Token: {token}\r\nX-Vault-Token: other",
        "X-Vault-Token: {token}\r\nAuthorization: Bearer other",
        "X-Vault-Token: {token}\r\nHost: y",
        "X-Vault-Token: {token}\r\nX-Vault-Token: {token}",
        "X-Vault-Token: {token}\r\nX-Vault-Namespace: a\r\nX-Vault-Namespace: b",
        "X-Vault-Token: {token}\r\nX-Vault-Namespace:\r\nX-Vault-Namespace:",
        "X-Vault-Token: {token}\r\nX-Vault-Wrap-TTL: 60\r\nX-Vault-Wrap-TTL: 60",
        "X-Vault-Token: {token}\r\nContent-Length: 0\r\nTransfer-Encoding: chunked",
        "X-Vault-Token: {token}\r\nContent-Length: 0\r\nContent-Length: 5",
    ],
)
def test_headers_that_could_mean_two_things_are_refused(gateway: Running, verb: str, lines: str) -> None:
    """Repeated or conflicting credentials, namespaces and framing: 400, with a verb the parser lacks too."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        head = lines.format(token=gateway.token)
        connection.sendall(f"{verb} /v1/secret/metadata/ HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "line",
    ["X-Vault-Token: {token}", "X-Wardgate-Namespace: a", "Idempotency-Key: a", "If-Match: a", "If-None-Match: *"],
)
def test_headers_of_the_rest_api_stand_once(gateway: Running, line: str) -> None:
    """Though the second says the same: 400, in the form of this API's errors."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        lines = "\r\n".join([f"Authorization: Bearer {gateway.token}", *[line.format(token=gateway.token)] * 2])
        connection.sendall(f"GET /api/v1/folders/secret HTTP/1.1\r\nHost: x\r\n{lines}\r\n\r\n".encode())
        answer = connection.recv(10_000)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"application/problem+json" in answer
    assert b"stands twice" in answer


@pytest.mark.parametrize("verb", ["GET", "LIST"])
@pytest.mark.parametrize(
    "target", ["http://127.0.0.1/v1/secret/data/a", "/v1/secret/data/a#b", "*", "v1/secret/data/a"]
)
def test_targets_that_are_not_plain_paths_are_refused(gateway: Running, verb: str, target: str) -> None:
    """Absolute form, fragments and paths without a leading slash are read differently by different parsers."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(f"{verb} {target} HTTP/1.1\r\nHost: x\r\nX-Vault-Token: {gateway.token}\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 4")


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1.5", "", "9" * 30])
def test_a_page_limit_cannot_dodge_the_cap(gateway: Running, limit: str) -> None:
    """Zero and negative limits are refused rather than read as none."""
    answer = gateway.call("GET", f"/api/v1/folders/secret?limit={limit}")
    assert 400 == answer.status, answer.body
    assert "application/problem+json" == answer.headers["content-type"]


def test_the_gateway_still_works_after_all_of_this(gateway: Running) -> None:
    """Nothing above broke it."""
    assert 200 == gateway.call("POST", "/v1/secret/data/after-bad-input", {"data": {"a": "b"}}).status
    read = gateway.call("GET", "/v1/secret/data/after-bad-input")
    assert {"a": "b"} == json.loads(read.body)["data"]["data"]
