"""Opens a data folder as a gateway would, and looks at all that is in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path as FilePath

from wardgate.backup.archive import STATE, Tick
from wardgate.backup.cut import AUDIT, STORES
from wardgate.clock import SystemClock
from wardgate.mounts.opener import Opener
from wardgate.mounts.walk import walk
from wardgate.pipeline.audit.verify import verify
from wardgate.registry import Registry
from wardgate.server.epochs import LocalEpochs
from wardgate.spi.backend import Backend
from wardgate.spi.errors import Unavailable, WardgateError
from wardgate.spi.path import Path
from wardgate.spi.values import VersionState
from wardgate.state import State
from wardgate.state.installation import Seal

MOST_PROBLEMS = 100
"""Problems that are told one by one."""


@dataclass(slots=True)
class Findings:
    """What was looked at, and what is wrong. ``foreign``: mounts whose secrets are in another system."""

    namespaces: int = 0
    mounts: int = 0
    foreign: int = 0
    secrets: int = 0
    versions: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def wrong(self, what: str) -> None:
        """Note a problem, unless there are very many already."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(what)


async def examine(folder: FilePath, seal: Seal, plugins: Iterable[str], *, values: bool, tick: Tick) -> Findings:
    """Check every file, every code of the state, every key, and with ``values`` every secret that can be read.

    Brings the files to this program's schema, as a gateway's start does. ``tick`` is told of secrets read.

    Raises:
        Sealed: the key file is another installation's.
        InvalidValue: a plugin is not installed.
        Unavailable: a file is damaged beyond reading, or a newer program wrote it.
    """
    findings = Findings()
    for file in (folder / STATE, *sorted((folder / STORES).glob("*.db"))):
        for said in _integrity(file):
            findings.wrong(f"{file.relative_to(folder)}: {said}")
    if (folder / AUDIT).is_dir():
        bad = [(shard.shard, shard.bad) for shard in verify(folder / AUDIT).shards]
        findings.problems += [
            f"audit shard {number}: {one.file}, line {one.line}: {one.what}" for number, one in bad if one
        ]
    if not findings.ok:
        return findings
    types = Registry.load(plugins).backend_types
    state = State.open(folder, seal, SystemClock(), LocalEpochs())
    try:
        for one in state.forged():
            findings.wrong(one.what if one.table else f"namespace {one.namespace}: {one.what}")
        opener = Opener(types, state, SystemClock())
        for namespace in state.namespaces.ids():
            await _namespace(state, opener, namespace, findings, values=values, tick=tick)
    finally:
        await state.close()
    return findings


def _integrity(file: FilePath) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        try:
            said = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(10)")]
        except sqlite3.DatabaseError as error:
            return [str(error)]
    return [] if said == ["ok"] else said


async def _namespace(
    state: State, opener: Opener, namespace: str, findings: Findings, *, values: bool, tick: Tick
) -> None:
    findings.namespaces += 1
    try:
        state.keyring(namespace)
    except WardgateError:
        return  # told already, and nothing below can be opened
    rows = state.mounts.of(namespace)
    for row in rows:
        findings.mounts += 1
        where = f"{row.prefix}/ of namespace {namespace}"
        if row.fault:
            findings.wrong(f"mount {where}: {row.fault}")
        elif values and row.type not in opener.types:
            findings.wrong(
                f"mount {where} cannot be looked at: no loaded plugin offers the backend {row.type!r}; "
                "name its plugin with --plugin, or give --config"
            )
        elif not opener.embedded(row.type):
            findings.foreign += 1
        elif said := _missing(state, namespace):
            findings.wrong(f"mount {where}: {said}")
        elif values:
            backend = opener.of_row(namespace, row)
            try:
                async for path in walk(backend):
                    await _secret(backend, path, where, findings)
                    tick(1)
            finally:
                await backend.close()


def _missing(state: State, namespace: str) -> str:
    """What is wrong with the file of a namespace's store, though nobody looks into it yet."""
    try:
        state.database(namespace).check()
    except Unavailable as error:
        return error.message
    return ""


async def _secret(backend: Backend, path: Path, where: str, findings: Findings) -> None:
    """Read every version that can be read."""
    findings.secrets += 1
    try:
        info = await backend.describe(path)
        for version in info.versions:
            if version.state is VersionState.LIVE:
                await backend.read(path, version=version.id)
                findings.versions += 1
    except WardgateError as error:
        findings.wrong(f"secret {path} in {where}: {error.message}")
