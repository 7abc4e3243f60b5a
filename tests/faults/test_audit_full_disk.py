"""Disks that are really full: the kernel refuses, and every change that was made is on record."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path as FilePath

import pytest
from wardgate.pipeline.audit import verify
from wardgate.pipeline.audit.record import read
from wardgate.pipeline.audit.sink import files_of

REAL = """
import asyncio, pathlib, resource, sys
from wardgate.clock import SystemClock
from wardgate.context import Context
from wardgate.pipeline import compose
from wardgate.pipeline.audit import Audit, Journal, Settings
from wardgate.pipeline.begin import Begin
from wardgate.spi.errors import OutcomeUnknown, Unavailable
from wardgate.spi.frontend import Arrival, Outcome
from wardgate.spi.identity import Principal
from wardgate.spi.operations.secrets import DeleteSecret
from wardgate.spi.path import Path

changed = []

async def store(context):
    changed.append(context.arrival.id)
    return Outcome(None)

async def main():
    folder, limit = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    clock = SystemClock()
    settings = Settings(synced=True, max_file_bytes=2**28, retention_files=0, reserve_bytes=65_536)
    journal = Journal(folder, 0, bytes(32), clock, settings=settings)
    await journal.open(lambda record: "unknown")
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    road = compose([Audit(journal), Begin(journal)], store)
    refused = 0
    for number in range(1_000):
        arrival = Arrival(f"r-{number}", clock.now(), 0.0, "192.0.2.1")
        context = Context(arrival, DeleteSecret(path=Path(("a",))), None, "root")
        context.principal = Principal("p", "root", "n", "key", (), "a")
        try:
            await road(context)
        except (OutcomeUnknown, Unavailable):
            refused += 1
    await journal.close()
    print(refused, *changed)

asyncio.run(main())
"""


def refused_and_changed(folder: FilePath, limit: int) -> tuple[int, set[str]]:
    command = [sys.executable, "-c", REAL, str(folder), str(limit)]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    refused, *changed = ended.stdout.split()
    return int(refused), set(changed)


def assert_recorded(folder: FilePath, refused: int, changed: set[str]) -> None:
    assert refused > 0
    assert changed
    assert verify(folder).ok
    lines = [line for file in files_of(folder)[0].values() for line in file.read_bytes().splitlines(keepends=True)]
    records = [read(line) for line in lines]
    assert set() == changed - {record.request for record in records if record.kind == "request"}


def test_a_file_that_may_not_grow(tmp_path: FilePath) -> None:
    """The kernel's own refusal, through RLIMIT_FSIZE: every change that was made is on record, the rest was refused."""
    folder = tmp_path / "audit"
    assert_recorded(folder, *refused_and_changed(folder, 100_000))


@pytest.fixture
def small_disk(tmp_path: FilePath) -> Iterator[FilePath]:
    """A file system of 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounting = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if mounting.returncode or os.statvfs(place).f_blocks * os.statvfs(place).f_frsize > 1_000_000:
        pytest.skip(f"a small file system cannot be mounted here: {mounting.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_real_full_disk(small_disk: FilePath) -> None:
    """Every change that was made is on record with its end; the reserve gave the last ones their room."""
    folder = small_disk / "audit"
    refused, changed = refused_and_changed(folder, 0)
    assert_recorded(folder, refused, changed)
    assert () == verify(folder).shards[0].open
