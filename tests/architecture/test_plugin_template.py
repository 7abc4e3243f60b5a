"""A new plugin begins from a template that passes every check of this house, and touches nothing but its own folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import fields
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from wardgate.cli import plugin_new
from wardgate.cli.root import wardgate
from wardgate.spi.capabilities import Capabilities

ROOT = Path(__file__).parents[2]
PACKAGES = (ROOT / "gateway", ROOT / "conformance", *ROOT.glob("plugins/*"))


def new(*arguments: str) -> Result:
    return CliRunner().invoke(wardgate, ["plugin", "new", *arguments])


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """What it says; it must succeed."""
    ended = subprocess.run(
        command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=240
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def tool(name: str) -> Path:
    """One of those that ``make install`` installs."""
    return Path(sys.executable).with_name(name)


def uv(*arguments: str | Path, cwd: Path) -> None:
    """Without the network where what ``make install`` fetched is enough."""
    command = shutil.which("uv") or str(ROOT / ".tools/uv")
    try:
        run(command, *arguments, "--offline", cwd=cwd)
    except AssertionError:
        run(command, *arguments, cwd=cwd)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the workspace as it is, with a plugin that was just begun."""
    folder = tmp_path_factory.mktemp("workspace")
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    run("git", "init", "--quiet", cwd=folder)
    run("git", "add", "--all", cwd=folder)
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    run("git", *identity, "commit", "--quiet", "-m", "as it was", cwd=folder)
    made = new("demo", "--into", str(folder / "plugins/demo"))
    assert made.exit_code == 0, made.output
    yield folder
    shutil.rmtree(folder)


@pytest.mark.slow
def test_a_new_plugin_changes_its_own_folder_and_uv_lock(workspace: Path) -> None:
    """Nothing else, as git sees it; and of uv.lock no package but its own."""
    uv("lock", cwd=workspace)
    changed = run("git", "status", "--porcelain", cwd=workspace).splitlines()
    assert [" M uv.lock", "?? plugins/demo/"] == changed
    difference = run("git", "diff", "--unified=0", "uv.lock", cwd=workspace)
    assert ['+name = "wardgate-demo"'] == re.findall(r"^[-+]name = .*$", difference, re.MULTILINE)
    assert [] == re.findall(r"^[-+]version = (?!\"0\.1\.0\").*$", difference, re.MULTILINE)


@pytest.mark.slow
def test_a_new_plugin_passes_the_suite(workspace: Path) -> None:
    """With this workspace's settings of pytest, where a warning is an error."""
    report = workspace / "report.json"
    command = (tool("pytest"), "-n0", "-q", "-p", "no:cacheprovider", "plugins/demo")
    try:
        said = run(*command, "--wardgate-report", report, cwd=workspace, PYTHONPATH=str(workspace / "plugins/demo"))
        backends = json.loads(report.read_text())["backends"]
    finally:
        report.unlink(missing_ok=True)
    assert "failed" not in said
    assert "skipped" not in said
    passed = {promise: counts["passed"] for promise, counts in backends["Demo"]["promises"].items()}
    assert sum(passed.values()) > 90
    assert [] == [
        promise for promise in ("Reading", "Writing", "Listing", "Deleting", "Closing") if not passed[promise]
    ]


@pytest.mark.slow
def test_a_new_plugin_breaks_no_rule_of_the_house(workspace: Path) -> None:
    """Neither of the layout nor of the imports; and no page has to be changed for it."""
    rooms = ("test_docs.py", "test_docs_backends.py", "test_docs_plugins.py", "test_imports.py", "test_layout.py")
    files = [f"tests/architecture/{room}" for room in rooms]
    said = run(
        tool("pytest"),
        "-n0",
        "-q",
        "-p",
        "no:cacheprovider",
        "-k",
        "demo or not stays_readable",  # the other modules are read where they are
        *files,
        cwd=workspace,
        PYTHONPATH=str(workspace / "plugins/demo"),
    )
    assert "failed" not in said


@pytest.mark.slow
def test_a_new_plugin_has_its_types(workspace: Path) -> None:
    """All of them, as strictly as everything here."""
    path = ":".join(map(str, [*PACKAGES, workspace / "plugins/demo"]))
    settings = ("--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(ROOT / ".mypy_cache"))
    run(tool("mypy"), *settings, str(workspace / "plugins/demo"), cwd=ROOT, MYPYPATH=path)


@pytest.mark.parametrize("name", ["a", "demo", "z" * 40])
def test_a_new_plugin_is_formatted_and_breaks_no_rule(tmp_path: Path, name: str) -> None:
    """However long its name is, and wherever it sorts among the imports."""
    folder = tmp_path / "plugins" / name
    folder.parent.mkdir()
    shutil.copy2(ROOT / "pyproject.toml", tmp_path)
    assert new(name, "--into", str(folder)).exit_code == 0
    run(tool("ruff"), "format", "--check", "--no-cache", ".", cwd=tmp_path)
    run(tool("ruff"), "check", "--no-cache", ".", cwd=tmp_path)


def test_every_no_of_a_new_plugin_has_its_reason(tmp_path: Path) -> None:
    """So that its author keeps to it; and it has as many files as the template."""
    assert new("demo", "--into", str(tmp_path / "demo")).exit_code == 0
    spec = spec_from_file_location("declaration", tmp_path / "demo/wardgate_demo/declaration.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    declared = module.DECLARATION
    assert [] == [
        field.name
        for field in fields(Capabilities)
        if getattr(declared.capabilities, field.name) is False and field.name not in declared.notes
    ]
    made = [file for file in (tmp_path / "demo").rglob("*") if file.is_file() and file.suffix != ".pyc"]
    assert len(list(plugin_new.TEMPLATES.rglob("*.txt"))) == len(made)
    assert [] == [file.name for file in made if "NAME" in file.name or "$" in file.read_text()]


@pytest.mark.slow
def test_the_template_is_in_the_wheel(tmp_path: Path) -> None:
    """Whoever installed the gateway can begin a plugin, without this repository."""
    uv("build", "--wheel", "--out-dir", tmp_path, "gateway", cwd=ROOT)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    expected = {path.relative_to(ROOT / "gateway").as_posix() for path in plugin_new.TEMPLATES.rglob("*.txt")}
    assert expected
    assert expected <= held


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Bad", "bad, for example"),
        ("my-store", "mystore, for example"),
        ("1a", "a, for example"),
        ("../x", "x, for example"),
        ("é", "small letters and digits"),
        ("", "small letters and digits"),
        ("a" * 41, "up to 40"),
        ("a\n", "a, for example"),
        ("native", "choose another name"),
        ("files", "choose another name"),
        ("conformance", "choose another name"),
    ],
)
def test_a_name_that_cannot_be_is_refused(name: str, told: str, tmp_path: Path) -> None:
    """With one that can; names of plugins and packages that are installed are taken. Nothing is made."""
    refused = new(name, "--into", str(tmp_path / "made"))
    assert refused.exit_code
    assert told in refused.output
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is there, even empty; one in a folder that is not; one in a file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for arguments, told in (
        (["demo"], "is there already; name another with --into"),
        (["demo", "--into", "plugin/demo"], "there is no folder plugin"),
        (["demo", "--into", "file/demo"], "there is no folder file"),
        (["demo", "--into", "file"], "is a file"),
        (["demo", "--into", "dangling"], "could not be made"),
    ):
        refused = new(*arguments)
        assert refused.exit_code, arguments
        assert told in refused.output
    assert {"demo", "file", "dangling"} == {path.name for path in tmp_path.iterdir()}
    assert list((tmp_path / "demo").iterdir()) == []


def test_it_says_what_to_do_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the workspace uv does it all; elsewhere one installs it beside the gateway."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plugins").mkdir()
    assert "uv pip install --editable demo" in new("demo").output
    (tmp_path / "uv.lock").touch()
    assert "uv run pytest -n0 plugins/demo" in new("demo", "--into", "plugins/demo").output
    assert {"plugin": "other", "folder": "other"} == json.loads(new("other", "--json").output)
