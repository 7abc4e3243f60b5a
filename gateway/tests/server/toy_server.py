"""A server with a toy application, as a program: ``toy_server.py '{"folder": …}'``; prints its URL when it is ready."""

from __future__ import annotations

import asyncio
import json
import os
import pathlib
import sys
import time
from typing import Any

from wardgate.config import AuditConfig, Config, Limits, Log, Tls, parse_listen
from wardgate.pipeline.accept import PEER_CERTIFICATE, Accept
from wardgate.server.facts import Worker
from wardgate.server.run import serve
from wardgate.spi.errors import Sealed


class Clock:
    now = staticmethod(time.time_ns)
    monotonic = staticmethod(time.monotonic)


class Toy:
    """Says what arrived. ``/slow`` waits for a file, ``/hang`` for ever, ``/boom`` raises, ``/bump`` bumps an epoch."""

    def __init__(self, worker: Worker, folder: pathlib.Path) -> None:
        self.worker = worker
        self.folder = folder

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message["body"]
            if not message["more_body"]:
                break
        path = scope["raw_path"]
        if path == b"/boom":
            raise ValueError("canary-in-a-message")
        if path == b"/slow":
            (self.folder / "slow-began").touch()
            while not (self.folder / "go").exists():  # noqa: ASYNC110  # the test is another process
                await asyncio.sleep(0.01)
        if path == b"/hang":
            (self.folder / "hang-began").touch()
            try:
                await asyncio.Event().wait()
            finally:
                (self.folder / "hang-ended").touch()
        if path == b"/bump":
            self.worker.epochs.bump(self.worker.epochs.slot("policies", "x"))
        answer = self.describe(scope, body)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    def describe(self, scope: Any, body: bytes) -> bytes:
        arrival = scope["wardgate"]
        return json.dumps(
            {
                "method": scope["method"],
                "raw_path": scope["raw_path"].decode(),
                "query": scope["query_string"].decode(),
                "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
                "body": body.decode("latin-1") if len(body) < 1000 else len(body),
                "slot": self.worker.slot,
                "pid": os.getpid(),
                "boot_id": self.worker.boot_id,
                "epoch": self.worker.epochs.read(self.worker.epochs.slot("policies", "x")),
                "id": arrival.id,
                "source": arrival.source,
                "certificate": len(arrival.peer_certificate or b""),
                "certificate_in_scope": PEER_CERTIFICATE in scope,
                "stopping": self.worker.stopping(),
            }
        ).encode()


class Application:
    def __init__(self, config: Config, worker: Worker, folder: pathlib.Path) -> None:
        self.folder = folder
        self.worker = worker
        self.app = Accept(Toy(worker, folder), config.limits, Clock())

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)

    async def start(self) -> None:
        if (self.folder / "sealed").exists():
            raise Sealed("the key file is missing; put it back")
        if (self.folder / "broken").exists():
            raise ValueError("canary-in-a-message")

    async def drain(self) -> None:
        (self.folder / f"drained-{self.worker.slot}").touch()


def main() -> int:
    asked = json.loads(sys.argv[1])
    folder = pathlib.Path(asked.pop("folder"))
    data = folder / "data"
    if asked.pop("make_data", True):
        data.mkdir(exist_ok=True)
    tls = asked.pop("tls", None)
    config = Config(
        data=data,
        key_file=folder / "key",
        audit=AuditConfig(data / "audit"),
        listen=parse_listen(asked.pop("listen", "127.0.0.1:0")),
        workers=asked.pop("workers", 1),
        limits=Limits(**asked.pop("limits", {})),
        log=Log(**({"level": "warning"} | asked.pop("log", {}))),
        unready_seconds=asked.pop("unready_seconds", 0.0),
        tls=Tls(*map(pathlib.Path, tls)) if tls else None,  # type: ignore[arg-type]  # three files at most
    )

    async def build(config: Config, worker: Worker) -> Application:
        return Application(config, worker, folder)

    return serve(config, build=build, on_ready=lambda url: print(url, flush=True))  # noqa: T201  # a program


if __name__ == "__main__":
    sys.exit(main())
