"""Backups while others write: one moment of all files, with everything that was acknowledged before."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path as FilePath

from sqlalchemy import Connection
from wardgate.spi.path import Path
from wardgate.spi.values import Value
from wardgate.state import State
from wardgate.state.database import Database
from wardgate.state.namespaces import ROOT_NAMESPACE

from tests.support.backup_world import World

COUNT = "CREATE TABLE IF NOT EXISTS counted (number INTEGER NOT NULL)"


def counting(state: State) -> list[Database]:
    """The files of a data folder, in the order the writer visits them."""
    return [state._database, *(state.database(namespace) for namespace in sorted(state.namespaces.ids()))]


class Writer(threading.Thread):
    """Adds the same number to one file after the other, each only once the one before is acknowledged."""

    def __init__(self, state: State) -> None:
        super().__init__()
        self.files = counting(state)
        self.acknowledged = 0
        self.stop = False
        self.begun = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.stop:
            number += 1
            for file in self.files:
                file.write_and_wait(self._adding(number))
            self.acknowledged = number
            self.begun.set()

    @staticmethod
    def _adding(number: int) -> Callable[[Connection], None]:
        def work(connection: Connection) -> None:
            connection.exec_driver_sql(COUNT)
            connection.exec_driver_sql("INSERT INTO counted VALUES (?)", (number,))

        return work


@contextlib.contextmanager
def writing(state: State) -> Iterator[Writer]:
    writer = Writer(state)
    writer.start()
    try:
        yield writer
    finally:
        writer.stop = True
        writer.join()


def counted(file: FilePath) -> list[int]:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        return [row[0] for row in connection.execute("SELECT number FROM counted ORDER BY number")]


def test_a_backup_is_one_moment_of_all_files(world: World) -> None:
    """No file holds a write whose forerunner in another file is missing, and none acknowledged before is lost."""
    state = world.open()
    names = [file.file.relative_to(world.data) for file in counting(state)]
    with writing(state) as writer:
        assert writer.begun.wait(60)
        for round_ in range(8):
            before = writer.acknowledged
            world.create(world.folder / f"backup-{round_}")
            after = writer.acknowledged + 1
            to = world.folder / f"restored-{round_}"
            assert world.restore(to, world.folder / f"backup-{round_}").ok
            found = [counted(to / name) for name in names]
            # In the order they were written: no later file is ahead of an earlier one, or more than one behind.
            lengths = [len(numbers) for numbers in found]
            assert lengths == sorted(lengths, reverse=True)
            assert lengths[0] - lengths[-1] <= 1
            assert before <= lengths[-1] <= lengths[0] <= after
            assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in found)
    asyncio.run(state.close())


def test_writes_go_on_during_the_copy(world: World) -> None:
    """What is written after the moment is not waited for, and not in the backup: the copy's reader holds nobody up."""
    state = world.open()
    store = world.store(state)
    late = Path(("late",))

    async def write() -> None:
        await store.write(late, Value(b"x"))

    from wardgate.backup import create  # noqa: PLC0415

    written: list[int] = []

    def tick(_more: int) -> None:
        if not written:
            asyncio.run(write())
            written.append(1)

    create(world.data, world.file, world.seal, (), audit=None, tick=tick)
    assert [1] == written
    world.restore(world.folder / "new")
    restored = world.open(world.folder / "new")

    async def look() -> tuple[bool, bool]:
        found = [
            late.segments[0] in [entry.name for entry in (await world.store(each).list(Path(()))).entries]
            for each in (state, restored)
        ]
        await state.close()
        await restored.close()
        return found[0], found[1]

    assert (True, False) == asyncio.run(look())


def test_a_namespace_of_an_unopened_store_is_no_problem(world: World) -> None:
    """It has no file yet."""
    state = world.open()
    from wardgate.state.tokens import new_id  # noqa: PLC0415

    asyncio.run(state.namespaces.create(ROOT_NAMESPACE, "new", namespace=new_id(), along=lambda _: None))
    asyncio.run(state.close())
    assert 3 == len(world.create().files)
    assert (True, 3) == ((found := world.verify()).ok, found.namespaces)
