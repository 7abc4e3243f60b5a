"""A program whose children write secrets until they are killed, and print ``path version`` for each acknowledged write.

Mode ``plain`` is the product as it is. The others are controls, each with a defect that the loops must see: ``hasty``
acknowledges before the write is durable, ``unsynced`` runs SQLite with ``synchronous=NORMAL``.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path as FilePath

from wardgate.crypto import NamespaceKeyring
from wardgate.spi.backend import Backend
from wardgate.spi.path import Path
from wardgate.spi.services import Services
from wardgate.spi.values import TEXT, Value
from wardgate.state import files
from wardgate.state.database import Database
from wardgate_native.backend import open_native
from wardgate_native.options import Options

from tests.faults.killed import acknowledge, serve

CALLERS = 16
FILE = "root.db"


class Clock:
    """The machine's own."""

    def now(self) -> int:
        return time.time_ns()

    def monotonic(self) -> float:
        return time.monotonic()


def opened(folder: FilePath) -> tuple[Database, Backend]:
    """The real storage with the native store on it."""
    database = Database(folder / FILE, Clock())
    keyring = NamespaceKeyring("root", {1: bytes(32)}, 1).scoped("mount")
    return database, open_native(Options(), Services(Clock(), keyring, database, "root", "mount"))


def value_of(path: str, version: int) -> bytes:
    """What is written there: told from the name, so that a reader knows what to expect."""
    return f"{path} #{version} ".encode() * 20


async def caller(store: Backend, number: int, *, hasty: bool) -> None:
    """Write a new secret, then a second version of it, and so on for ever."""
    turn = 0
    while True:
        turn += 1
        path = f"caller-{number}/run-{os.getpid()}/secret-{turn}"
        for version in (1, 2):
            if hasty:
                acknowledge(f"{path} {version}")
            await store.write(Path.parse(path), Value(value_of(path, version), TEXT))
            if not hasty:
                acknowledge(f"{path} {version}")


async def main(folder: FilePath, mode: str) -> None:
    """Write until killed."""
    if mode == "unsynced":
        settings = tuple(setting.replace("= FULL", "= NORMAL") for setting in files._SETTINGS)
        assert settings != files._SETTINGS
        vars(files)["_SETTINGS"] = settings
    _database, store = opened(folder)
    await asyncio.gather(*(caller(store, number, hasty=mode == "hasty") for number in range(CALLERS)))


if __name__ == "__main__":
    serve(main)
