"""A backup that is killed in the middle leaves nothing under its name."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from wardgate.backup import archive

from tests.support.backup_world import World, furnished

STEPS = frozenset({"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "sqlite3.connect"})
"""What is a place to die at: each time a file or folder is opened, made, renamed or removed."""


def killed(work: Callable[[], object], at: int) -> bool:
    """Whether a process of its own was killed at that step, before it was done."""
    child = os.fork()
    if child == 0:
        left = at

        def watched(event: str, _arguments: object) -> None:
            nonlocal left
            if event in STEPS:
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            sys.addaudithook(watched)
            work()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert status in {0, signal.SIGKILL}, status
    return status != 0


def test_a_kill_leaves_a_whole_backup_or_none(tmp_path: Path) -> None:
    """At every step: what stands under the final name can be verified; the data folder takes no harm."""
    world = furnished(tmp_path)
    kills, step = 0, 0
    while kills == step:
        step += 1
        target = tmp_path / f"made-{step}"
        kills += killed(lambda target=target: world.create(target), step)  # type: ignore[misc]
        assert not target.exists() or world.verify(target).ok
    assert kills > 10
    assert target.exists()


@pytest.mark.slow
def test_a_kill_leaves_a_whole_data_folder_or_none(tmp_path: Path) -> None:
    """The folder appears in one step, when all of it was looked at."""
    world = furnished(tmp_path)
    world.create()
    found = {step: _restored(world, tmp_path / f"made-{step}", step) for step in range(10, 400, 30)}
    assert {"killed", "made"} == set(found.values())


def _restored(world: World, to: Path, step: int) -> str:
    died = killed(lambda: world.restore(to), step)
    if to.exists():
        assert {archive.STATE, "namespaces"} <= {file.name for file in to.iterdir()}
        assert 2 == len(list((to / "namespaces").glob("*.db")))
        return "made"
    assert died
    return "killed"
