"""kill -9 in the middle of writing: what was acknowledged is there, and the next boot links to it."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from pathlib import Path as FilePath
from typing import Any

from wardgate.pipeline.audit import Journal, verify

ROUNDS = 5
WRITER = """
import asyncio, pathlib, sys, uuid
from wardgate.clock import SystemClock
from wardgate.context import Context
from wardgate.pipeline.audit import Journal, Settings
from wardgate.spi.frontend import Arrival
from wardgate.spi.identity import Principal
from wardgate.spi.operations.secrets import DeleteSecret, ReadSecret
from wardgate.spi.path import Path

async def client(journal, clock, change):
    while True:
        operation = (DeleteSecret if change else ReadSecret)(path=Path(("a",)))
        context = Context(Arrival(str(uuid.uuid4()), clock.now(), 0.0, "192.0.2.1"), operation, None, "root")
        context.principal = Principal("p", "root", "n", "key", (), "a")
        if change:
            await journal.request(context)
        await journal.closing(context, "ok")
        print(context.arrival.id, flush=True)

async def main():
    clock = SystemClock()
    settings = Settings(synced=True, max_file_bytes=50_000, retention_files=0)
    journal = Journal(pathlib.Path(sys.argv[1]), 0, bytes(32), clock, settings=settings)
    await journal.open(lambda record: "unknown")
    await asyncio.gather(*(client(journal, clock, change) for change in (True, False) * 4))

asyncio.run(main())
"""


def acknowledged_until_killed(folder: FilePath, lines: int) -> list[str]:
    """The request ids a writer acknowledged before it was killed, without a complete line's end nothing counts."""
    with subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        seen = [writer.stdout.readline() for _ in range(lines)]
        writer.kill()
        seen += writer.stdout.readlines()
    return [line.strip() for line in seen if line.endswith("\n")]


def test_no_acknowledged_record_is_lost_to_a_kill(audited: Any) -> None:
    """Every round: all acknowledged requests are closed on record, the chain holds, and boots link."""
    acknowledged: set[str] = set()
    for _ in range(ROUNDS):
        acknowledged |= set(acknowledged_until_killed(audited.folder, random.randint(1, 400)))
        assert verify(audited.folder).ok

    async def work(journal: Journal) -> None:
        await journal.closing(audited.context(), "ok")

    asyncio.run(audited.run(work))
    shard = verify(audited.folder).shards[0]
    assert (None, ROUNDS + 1, (), False) == (shard.bad, shard.boots, shard.open, shard.unfinished)
    closed = {record["request"] for record in audited.lines() if record["kind"] == "closing"}
    assert set() == acknowledged - closed


def test_a_control_shows_that_a_loss_would_be_seen(audited: Any) -> None:
    """Without its last record the same comparison is not empty."""
    acknowledged = acknowledged_until_killed(audited.folder, 20)
    records = [
        json.loads(line)
        for file in audited.files()
        for line in file.read_bytes().splitlines(keepends=True)
        if line.endswith(b"\n")
    ]
    last = [
        record["request"] for record in records if record["request" if "request" in record else "kind"] in acknowledged
    ][-1]
    assert {last} == set(acknowledged) - {record.get("request") for record in records if record.get("request") != last}
