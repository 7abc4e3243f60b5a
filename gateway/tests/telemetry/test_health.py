"""``/livez`` and ``/readyz``: who may ask what, and what is said."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from wardgate.health import Health

FINE = {"state": str, "audit": str}


async def below(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b"below"})


def ask(target: str, method: str = "GET", *, checks: Any = FINE) -> tuple[int, dict[bytes, bytes], bytes]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    path, _, query = target.partition("?")
    scope = {"type": "http", "method": method, "raw_path": path.encode(), "query_string": query.encode()}
    asyncio.run(Health(below, checks)(scope, None, send))  # type: ignore[arg-type]  # nothing is received
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


@pytest.mark.parametrize("target", ["/livez", "/readyz"])
def test_a_worker_that_is_well_says_so(target: str) -> None:
    """In a word, and nobody keeps it."""
    status, headers, body = ask(target)
    assert (200, b"ok\n", b"no-store") == (status, body, headers[b"cache-control"])


def test_readiness_fails_with_any_check_and_liveness_with_none() -> None:
    """A worker that cannot serve is not therefore to be killed."""
    checks = {"state": str, "audit": lambda: "it cannot be written"}
    assert (503, b"not ready: audit\n") == ask("/readyz", checks=checks)[::2]
    assert (200, b"ok\n") == ask("/livez", checks=checks)[::2]


def test_verbose_has_a_line_for_each_check() -> None:
    """In their order, with the fault's own words."""
    checks = {"state": str, "audit": lambda: "it cannot be written"}
    body = b"state: ok\naudit: it cannot be written\nnot ready: audit\n"
    assert (503, body) == ask("/readyz?verbose", checks=checks)[::2]
    assert body == ask("/readyz?a=b&verbose", checks=checks)[2]
    assert b"ok\n" == ask("/readyz?verbosely")[2]


def test_head_has_the_same_head_and_no_body() -> None:
    """As load balancers like to ask."""
    status, headers, body = ask("/readyz", "HEAD")
    assert (200, b"", b"3") == (status, body, headers[b"content-length"])


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "LIST", "OPTIONS"])
def test_other_verbs_are_refused(method: str) -> None:
    """There is nothing to change."""
    status, headers, _ = ask("/readyz", method)
    assert (405, b"GET, HEAD") == (status, headers[b"allow"])


@pytest.mark.parametrize("target", ["/", "/livez/", "/readyzz", "/LIVEZ", "/v1/livez"])
def test_other_paths_go_on(target: str) -> None:
    """To the front-ends."""
    assert 299 == ask(target)[0]
