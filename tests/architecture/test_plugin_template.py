"""A new plugin begins from a template that passes the suite, and touches nothing but its own folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from wardgate.cli.root import wardgate

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_new_plugin_conforms_and_changes_nothing_else(tmp_path: Path) -> None:
    """In a copy of the workspace: its own folder is all that differs, and its tests pass as they are."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    tracked = {name for name in listed.split("\0") if name and (ROOT / name).is_file()}
    for name in tracked:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tmp_path / name)
    demo = tmp_path / "plugins/demo"
    made = CliRunner().invoke(wardgate, ["plugin", "new", "demo", "--into", str(demo)])
    assert made.exit_code == 0, made.output
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert all(name.startswith("plugins/demo/") for name in found - tracked)
    assert all((ROOT / name).read_bytes() == (tmp_path / name).read_bytes() for name in tracked)
    command = [sys.executable, "-m", "pytest", "-q", "--import-mode=importlib", "-p", "no:cacheprovider", str(demo)]
    environment = os.environ | {"PYTHONPATH": str(demo)}
    ended = subprocess.run(command, cwd=demo, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize("name", ["Bad", "1a", "a-b", "../x"])
def test_a_bad_name_or_a_folder_that_exists_is_refused(name: str, tmp_path: Path) -> None:
    """And nothing is made."""
    assert CliRunner().invoke(wardgate, ["plugin", "new", name, "--into", str(tmp_path / "x")]).exit_code
    assert CliRunner().invoke(wardgate, ["plugin", "new", "good", "--into", str(tmp_path)]).exit_code
    assert list(tmp_path.iterdir()) == []
