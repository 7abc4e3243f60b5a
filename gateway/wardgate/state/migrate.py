"""Alembic, called from the program: no configuration file and no ``env.py`` beside the revisions.

It takes longer to import than all else the gateway needs, so that it is loaded only where there is something to do.
"""

from __future__ import annotations

import re
from pathlib import Path as FilePath
from typing import Any, Final

from sqlalchemy import Connection

from wardgate.spi.errors import Unavailable

_REVISION: Final = re.compile(r"^revision(?:: str)? = [\"']([^\"']+)[\"']$", re.MULTILINE)
_DOWN_REVISION: Final = re.compile(r"^down_revision(?:: [^=]+)? = [\"']([^\"']+)[\"']$", re.MULTILINE)


def upgrade(connection: Connection, scripts: FilePath, *, version_table: str, name: str) -> None:
    """Run the revisions in ``scripts/versions`` that ``version_table`` has not seen, all of them or none.

    The caller holds the writers' lock; ``connection`` commits by itself (autocommit). ``name`` is the file's, for
    messages.

    Raises:
        Unavailable: the file knows a revision that ``scripts`` does not: a newer program wrote it.
    """
    if _current(connection, version_table) == _newest(scripts):
        return
    from alembic.config import Config  # noqa: PLC0415  # see above
    from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

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


def _current(connection: Connection, version_table: str) -> set[str]:
    """What the file says it has seen; nothing where it is new."""
    there = connection.exec_driver_sql("SELECT 1 FROM sqlite_schema WHERE name = ?", (version_table,)).first()
    if there is None:
        return set()
    quoted = version_table.replace('"', '""')
    return {str(row[0]) for row in connection.exec_driver_sql(f'SELECT version_num FROM "{quoted}"')}  # noqa: S608


def _newest(scripts: FilePath) -> set[str] | None:
    """The revisions that no other follows, by the text of the scripts; None where that cannot be told from it."""
    texts = [file.read_text("utf-8") for file in sorted((scripts / "versions").glob("*.py"))]
    revisions = [_REVISION.findall(text) for text in texts]
    if not texts or any(len(found) != 1 for found in revisions):
        return None
    followed = {name for text in texts for name in _DOWN_REVISION.findall(text)}
    if len(followed) != len(texts) - 1:
        return None  # no plain chain, or written in another way: Alembic knows
    return {name for [name] in revisions} - followed
