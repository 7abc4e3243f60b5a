"""What a policy of Vault's allows here beyond its words, beside a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.end_to_end.vault_vectors import Response, Send, over_http
from tests.servers.gateway import running
from tests.servers.openbao import OpenBao

POLICY = """
path "secret/data/app/*" { capabilities = ["create", "read", "update", "delete", "list"] }
path "secret/metadata/app/*" { capabilities = ["list", "read"] }
"""
REQUESTS = (
    ("POST", "data/app/x"), ("GET", "data/app/x"), ("PATCH", "data/app/x"), ("LIST", "metadata/app/y/"),
    ("SCAN", "metadata/app/y/"), ("GET", "metadata/app/x"), ("PATCH", "metadata/app/x"), ("DELETE", "data/app/x"),
    ("GET", "subkeys/app/x"), ("LIST", "detailed-metadata/app/y/"),
)  # fmt: skip


@pytest.fixture(scope="module")
def real() -> Iterator[tuple[Send, str]]:
    """A gateway with all of its road."""
    with running(workers=1) as server:
        yield over_http(server.address), server.token


def _asked(send: Send, root: str) -> tuple[list[str], list[int]]:
    """The warnings of writing the policy, and the statuses of the requests by a token of it."""

    def ask(method: str, target: str, body: object, token: str = root) -> Response:
        merge = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" else {}
        return send(method, f"/v1/{target}", {"X-Vault-Token": token, **merge}, json.dumps(body).encode())

    def found(response: Response) -> Any:
        return json.loads(response.body) if response.body else {}

    for name in ("x", "y/z"):
        assert ask("POST", f"secret/data/app/{name}", {"data": {"k": "v"}}).status == 200
    written = found(ask("PUT", "sys/policies/acl/tied", {"policy": POLICY}))
    token = found(ask("POST", "auth/token/create", {"policies": ["tied"]}))["auth"]["client_token"]
    statuses = [ask(method, f"secret/{path}", {"data": {"k": "w"}}, token).status for method, path in REQUESTS]
    return written.get("warnings", []), statuses


def test_what_is_more_than_a_real_server_gives_is_what_the_page_says(real: tuple[Send, str], openbao: OpenBao) -> None:
    """PATCH and SCAN with a warning each, two that show what may be read anyhow; the rest is equal or less."""
    warnings, ours = _asked(*real)
    _, theirs = _asked(over_http(openbao.address), openbao.token)

    more = [f"{request[0]} {request[1]}" for request, a, b in zip(REQUESTS, ours, theirs, strict=True) if a < 400 <= b]
    less = [f"{request[0]} {request[1]}" for request, a, b in zip(REQUESTS, ours, theirs, strict=True) if b < 400 <= a]
    assert more == ["PATCH data/app/x", "SCAN metadata/app/y/", "GET subkeys/app/x", "LIST detailed-metadata/app/y/"]
    assert less == ["DELETE data/app/x"]
    of_delete = "the action delete is not given; it needs delete at secret/data/…, update at secret/delete/…"
    assert [
        f'path "secret/data/app/*": {of_delete}',
        'PATCH is allowed too: here create and update give it, at "secret/data/app/*"',
        'SCAN is allowed too: here list gives it, at "secret/metadata/app/*"',
    ] == warnings
