"""Looks into a backup, and makes a data folder of it again."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path as FilePath

from wardgate.backup.archive import STATE, Archive, Manifest, Tick, must_be_outside, sync_folder
from wardgate.backup.examine import Findings, examine
from wardgate.spi.errors import AlreadyExists, InvalidValue, Unavailable
from wardgate.state.installation import Seal
from wardgate.state.tables import idempotency_keys, wrapped


def verify(
    file: FilePath, seal: Seal, plugins: Sequence[str], *, values: bool, tick: Tick
) -> tuple[Manifest, Findings]:
    """Unpack the backup beside itself, look at all of it, and remove that again. ``tick`` is told of secrets read.

    Raises:
        Damaged: it is no backup, or was cut or changed.
        Sealed: the key file is another installation's.
        Unavailable: there is no room to unpack it, or a newer program wrote it.
        OSError: something cannot be read or written.
    """
    with _unpacked(file, file.parent, file.name, seal) as (folder, manifest):
        return manifest, _examined(folder, seal, plugins, values=values, tick=tick)


def restore(
    file: FilePath, to: FilePath, seal: Seal, plugins: Sequence[str], *, values: bool, tick: Tick
) -> tuple[Manifest, Findings]:
    """Make the new data folder ``to`` of a backup, in one step, once all that is in it was looked at.

    Wrapped answers and idempotency keys stay behind: what was taken out once is not given out again, and an answer
    of a time that is not come back is not repeated.
    With problems among the findings nothing is made. Raises what :func:`verify` does, and:

    Raises:
        AlreadyExists: there is something at ``to``.
        InvalidValue: there is no folder to make it in, or it is inside a data folder.
    """
    to = to.absolute()
    _must_be_free(to)
    with _unpacked(file, to.parent, to.name, seal) as (folder, manifest):
        findings = _examined(folder, seal, plugins, values=values, tick=tick)
        if findings.ok:
            _forget(folder / STATE)
            _sync(folder)
            _must_be_free(to)
            folder.rename(to)
            sync_folder(to.parent)
    return manifest, findings


def _must_be_free(to: FilePath) -> None:
    if not to.parent.is_dir():
        raise InvalidValue(f"there is no folder {to.parent}; make it first")
    must_be_outside(to, "restore")
    if os.path.lexists(to) and (to.is_symlink() or not to.is_dir() or any(to.iterdir())):
        raise AlreadyExists(f"there is something at {to} already; name a new folder, or an empty one")


@contextmanager
def _unpacked(file: FilePath, beside: FilePath, name: str, seal: Seal) -> Iterator[tuple[FilePath, Manifest]]:
    """The files of a backup in a folder of their own, removed at the end where it still is."""
    with file.open("rb") as stream:
        archive = Archive(stream, seal)
        room = shutil.disk_usage(beside).free
        if archive.manifest.size > room:
            raise Unavailable(f"unpacking takes {archive.manifest.size} bytes, and {beside} has {room} left")
        # Made open to this user alone, whatever the umask.
        folder = FilePath(tempfile.mkdtemp(prefix=f".{name}.", suffix=".partial", dir=beside))
        try:
            archive.extract(folder)
            yield folder, archive.manifest
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _examined(folder: FilePath, seal: Seal, plugins: Sequence[str], *, values: bool, tick: Tick) -> Findings:
    return asyncio.run(examine(folder, seal, plugins, values=values, tick=tick))


def _forget(state: FilePath) -> None:
    """Empty what holds only once, or only for a while, over its very bytes."""
    with closing(sqlite3.connect(state, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        for table in (wrapped, idempotency_keys):
            connection.execute(f"DELETE FROM {table.name}")  # noqa: S608  # a name of ours


def _sync(folder: FilePath) -> None:
    """Make everything that looking at it changed survive a power cut."""
    for file in folder.rglob("*"):
        if file.is_dir():
            sync_folder(file)
        else:
            with file.open("rb") as opened:
                os.fsync(opened.fileno())
    sync_folder(folder)
