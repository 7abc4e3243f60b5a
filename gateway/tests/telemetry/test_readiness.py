"""Readiness of a whole application, in this process, when a part of it is at its end."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from wardgate.app import Application, build
from wardgate.cli import founding
from wardgate.config import Config, Traces
from wardgate.pipeline.audit.sink import Disk
from wardgate.server.epochs import LocalEpochs
from wardgate.server.facts import Worker
from wardgate.spi.errors import InvalidValue
from wardgate.telemetry.cells import Page
from wardgate.telemetry.exposition import merged
from wardgate.telemetry.metrics import Meters


def configured(folder: Path, **more: Any) -> Config:
    folder.mkdir(exist_ok=True)
    config = Config.for_dev(folder=folder)
    founding.create(config.data, config.key_file)._database.close_and_wait()
    return Config(
        data=config.data,
        key_file=config.key_file,
        audit=config.audit,
        plugins=("native", "vault"),
        dev=config.dev,
        **more,
    )


async def ask(app: Application, target: str, method: str = "GET") -> tuple[int, bytes]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    path, _, query = target.partition("?")
    scope = {
        "type": "http", "method": method, "raw_path": path.encode(), "path": path, "query_string": query.encode(),
        "headers": [], "client": ("192.0.2.1", 1),
    }  # fmt: skip
    await app(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


def run(config: Config, worker: Worker, work: Callable[[Application], Awaitable[None]]) -> None:
    async def whole() -> None:
        app = await build(config, worker)
        await app.start()
        try:
            await work(app)
        finally:
            await app.drain()

    asyncio.run(whole())


def a_worker(**more: Any) -> Worker:
    return Worker(0, "boot-1", LocalEpochs(), **more)


def test_a_retired_audit_makes_a_worker_unready_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sync that failed once is never tried again: the worker lives, serves nothing, and says so."""
    failing = False

    def sync(_self: Disk, descriptor: int) -> None:
        if failing:
            raise OSError(errno.EIO, "Input/output error")
        os.fdatasync(descriptor)

    monkeypatch.setattr(Disk, "sync", sync)
    page = Page(1)

    async def work(app: Application) -> None:
        nonlocal failing
        assert (200, b"ok\n") == await ask(app, "/readyz")
        failing = True
        assert 503 == (await ask(app, "/v1/sys/seal-status"))[0]
        failing = False
        status, body = await ask(app, "/readyz?verbose")
        assert (503, b"state: ok\naudit: it cannot be written\nrunning: ok\nnot ready: audit\n") == (status, body)
        assert (200, b"ok\n") == await ask(app, "/livez")
        assert 503 == (await ask(app, "/metrics"))[0]
        assert [1.0] == merged(page)["wardgate_audit_retired"][()]

    run(configured(tmp_path), a_worker(meters=Meters(page, 0)), work)


def test_a_state_that_cannot_be_read_makes_a_worker_unready(tmp_path: Path) -> None:
    """Nothing could be authorized."""

    async def work(app: Application) -> None:
        await app._state.close()
        assert (503, b"not ready: state\n") == await ask(app, "/readyz")
        assert b"state: it cannot be read\n" in (await ask(app, "/readyz?verbose"))[1]

    run(configured(tmp_path), a_worker(), work)


def test_a_host_that_stops_is_not_ready(tmp_path: Path) -> None:
    """Every worker of it says so, whoever is asked."""
    stopping = ""

    async def work(app: Application) -> None:
        nonlocal stopping
        assert 200 == (await ask(app, "/readyz"))[0]
        stopping = "the gateway is stopping"
        assert (503, b"not ready: running\n") == await ask(app, "/readyz")

    run(configured(tmp_path), a_worker(stopping=lambda: stopping), work)


def test_traces_without_their_library_say_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence, and only where they are asked for."""
    monkeypatch.setitem(sys.modules, "wardgate.telemetry.traces", None)

    async def nothing(_app: Application) -> None:
        pass

    run(configured(tmp_path / "without"), a_worker(), nothing)
    with pytest.raises(InvalidValue, match="pip install"):
        run(
            configured(tmp_path / "with", traces=Traces(endpoint="http://127.0.0.1:4318/v1/traces")),
            a_worker(),
            nothing,
        )
