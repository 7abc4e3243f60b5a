"""What the audit's tests share: a clock they move, requests of every kind, and a journal in a fresh folder."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path as FilePath
from typing import Any

import pytest
from wardgate.context import Context, Decision
from wardgate.pipeline.audit import Found, Journal, Record, Settings
from wardgate.spi.frontend import Arrival, Outcome
from wardgate.spi.identity import Credential, Principal
from wardgate.spi.operations.base import Operation
from wardgate.spi.operations.secrets import ReadSecret, WriteSecret
from wardgate.spi.path import Path
from wardgate.spi.values import SecretVersion, Value, VersionInfo

from tests.support.audit_settings import kept

TOKEN = "wg_canary-of-a-token-0123456789abcdefghijklmnopqrstuvwxyz"
VALUE = b'{"canary-field": "canary-value"}'
KEY = b"k" * 32
PATH = Path(("secret", "team", "db"))
SMALL = kept(max_file_bytes=2_000, reserve_bytes=4_096, patience=5)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1_795_000_000

    def now(self) -> int:
        return self.seconds * 1_000_000_000

    def monotonic(self) -> float:
        return float(self.seconds)


class Audited:
    """A folder with an audit, and the ways to fill and read it."""

    token = TOKEN
    value = VALUE
    key = KEY
    path = PATH

    def __init__(self, folder: FilePath) -> None:
        self.folder = folder
        self.clock = Clock()
        self.answer = Outcome(SecretVersion(VersionInfo("7", 7), Value(VALUE)))

    def journal(self, settings: Settings = SMALL, **more: Any) -> Journal:
        return Journal(self.folder, 0, KEY, self.clock, settings=settings, **more)

    def context(
        self,
        operation: Operation[Any] | None = None,
        *,
        known: bool = True,
        source: str = "192.0.2.1",
        request: str = "request-1",
    ) -> Context:
        operation = operation or ReadSecret(path=PATH)
        arrival = Arrival(request, self.clock.now(), self.clock.monotonic() + 30, source)
        context = Context(arrival, operation, Credential("token", TOKEN), "root")
        if known:
            context.principal = Principal("p-1", "root", "billing", "key", ("app",), "accessor-1")
            context.decision = Decision("app", 2)
        return context

    def write(self) -> Context:
        return self.context(WriteSecret(path=PATH, value=Value(VALUE)))

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for file in self.files() for line in file.read_text().splitlines()]

    def files(self) -> list[FilePath]:
        return sorted(self.folder.glob("*.jsonl"))

    async def run(self, work: Callable[[Journal], Awaitable[None]], settings: Settings = SMALL, **more: Any) -> None:
        """One boot: open, do ``work``, close."""
        journal = self.journal(settings, **more)
        await journal.open(absent)
        try:
            await work(journal)
        finally:
            await journal.close()


def absent(record: Record) -> Found:
    return "absent"


@pytest.fixture
def audited(tmp_path: FilePath) -> Audited:
    return Audited(tmp_path / "audit")
