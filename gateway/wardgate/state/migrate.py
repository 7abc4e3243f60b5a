"""Alembic, called from the program: no configuration file and no ``env.py`` beside the revisions."""

from __future__ import annotations

from pathlib import Path as FilePath
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from wardgate.spi.errors import Unavailable


def upgrade(connection: Connection, scripts: FilePath, *, version_table: str, name: str) -> None:
    """Run the revisions in ``scripts/versions`` that ``version_table`` has not seen, all of them or none.

    The caller holds the writers' lock; ``connection`` commits by itself (autocommit). ``name`` is the file's, for
    messages.

    Raises:
        Unavailable: the file knows a revision that ``scripts`` does not: a newer program wrote it.
    """
    directory = ScriptDirectory(str(scripts))

    def steps(revision: Any, _context: Any) -> Any:
        return directory._upgrade_revs("head", revision)  # noqa: SLF001  # what Alembic's own upgrade command calls

    connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        with EnvironmentContext(Config(), directory, fn=steps) as environment:
            environment.configure(connection=connection, version_table=version_table)
            environment.run_migrations()
    except CommandError:
        connection.exec_driver_sql("ROLLBACK")
        raise Unavailable(f"{name} was written by a newer version of this program; upgrade this one") from None
    except BaseException:
        connection.exec_driver_sql("ROLLBACK")
        raise
    connection.exec_driver_sql("COMMIT")
