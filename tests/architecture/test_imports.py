"""Who may import whom."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(path.parent.name for path in ROOT.glob("plugins/*/wardgate_*/__init__.py"))
PACKAGES = ("wardgate", *PLUGINS, "wardgate_conformance")
INTERFACE = "wardgate.spi"


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, include_external_packages=True, cache_dir=None)


def importers_of(external: str) -> set[str]:
    return graph().find_modules_that_directly_import(external) if external in graph().modules else set()


def test_import_contracts_are_kept() -> None:
    """The contract of pyproject.toml holds: layers never import one another."""
    # In a process of its own: in this one it would silence the loggers of every test that follows.
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_plugin_interface_imports_nothing_else_of_the_gateway() -> None:
    """What a plugin's author imports drags in no other room."""
    modules = {INTERFACE} | graph().find_descendants(INTERFACE)
    imported = {found for module in modules for found in graph().find_modules_directly_imported_by(module)}
    assert set() == {name for name in imported if name.startswith("wardgate")} - modules - {"wardgate"}


def test_the_gateway_knows_no_plugin() -> None:
    """Nor the suite that plugins are held to: it loads what its operator names, by entry point."""
    modules = {"wardgate"} | graph().find_descendants("wardgate")
    imported = {found for module in modules for found in graph().find_modules_directly_imported_by(module)}
    assert PLUGINS
    assert set() == {name for name in imported if name.split(".")[0] in {*PLUGINS, "wardgate_conformance"}}


@pytest.mark.parametrize("package", [*PLUGINS, "wardgate_conformance"])
def test_plugins_see_the_plugin_interface_alone(package: str) -> None:
    """A plugin could be a stranger's: it imports wardgate.spi, its own package, and no other plugin."""
    modules = {package} | graph().find_descendants(package)
    imported = {found for module in modules for found in graph().find_modules_directly_imported_by(module)}
    ours = {name for name in imported if name.split(".")[0] in PACKAGES}
    assert set() == {name for name in ours - modules if not (name == INTERFACE or name.startswith(INTERFACE + "."))}


@pytest.mark.parametrize(
    ("library", "room"),
    [
        ("casbin", "wardgate.pipeline.authorize"),
        ("hvac", "wardgate_vault"),
        ("uvicorn", "wardgate.server"),
        ("opentelemetry", "wardgate.telemetry"),
        ("prometheus_client", "wardgate.telemetry"),
    ],
)
def test_a_library_of_one_room_stays_there(library: str, room: str) -> None:
    """Each of these libraries is known to one room, so that it can be replaced there; casbin even to one file."""
    importers = importers_of(library)
    assert importers, f"nobody imports {library}: this check is blind"
    assert {name for name in importers if not name.startswith(room)} == set()
    if library == "casbin":
        assert 1 == len(importers)
