"""A program whose children write secrets until they are killed, and say of each one when it was acknowledged.

Each line it reads is a JSON object: a ``folder``, a ``mode``, and what to add to the ``environment``. A child begins on
it: it prints its process id, then ``path version`` for each acknowledged write; once it is dead, ``END`` follows.
Forking spares the loops the time to start Python. Mode ``plain`` is the product as it is. The others are controls, each
with a defect that the loops must see: ``hasty`` acknowledges before the write is durable, ``unsynced`` runs SQLite with
``synchronous=NORMAL``.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
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

CALLERS = 16
FILE = "root.db"
END = "END"


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


def acknowledge(path: str, version: int) -> None:
    """One line, one system call: what was printed is in the pipe whatever happens next."""
    os.write(1, f"{path} {version}\n".encode())


async def caller(store: Backend, number: int, *, hasty: bool) -> None:
    """Write a new secret, then a second version of it, and so on for ever."""
    turn = 0
    while True:
        turn += 1
        path = f"caller-{number}/run-{os.getpid()}/secret-{turn}"
        for version in (1, 2):
            if hasty:
                acknowledge(path, version)
            await store.write(Path.parse(path), Value(value_of(path, version), TEXT))
            if not hasty:
                acknowledge(path, version)


async def main(folder: FilePath, mode: str) -> None:
    """Write until killed."""
    if mode == "unsynced":
        settings = tuple(setting.replace("= FULL", "= NORMAL") for setting in files._SETTINGS)
        assert settings != files._SETTINGS
        vars(files)["_SETTINGS"] = settings
    _database, store = opened(folder)
    await asyncio.gather(*(caller(store, number, hasty=mode == "hasty") for number in range(CALLERS)))


def serve() -> None:
    """One child after another, until there is no more to read. No thread runs here, so forking is safe."""
    for line in sys.stdin:
        wish = json.loads(line)
        child = os.fork()
        if child == 0:
            os.environ.update(wish["environment"])
            os.write(1, f"{os.getpid()}\n".encode())
            asyncio.run(main(FilePath(wish["folder"]), wish["mode"]))
            os._exit(1)
        os.waitpid(child, 0)
        os.write(1, f"{END}\n".encode())


if __name__ == "__main__":
    serve()
