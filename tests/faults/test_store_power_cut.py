"""Simulated power cuts: what was acknowledged survives losing all that was not synced.

A preloaded library (``power_cut.c``) keeps a shadow of the data folder that holds only what was synced, and in half of
the cuts a random part of what was not. The writer is killed, and the shadow is opened as the machine would find it.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path as FilePath

import pytest

from tests.faults.store_rounds import Writers, lost

CUTS = 20


@pytest.fixture(scope="module")
def writers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writers]:
    """Writers on a disk that forgets; without a compiler for it these tests skip, and fail where they must run."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        reason = "a C compiler is needed to build the disk that forgets; install gcc"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    library = tmp_path_factory.mktemp("shim") / "power_cut.so"
    source = FilePath(__file__).with_name("power_cut.c")
    flags = ["-shared", "-fPIC", "-O1"]
    subprocess.run([compiler, *flags, "-o", str(library), str(source), "-ldl", "-lpthread"], check=True)
    made = Writers(preload=library)
    yield made
    made.close()


def cut(folder: FilePath, writers: Writers, moments: random.Random, *, mode: str) -> list[str]:
    """One cut of a new data folder; what was lost of what had been acknowledged."""
    data, shadow = folder / "data", folder / "after the cut"
    for made in (data, shadow):
        made.mkdir(parents=True)
    acknowledged = writers.killed(
        data,
        mode=mode,
        after=moments.randint(1, 120),
        WARDGATE_CUT_FOLDER=str(data),
        WARDGATE_CUT_SHADOW=str(shadow),
        WARDGATE_CUT_EARLY=str(moments.choice([0, 50])),
    )
    return lost(shadow, acknowledged)


@pytest.mark.slow
def test_no_acknowledged_write_is_lost(tmp_path: FilePath, writers: Writers) -> None:
    """Twenty cuts at random moments lose nothing, and leave a file that SQLite finds whole."""
    moments = random.Random(400)
    for number in range(CUTS):
        assert cut(tmp_path / str(number), writers, moments, mode="plain") == []


@pytest.mark.slow
def test_control_without_the_sync_writes_are_lost(tmp_path: FilePath, writers: Writers) -> None:
    """With ``synchronous=NORMAL`` the same cuts lose acknowledged writes; a shim that saw none would be blind."""
    moments = random.Random(400)
    assert any(cut(tmp_path / str(number), writers, moments, mode="unsynced") for number in range(CUTS))
