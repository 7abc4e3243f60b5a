"""Takes a backup of a data folder, whether or not a gateway serves it at the time."""

from __future__ import annotations

import base64
import functools
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path as FilePath

from wardgate import __version__
from wardgate.backup import archive, cut
from wardgate.backup.archive import Manifest, Tick
from wardgate.clock import SystemClock
from wardgate.registry import Registry
from wardgate.spi.errors import AlreadyExists, InvalidValue
from wardgate.spi.hookspecs import BackendType
from wardgate.state.database import Database
from wardgate.state.installation import Installation, Seal, unseal


def create(
    data: FilePath, target: FilePath, seal: Seal, plugins: Sequence[str], *, audit: FilePath | None, tick: Tick
) -> Manifest:
    """Write the backup of the folder ``data`` to the new file ``target`` (0600), synced, in one step.

    What is copied is one moment of all files together: every write that was acknowledged before ``create`` was called
    is in it, and nothing that was begun after it returned. ``audit``: the folder of the audit's files, where they are
    wanted too. ``plugins`` tell, where a store's file is missing, whether something was in it. ``tick`` is told of the
    bytes copied and written: twice the size of the files.

    Raises:
        AlreadyExists: there is a file at ``target``.
        InvalidValue: there is no data in the folder, or ``target`` has no folder.
        Sealed: the key file is another installation's.
        Unavailable: a file is missing or damaged, or in use by a program that does not let go.
        OSError: something cannot be read or written.
    """
    _check(data, target)
    installation = _installation(data, seal)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", suffix=".partial", dir=target.parent) as name:
        folder = FilePath(name)
        taken = cut.take(data, folder, audit=audit, foreign=_foreign(plugins), tick=tick)
        manifest = Manifest(
            archive.FORMAT,
            __version__,
            installation.id,
            datetime.fromtimestamp(taken.at / 1e9, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            base64.b64encode(taken.root).decode(),
            archive.describe(folder, taken.names),
        )
        written = folder / "archive"
        with archive.new_file(written) as stream:
            archive.write(stream, manifest, installation.root, folder, tick)
            archive.durable(stream)
        try:
            os.link(written, target)  # unlike a rename it never replaces what came there meanwhile
        except FileExistsError:
            raise _exists(target) from None
        archive.sync_folder(target.parent)
    return manifest


def _check(data: FilePath, target: FilePath) -> None:
    if not (data / archive.STATE).is_file():
        raise InvalidValue(f"there is no data in {data}; name the folder that `wardgate init` made")
    if not target.parent.is_dir():
        raise InvalidValue(f"there is no folder {target.parent}; make it first")
    if target.resolve().is_relative_to(data.resolve()):
        raise InvalidValue(f"{target} lies in the data folder, and would be lost with it; name another place")
    _refuse_existing(target)


def _refuse_existing(target: FilePath) -> None:
    if os.path.lexists(target):
        raise _exists(target)


def _exists(target: FilePath) -> AlreadyExists:
    return AlreadyExists(f"there is a file at {target} already; name another")


def _foreign(plugins: Sequence[str]) -> Callable[[str], bool]:
    """Whether backends of a type keep what they hold elsewhere; of a type that no plugin has nobody can say so."""

    @functools.cache
    def types() -> Mapping[str, BackendType]:
        return Registry.load(plugins).backend_types

    return lambda kind: kind in types() and not types()[kind].embedded


def _installation(data: FilePath, seal: Seal) -> Installation:
    database = Database(data / archive.STATE, SystemClock())
    try:
        return unseal(database, seal)
    finally:
        database.close_and_wait()
