"""A program whose children write the audit until they are killed, and print ``request kind`` for each durable record.

Mode ``plain`` is the product as it is; ``unsynced``, the control, counts a record as durable once it is written.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path as FilePath

from wardgate.clock import SystemClock
from wardgate.context import Context
from wardgate.pipeline.audit import Journal
from wardgate.spi.frontend import Arrival
from wardgate.spi.identity import Principal
from wardgate.spi.operations.secrets import DeleteSecret, ReadSecret
from wardgate.spi.path import Path

from tests.faults.killed import acknowledge, serve
from tests.support.audit_settings import kept

CALLERS = 16
FILE_BYTES = 20_000
"""Some forty records: that a new file is begun is a part of every round."""


def journal_in(folder: FilePath, *, synced: bool = True) -> Journal:
    """The real journal, on the real disk."""
    settings = kept(synced=synced, max_file_bytes=FILE_BYTES, reserve_bytes=4_096, patience=30)
    return Journal(folder, 0, bytes(32), SystemClock(), settings=settings)


async def caller(journal: Journal, number: int) -> None:
    """Read and change something, in turns, for ever."""
    turn = 0
    while True:
        turn += 1
        request = f"caller-{number}/run-{os.getpid()}/request-{turn}"
        operation = (DeleteSecret if turn % 2 else ReadSecret)(path=Path(("a",)))
        context = Context(Arrival(request, time.time_ns(), 0.0, "192.0.2.1"), operation, None, "root")
        context.principal = Principal("p", "root", "n", "key", (), "a")
        if operation.mutates:
            await journal.request(context)
            acknowledge(f"{request} request")
        await journal.closing(context, "ok")
        acknowledge(f"{request} closing")


async def main(folder: FilePath, mode: str) -> None:
    """Write until killed."""
    journal = journal_in(folder, synced=mode != "unsynced")
    await journal.open(lambda record: "unknown")
    await asyncio.gather(*(caller(journal, number) for number in range(CALLERS)))


if __name__ == "__main__":
    serve(main)
