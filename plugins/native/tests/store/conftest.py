"""A native store in a folder of its own, on the gateway's real storage and keyring, with a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import Any

import pytest
from sqlalchemy import Connection
from wardgate.crypto import NamespaceKeyring
from wardgate.spi.backend import Backend
from wardgate.spi.services import Services
from wardgate.state.database import Database
from wardgate_native.backend import open_native
from wardgate_native.options import Options

KEK = bytes(range(32))


class StoppedClock:
    """Time moves when a test says so; it starts in 2027."""

    def __init__(self) -> None:
        self.time = 1_800_000_000_000_000_000

    def now(self) -> int:
        return self.time

    def monotonic(self) -> float:
        return self.time / 1e9

    def pass_seconds(self, seconds: float) -> None:
        self.time += int(seconds * 1e9)


class Bench:
    """One database file and the stores opened on it."""

    def __init__(self, folder: FilePath) -> None:
        self.file = folder / "root.db"
        self.clock = StoppedClock()
        self.database = Database(self.file, self.clock)

    def store(self, mount: str = "mount-1", options: Options | None = None, namespace: str = "root") -> Backend:
        keyring = NamespaceKeyring(namespace, {1: KEK}, 1).scoped(mount)
        services = Services(self.clock, keyring, self.database, namespace, mount)
        return open_native(options or Options(), services)

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Whoever can write the file: outside the store, past every check."""

        def work(connection: Connection) -> list[tuple[Any, ...]]:
            driver: Any = connection.connection.dbapi_connection
            return list(driver.execute(statement, values).fetchall())

        return self.database.write_and_wait(work)

    def close(self) -> None:
        asyncio.run(self.database.close())


@pytest.fixture
def bench(tmp_path: FilePath) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


@pytest.fixture
def clock(bench: Bench) -> StoppedClock:
    return bench.clock


@pytest.fixture
def store(bench: Bench) -> Backend:
    return bench.store()
