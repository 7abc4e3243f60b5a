"""``/metrics``: who may look shows a token as to any other API here."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from wardgate.spi.frontend import ARRIVAL, Arrival
from wardgate.spi.identity import Credential
from wardgate.spi.operations.base import Rejected
from wardgate.spi.operations.system import ReadMetrics
from wardgate.telemetry.page import MetricsPage

from tests.support.scripted import Scripted


def asked(gateway: Scripted, *headers: tuple[bytes, bytes], method: str = "GET", target: bytes = b"/metrics") -> int:
    """The status of one request."""
    sent: list[Mapping[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    arrival = Arrival(id="request-1", received_at=0, deadline=0.0, source="127.0.0.1")
    scope = {"method": method, "raw_path": target, "headers": list(headers), ARRIVAL: arrival}
    asyncio.run(MetricsPage(gateway)(scope, receive, send))
    return int(sent[0]["status"])


@pytest.mark.parametrize("header", [(b"authorization", b"Bearer wg_t"), (b"x-vault-token", b"wg_t")])
def test_a_token_is_taken_from_either_header(header: tuple[bytes, bytes]) -> None:
    """As by every other API."""
    gateway = Scripted({ReadMetrics: b"wardgate_up 1\n"})
    assert 200 == asked(gateway, header)
    assert [Credential("token", "wg_t")] == gateway.credentials


@pytest.mark.parametrize(
    "headers",
    [
        ((b"authorization", b"Bearer a"), (b"x-vault-token", b"b")),
        ((b"x-vault-token", b"a"), (b"x-vault-token", b"a")),
    ],
)
def test_tokens_that_contradict_one_another_are_refused_and_audited(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    """Nothing is asked in the name of either."""
    gateway = Scripted({ReadMetrics: b""})
    assert 400 == asked(gateway, *headers)
    assert [None] == gateway.credentials
    assert [Rejected] == [type(one) for one in gateway.asked]


@pytest.mark.parametrize(("method", "target"), [("POST", b"/metrics"), ("GET", b"/metrics/x")])
def test_anything_else_is_refused_and_audited(method: str, target: bytes) -> None:
    """Only the page itself is there, to be read."""
    gateway = Scripted({ReadMetrics: b""})
    assert 400 == asked(gateway, method=method, target=target)
    assert [Rejected] == [type(one) for one in gateway.asked]
