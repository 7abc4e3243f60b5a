"""SQLite's failures, each as one plain sentence of the closed list."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path as FilePath

from sqlalchemy.exc import DBAPIError

from wardgate.spi.errors import OutcomeUnknown, Unavailable, WardgateError

_SENTENCES = {
    sqlite3.SQLITE_FULL: "the disk of {file} is full; free some space",
    sqlite3.SQLITE_IOERR: "the disk of {file} answers with an error; check the disk and the system's log",
    sqlite3.SQLITE_BUSY: "{file} is locked by another program; end that program, or wait for it",
    sqlite3.SQLITE_LOCKED: "{file} is locked by another program; end that program, or wait for it",
    sqlite3.SQLITE_CORRUPT: "{file} is damaged; stop the gateway and restore it from a backup",
    sqlite3.SQLITE_NOTADB: "{file} is not a database, or is damaged; stop the gateway and restore it from a backup",
    sqlite3.SQLITE_CANTOPEN: "{file} cannot be opened; check that its folder exists and belongs to this user",
    sqlite3.SQLITE_READONLY: "{file} cannot be written; check its owner, its mode, and the disk",
    sqlite3.SQLITE_PERM: "{file} cannot be opened; check its owner and its mode",
    sqlite3.SQLITE_PROTOCOL: "{file} cannot be locked; a network file system does not do, use a local disk",
    sqlite3.SQLITE_NOMEM: "there is not enough memory to work on {file}",
}

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
_LEAST_ROOM = 64 * 1024
"""Bytes: SQLite's index of its log grows by 32 KiB, and where there is no room for that it speaks of I/O alone."""


def reason(error: BaseException) -> int | None:
    """SQLite's primary result code when ``error`` is the file's or the disk's fault, else None."""
    if isinstance(error, DBAPIError):
        error = error.orig or error
    if not isinstance(error, sqlite3.Error):
        return None
    # Some errors are raised by Python's own module and carry no code.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code if code in _SENTENCES else None


def translate(error: BaseException, file: FilePath) -> Unavailable | None:
    """The error to raise instead when ``error`` is the file's or the disk's fault, else None."""
    if isinstance(error, OSError):
        if error.errno in _NO_ROOM:
            return Unavailable(_SENTENCES[sqlite3.SQLITE_FULL].format(file=file.name))
        return Unavailable(f"{file.name} cannot be used: {error.strerror or 'the system refused'}; check its folder")
    code = reason(error)
    if code == sqlite3.SQLITE_CANTOPEN and file.parent.is_dir() and not file.exists():
        return missing(file)
    if code == sqlite3.SQLITE_IOERR and _full(file):
        code = sqlite3.SQLITE_FULL
    return None if code is None else Unavailable(_SENTENCES[code].format(file=file.name))


def missing(file: FilePath) -> Unavailable:
    """What to raise where a file was made, and is gone."""
    return Unavailable(f"{file.parent.name}/{file.name} is missing; restore it from a backup")


def _full(file: FilePath) -> bool:
    """Whether the disk of a file has no room left, for bytes or for names."""
    try:
        disk = os.statvfs(file.parent)
    except OSError:
        return False
    # Some file systems do not count names: they say 0 of 0.
    return disk.f_bavail * disk.f_frsize < _LEAST_ROOM or (disk.f_files > 0 and disk.f_favail == 0)


@contextlib.contextmanager
def plainly(file: FilePath) -> Iterator[None]:
    """Raise Unavailable with a plain sentence for what is the file's or the disk's fault inside."""
    try:
        yield
    except (OSError, sqlite3.Error, DBAPIError) as error:
        failure = translate(error, file)
        if failure is None:
            raise
        raise failure from None


def of_commit(error: BaseException, file: FilePath) -> WardgateError:
    """The error for those whose transaction failed while it was committed."""
    if reason(error) == sqlite3.SQLITE_IOERR:
        # The log's last frame may have reached the disk although its sync failed: a power cut now could bring it back.
        return OutcomeUnknown(f"{file.name} could not be synced; whether the change is kept is not known")
    return translate(error, file) or Unavailable(f"{file.name} could not be written")
