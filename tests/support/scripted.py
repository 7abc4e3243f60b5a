"""A gateway that answers as it is told, and HTTP requests to a front-end over it, without a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from wardgate.spi.errors import SecretNotFound, Unavailable, WardgateError
from wardgate.spi.frontend import (
    ARRIVAL,
    Arrival,
    Freshness,
    Frontend,
    MountTable,
    MountView,
    Outcome,
    Repeat,
    Scope,
    Wrap,
)
from wardgate.spi.identity import Credential
from wardgate.spi.operations.base import Operation, Rejected
from wardgate.spi.path import Path


class NoMounts:
    """A table without mounts."""

    def views(self) -> tuple[MountView, ...]:
        """None."""
        return ()

    def find(self, path: Path) -> None:
        """Nothing is mounted."""


@dataclass
class Scripted:
    """A gateway that answers each kind of operation as told (by a callable: anew each time), and remembers."""

    answers: dict[type, Any] = field(default_factory=dict)
    asked: list[Operation[Any]] = field(default_factory=list)
    credentials: list[Credential | None] = field(default_factory=list)
    namespaces: list[str] = field(default_factory=list)
    repeats: list[Repeat | None] = field(default_factory=list)
    audit_down: bool = False
    freshness: Freshness | None = None
    warnings: tuple[str, ...] = ()

    def mounts(self, namespace: str) -> MountTable:
        """No mounts."""
        return NoMounts()

    async def perform(
        self,
        arrival: Arrival,
        operation: Operation[Any],
        *,
        credential: Credential | None,
        namespace: str = "",
        wrap: Wrap | None = None,
        repeat: Repeat | None = None,
    ) -> Outcome[Any]:
        """Answer as told; a rejection always ends in its error, as on the real road."""
        self.asked.append(operation)
        self.credentials.append(credential)
        self.namespaces.append(namespace)
        self.repeats.append(repeat)
        if self.audit_down:
            raise Unavailable("the audit cannot be written")
        if isinstance(operation, Rejected):
            raise operation.error
        answer = self.answers.get(type(operation), SecretNotFound("nothing scripted"))
        if isinstance(answer, WardgateError):
            raise answer
        if callable(answer):
            answer = answer()
        return Outcome(answer, self.warnings, self.freshness)


@dataclass(frozen=True)
class Response:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.body)


Request = Callable[..., Response]


def requests_to(frontend: Frontend) -> Request:
    """A callable that sends one request: method, target, body (bytes, or anything else as JSON), headers."""

    def send_one(method: str, target: str, body: object = b"", headers: tuple[tuple[str, str], ...] = ()) -> Response:
        return asyncio.run(_send_one(frontend, method, target, body, headers))

    return send_one


async def _send_one(
    frontend: Frontend, method: str, target: str, body: object, headers: tuple[tuple[str, str], ...]
) -> Response:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    path, _, query = target.partition("?")
    scope: Scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
        ARRIVAL: Arrival(id="request-1", received_at=0, deadline=0.0, source="127.0.0.1"),
    }
    incoming = [
        {"type": "http.request", "body": data[:7], "more_body": True},
        {"type": "http.request", "body": data[7:], "more_body": False},
    ]
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return incoming.pop(0)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await frontend(scope, receive, send)
    start, *parts = sent
    return Response(
        start["status"],
        {name.decode(): value.decode("latin-1") for name, value in start["headers"]},
        b"".join(part["body"] for part in parts),
    )
