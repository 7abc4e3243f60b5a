"""Requests as nobody should send them, over every route of both APIs: a stream that a seed decides."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from wardgate_native.api.table import TABLE
from wardgate_vault.api.router import ROUTES

VERBS = {"read": "GET", "head": "HEAD", "list": "LIST", "write": "POST", "delete": "DELETE", "patch": "PATCH"}
KV_FOLDERS = ("data", "metadata", "delete", "undelete", "destroy", "subkeys", "config", "detailed-metadata", "nothing")
ENDS_ITS_TOKEN = ("revoke", "seal")
"""Words of the targets that may end the very token they are asked with."""
SECRETS = ("secret/fuzz", "secret/fuzz/a", "secret/b", "kv1/fuzz", "kv1/b/c", "nowhere/x", "secret", "sys/x", "auth/y")
NAMES = ("fuzz", "fuzz-2", "a", "data", "metadata", "sys", "auth", "cubbyhole", "default", "x" * 255, "x" * 256)
SEGMENTS = (
    "..", ".", "%2e%2e", "%00", "%0a", "%ff", "%c0%af", "%ed%a0%80", "%5c", "%2f", "%", "%4", "%zz", "+", "*", "**",
    "a%20", "%20", "e%cc%81", "%ef%bf%bd", "%f0%9f%98%80", "~", "'", '"', "{path}", "$ref", "%7Bpath%7D", "a;b", "a?",
    "%E2%80%AE", "%EF%BC%8E%EF%BC%8E", "a" * 300, "%61" * 200, "-1", "9" * 40, "/", "//", "", "a/" * 40, "wardgate:x",
)  # fmt: skip
TEXTS = (
    "", " ", "x", "secret/fuzz", "secret/*", "**", "../..", "\x00", "a\nb", "\r\nX-Vault-Token: x", "{{identity}}",
    "%s%n",
    "${jndi:ldap://x}", "'; DROP TABLE mounts; --", "__proto__", "wardgate:type", "é", "e\u0301", "\U0001f600",
    "\ufffd",
    "\u202e", "root", "administrator", "Default", "read", "24h", "-1h", "1e9h", "99999999999999h", "NaN", "0x10",
    "1.5s",
    "2026-11-23T00:00:00Z", "10000-01-01T00:00:00Z", "0.0.0.0/0", "::/0", "1.2.3.4/33", "http://127.0.0.1:1/", "eA==",
    'path "secret/*" { capabilities = ["read"] }', 'path "' * 200, "{" * 500, "a" * 5_000, "native", "vault", "kv",
    "principal.method == 'token'", "not " * 300 + "true", "(" * 2_000, "path.a.b < 1 and " * 50, "1, 2", "*" * 300,
)  # fmt: skip
NUMBERS = (0, 1, -1, 2, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63) - 1, 10**40, 1.5, -0.0, 1e308, 1e-320)
FIELDS = (
    "data", "options", "cas", "custom_metadata", "max_versions", "cas_required", "delete_version_after", "versions",
    "policies", "policy", "ttl", "period", "num_uses", "explicit_max_ttl", "no_parent", "meta", "display_name", "id",
    "token", "accessor", "increment", "role_id", "secret_id", "cidr_list", "token_policies", "token_bound_cidrs",
    "name",
    "secret_id_num_uses", "type", "config", "description", "default_lease_ttl", "rules", "effect", "actions", "paths",
    "when", "condition", "items", "path", "version", "stage", "json", "text", "base64", "media_type", "expect",
    "prefix",
    "options", "address", "labels", "networks", "uses", "from", "to", "paths", "wrap_ttl", "scheduled_deletion",
    "admin",
)  # fmt: skip
QUERIES = (
    "list=true", "list=x", "scan=true", "version=0", "version=-1", "version=99999999999999999999", "limit=0",
    "limit=-1",
    "limit=1001", "limit=x", "after=%00", "after=" + "a" * 3_000, "cursor=AAAA", "cursor=%ff", "depth=-1",
    "stage=current",
    "recursive=true", "recursive=1&cursor=x", "a=1&a=2", "version=1&version=2", "&" * 500, "=" * 50, "%", "a=%zz",
    "x=" + "%25" * 900, "include_deleted=yes", "verbose", "perfstandbyok=true", "standbycode=99999", "sealedcode=0",
    "uninitcode=abc", "standbyok=true&sealedcode=500", "&".join(f"k{number}=1" for number in range(60)),
)  # fmt: skip
HEADERS = (
    "X-Vault-Namespace: x", "X-Vault-Namespace: ../..", "X-Vault-Namespace: %00", "X-Vault-Namespace: \xff\xfe",
    "X-Wardgate-Namespace: fuzz", "X-Wardgate-Namespace: a/b/c/" + "d/" * 50, "X-Vault-Wrap-TTL: 10",
    "X-Vault-Wrap-TTL: -1",
    "X-Vault-Wrap-TTL: 9999999999999999h", "X-Vault-Wrap-TTL: 1s2", "X-Vault-Wrap-Format: jwt",
    "X-Vault-Request: false",
    "Idempotency-Key: k", 'Idempotency-Key: "k"', "Idempotency-Key: " + "k" * 5_000, "Idempotency-Key: \xff",
    "If-Match: *",
    'If-Match: "1"', "If-Match: x", 'If-None-Match: "a", W/"b"', "If-Match: " + '"a",' * 500, "Content-Encoding: gzip",
    "Content-Type: text/plain", "Content-Type: application/merge-patch+json", "Content-Type: \xff", "Content-Type: /",
    "Content-Type: application/json; charset=utf-7", "Accept: image/png", "Accept: */*;q=x", "Range: bytes=0-1",
    "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "traceparent: " + "0" * 900,
    "tracestate: =,=",
    "Expect: 100-continue", "Expect: the-worst", "Upgrade: h2c", "Upgrade: websocket", "Connection: upgrade",
    "Connection: close, keep-alive", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: identity", "TE: trailers",
    "Host: y", "Host: [::1", "X-Forwarded-For: 127.0.0.1", "Cookie: a=b", "Authorization: Basic eDp4",
    "Authorization: Bearer",
    "Content-Length: 5", "Content-Length: -1", "Content-Length: +3", "Content-Length: 99999999999999999999",
    "X: " + "a" * 9_000,
    "X-Http-Method-Override: DELETE", "Origin: null", "Date: x", " folded: x", "no colon", ": no name", "a b: c",
    "\x00: x",
)  # fmt: skip
METHODS = (
    "GET",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "LIST",
    "SCAN",
    "HEAD",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "LINK",
    "PRI",
)
ODD_METHODS = ("get", "G", "GE T", "", "X" * 300, "\xff", "LIST\t", "PROPFIND", "M-SEARCH", "-", "GET\x00")
VERSIONS = ("HTTP/1.0", "HTTP/2.0", "HTTP/1.2", "HTTP/0.9", "http/1.1", "HTTP/1.1 ", "", "HTTPS/1.1", "HTTP/11")


@dataclass(frozen=True, slots=True)
class Stream:
    """What one connection sends. ``ends``: the client says then that nothing more comes from it."""

    data: bytes = field(repr=False)
    requests: int
    ends: bool


class Malformed:
    """Makes the streams. ``token`` works; each of ``doomed`` is for requests that may end it."""

    def __init__(self, seed: int, token: str, doomed: Sequence[str]) -> None:
        self._random = random.Random(seed)
        self._token = token
        self._doomed = doomed
        rest = [(method, f"/api/v1/{pattern}") for method, pattern in TABLE.endpoints]
        vault = [
            (VERBS.get(verb, verb.upper()), "/v1/" + "/".join(route.pattern))
            for route in ROUTES
            for verb in route.verbs
        ]
        self._kv = [(verb, f"/v1/secret/{folder}/**") for folder in KV_FOLDERS for verb in (*VERBS.values(), "SCAN")]
        self._kv += [(verb, "/v1/kv1/**") for verb in (*VERBS.values(), "SCAN")]
        others = [
            ("GET", "/metrics"),
            ("GET", "/livez"),
            ("GET", "/readyz"),
            ("GET", "/"),
            ("POST", "/v1/"),
            ("GET", "/api/v1"),
        ]
        self._routes = [*rest, *vault, *self._kv, *others]

    def streams(self, requests: int) -> Iterator[Stream]:
        """So many requests, at least."""
        made = 0
        while made < requests:
            count = self._random.choice((2, 3, 5)) if self._random.random() < 0.05 else 1
            parts = [self._request() for _ in range(count)]
            data, ends = b"".join(parts), False
            if count == 1 and self._random.random() < 0.2:
                data, ends = self._damaged(data), True
            made += count
            yield Stream(data, count, ends)

    # One request

    def _request(self) -> bytes:
        pick = self._random
        method, pattern = pick.choice(self._routes)
        if pick.random() < 0.15:
            method = pick.choice(METHODS)
        if pick.random() < 0.02:
            method = pick.choice(ODD_METHODS)
        target = self._target(pattern)
        body = self._body() if method not in {"GET", "HEAD", "LIST", "SCAN"} or pick.random() < 0.1 else b""
        version = pick.choice(VERSIONS) if pick.random() < 0.02 else "HTTP/1.1"
        lines = ["Host: x", *self._credential(target)]
        lines += [pick.choice(HEADERS) for _ in range(pick.choice((0, 0, 0, 0, 0, 1, 1, 3)))]
        if "PATCH" == method and pick.random() < 0.7:
            lines.append("Content-Type: application/merge-patch+json")
        elif pick.random() < 0.5:
            lines.append("Content-Type: application/json")
        if pick.random() < 0.01:
            lines += [f"X-{number}: y" for number in range(150)]
        if body and pick.random() < 0.15:
            lines.append("Transfer-Encoding: chunked")
            body = self._chunks(body)
        elif body:
            lines.append(f"Content-Length: {len(body)}")
        pick.shuffle(lines)
        return (
            f"{method} {target} {version}\r\n".encode("latin-1")
            + "\r\n".join([*lines, "", ""]).encode("latin-1")
            + body
        )

    def _credential(self, target: str) -> list[str]:
        pick = self._random
        token = pick.choice(self._doomed) if any(word in target for word in ENDS_ITS_TOKEN) else self._token
        chance = pick.random()
        if chance < 0.7:
            return [pick.choice((f"X-Vault-Token: {token}", f"Authorization: Bearer {token}"))]
        if chance < 0.8:
            return [f"X-Vault-Token: {token}", pick.choice((f"X-Vault-Token: {token}", "Authorization: Bearer x"))]
        if chance < 0.9:
            return [
                pick.choice(
                    ("X-Vault-Token: wg_x", "X-Vault-Token: \xff", f"X-Vault-Token: {token[:-1]}", "Authorization: x")
                )
            ]
        return []

    def _target(self, pattern: str) -> str:
        pick = self._random
        mounts = "mounts" in pattern or "remount" in pattern
        rest = pick.choice(NAMES) if mounts else pick.choice(SECRETS)
        target = pattern.replace("{path}", rest).replace("{folder}", rest).replace("{name}", pick.choice(NAMES))
        target = target.replace("**", pick.choice(NAMES)).replace("*", pick.choice(NAMES))
        if pick.random() < 0.15:
            parts = target.split("/")
            parts[pick.randrange(3, len(parts)) if len(parts) > 3 else -1] = pick.choice(SEGMENTS)
            target = "/".join(parts)
        if pick.random() < 0.2:
            target += "?" + pick.choice(QUERIES)
        if pick.random() < 0.02:
            target = pick.choice(
                (
                    target[1:],
                    f"http://x{target}",
                    f"{target}#x",
                    f"{target} x",
                    "*",
                    "x" * 40_000,
                    "\xff",
                    "//" + target,
                )
            )
        return target

    # Bodies

    def _body(self) -> bytes:
        pick = self._random
        made: Callable[[], bytes] = pick.choice((*(self._document,) * 4, self._bomb, self._garbage))
        return made()

    def _document(self) -> bytes:
        """An object with the names that the routes know, and values of any kind."""
        text = json.dumps({self._name(): self._value(0) for _ in range(self._random.randrange(6))})
        if self._random.random() < 0.15:
            place = self._random.randrange(len(text))
            text = text[:place] + self._random.choice('{}[]":,\\0e-\x00') + text[place + 1 :]
        return text.encode()

    def _name(self) -> str:
        return self._random.choice(FIELDS) if self._random.random() < 0.95 else self._random.choice(TEXTS)

    def _value(self, depth: int) -> Any:
        pick = self._random
        kind = pick.randrange(8 if depth < 4 else 4)
        if kind < 2:
            return pick.choice((*TEXTS, *SECRETS, *NAMES))
        if kind == 2:
            return pick.choice(NUMBERS)
        if kind == 3:
            return pick.choice((None, True, False, [], {}))
        if kind < 6:
            return {self._name(): self._value(depth + 1) for _ in range(pick.randrange(5))}
        return [self._value(depth + 1) for _ in range(pick.choice((0, 1, 2, 5)))]

    def _bomb(self) -> bytes:
        """Small on the wire and large in memory, or the other way round."""
        pick = self._random
        name = pick.choice(FIELDS).encode()
        size = pick.choice((10, 100, 1_000, 20_000))
        inner = pick.choice(
            (
                b"[" * size, b"[" * size + b"]" * size, b'{"a":' * size + b"1" + b"}" * size,
                b"[" + b"0," * size + b"0]",
                b"[" + b"{}," * size + b"{}]", b"9" * size, b"-" * size, b"1e" + b"9" * (size % 400),
                b'"' + b"\\u0000" * size + b'"',
                b'"\\ud800"', b"NaN", b"-Infinity", b'{"a":1,"a":2}', b'"\xff"',
                b"{" + b",".join(b'"%d":0' % n for n in range(size)) + b"}",
                b'"' + b"a" * size + b'"', b"[" + b'{"path":"secret/fuzz"},' * min(size,
                1_100) + b'{"path":"secret/b"}]',
                b'"' + b"(" * size + b'"', b'"path \\"' + b"*/" * size + b'\\" {}"', b"\xef\xbb\xbf1",
                b" " * size + b"1",
            )
        )  # fmt: skip
        return b'{"' + name + b'":' + inner + b"}"

    def _garbage(self) -> bytes:
        pick = self._random
        return pick.choice(
            (
                b"{", b"[1,2]", b'"x"', b"null", b"0", b"{}", b"[]", b"\x00" * 50, b"\xff\xfe\x00", b"a=b&c=d", b"<x/>",
                b"\x1f\x8b\x08\x00", b"{}{}", b'{"data"', pick.randbytes(pick.randrange(1, 200)),
                ("".join(pick.choices(string.printable, k=100))).encode(),
                b"GET /v1/secret/data/fuzz HTTP/1.1\r\nHost: x\r\n\r\n",
            )
        )  # fmt: skip

    def _chunks(self, body: bytes) -> bytes:
        pick = self._random
        size = pick.choice((1, 7, 1_000, 100_000))
        parts = [body[start : start + size] for start in range(0, min(len(body), size * 200), size)]
        wire = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
        return wire + pick.choice(
            (b"0\r\n\r\n",) * 6 + (b"0\r\nX-Vault-Token: x\r\n\r\n", b"-1\r\n", b"zz\r\n\r\n", b"ffffffffffffffff1\r\n")
        )

    def _damaged(self, data: bytes) -> bytes:
        """Cut short, or with some bytes lost, doubled or replaced."""
        pick = self._random
        start = pick.randrange(len(data))
        end = min(len(data), start + pick.choice((1, 1, 3, 20, 200)))
        return pick.choice(
            (
                data[:start], data[:start] + data[end:], data[:end] + data[start:],
                data[:start] + pick.randbytes(end - start) + data[end:],
                data[:start] + b"\r\n\r\n" + data[start:], data.replace(b"\r\n", b"\n"), data.replace(b"\r\n", b"\r",
                3), data[::-1],
            )
        )  # fmt: skip
