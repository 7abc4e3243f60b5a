"""One round of a fault loop: start the writer, kill it after some acknowledgement, look for what it acknowledged."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path as FilePath

from wardgate.spi.errors import WardgateError
from wardgate.spi.path import Path
from wardgate.state.database import Database

from tests.faults import store_writer

Acknowledged = set[tuple[str, int]]


class Writers:
    """Writers that are killed, one after another. ``preload``: a library that all of them load first."""

    def __init__(self, preload: FilePath | None = None) -> None:
        environment = {**os.environ, "LD_PRELOAD": str(preload)} if preload else None
        self._program = subprocess.Popen(  # closed in ``close``
            [sys.executable, store_writer.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def killed(self, folder: FilePath, *, mode: str, after: int, **environment: str) -> Acknowledged:
        """Let one acknowledge ``after`` writes and kill it with SIGKILL; all that it acknowledged by then."""
        said, told = self._program.stdout, self._program.stdin
        assert said
        assert told
        told.write(json.dumps({"folder": str(folder), "mode": mode, "environment": environment}) + "\n")
        told.flush()
        process = int(said.readline())
        lines = list(itertools.islice(said, after))
        os.kill(process, signal.SIGKILL)
        lines += iter(said.readline, f"{store_writer.END}\n")
        return {(path, int(version)) for path, _, version in (line.rpartition(" ") for line in lines)}

    def close(self) -> None:
        """End the program."""
        self._program.communicate()


def _sound(database: Database) -> bool:
    with database.reading() as connection:
        return bool(connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok")


def lost(folder: FilePath, acknowledged: Iterable[tuple[str, int]]) -> list[str]:
    """Those acknowledged writes that are not there, or are not what was written; empty when all is well."""

    async def look() -> list[str]:
        database, store = store_writer.opened(folder)
        try:
            missing = [] if _sound(database) else ["SQLite finds the file damaged"]
            for path, version in sorted(acknowledged):
                try:
                    found = (await store.read(Path.parse(path), version=str(version))).value.data
                except WardgateError as error:
                    missing.append(f"{path} {version}: {error!r}")
                    continue
                if found != store_writer.value_of(path, version):
                    missing.append(f"{path} {version}: another value")
            return missing
        finally:
            await database.close()

    return asyncio.run(look())
