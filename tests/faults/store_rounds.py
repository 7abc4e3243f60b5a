"""What a writer of the store left behind: which of its acknowledged writes are lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path as FilePath

from wardgate.spi.errors import WardgateError
from wardgate.spi.path import Path
from wardgate.state.database import Database

from tests.faults import store_writer


def _sound(database: Database) -> bool:
    with database.reading() as connection:
        return bool(connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok")


def lost(folder: FilePath, acknowledged: Iterable[str]) -> list[str]:
    """Those acknowledged writes that are not there, or are not what was written; empty when all is well."""

    async def look() -> list[str]:
        database, store = store_writer.opened(folder)
        try:
            missing = [] if _sound(database) else ["SQLite finds the file damaged"]
            for line in sorted(acknowledged):
                path, _, version = line.rpartition(" ")
                try:
                    found = (await store.read(Path.parse(path), version=version)).value.data
                except WardgateError as error:
                    missing.append(f"{line}: {error!r}")
                    continue
                if found != store_writer.value_of(path, int(version)):
                    missing.append(f"{line}: another value")
            return missing
        finally:
            await database.close()

    return asyncio.run(look())
