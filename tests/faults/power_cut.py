"""Simulated power cuts: a preloaded library (``power_cut.c``) makes a disk that forgets what was not synced.

It keeps a shadow of a folder that holds only what was synced, and in half of the cuts a random part of what was not.
The writer is killed, and the shadow is what the machine would find.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path as FilePath

import pytest

from tests.faults.killed import Writers

CUTS = 20


def library(folder: FilePath) -> FilePath:
    """Build it there; without a compiler for it the test skips, and fails where it must run."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        reason = "a C compiler is needed to build the disk that forgets; install gcc"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    built = folder / "power_cut.so"
    source = FilePath(__file__).with_suffix(".c")
    flags = ["-shared", "-fPIC", "-O1"]
    subprocess.run([compiler, *flags, "-o", str(built), str(source), "-ldl", "-lpthread"], check=True)
    return built


def cut(
    folder: FilePath, writers: Writers, moments: random.Random, *, mode: str, **environment: str
) -> tuple[FilePath, set[str]]:
    """One cut of a new folder: what the disk kept of it, and what had been acknowledged."""
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
        **environment,
    )
    return shadow, acknowledged
