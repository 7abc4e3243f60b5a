"""What is built for tests: once, before them, and with the reason said where it cannot be."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.servers.programs import CannotBuild, go_binary


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to build from, with an empty cache and nothing to build with."""
    folder = tmp_path / "module"
    folder.mkdir()
    (folder / "go.mod").write_text("module example")
    monkeypatch.setenv("WARDGATE_SERVERS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    return folder


def put_go(folder: Path, then: str) -> None:
    """A compiler that tells of each run; ``$8`` is where the result belongs."""
    go = folder / "go"
    go.write_text(f"#!/bin/sh\necho ran >> {folder}/runs\n{then}\n")
    go.chmod(0o700)


def test_without_go_the_reason_is_said(module: Path) -> None:
    """A machine without the toolchain learns what is missing."""
    with pytest.raises(CannotBuild, match=r"example-1 is built with Go.*install Go"):
        go_binary("example-1", module, "command")


def test_workers_that_begin_together_build_once(module: Path, tmp_path: Path) -> None:
    """One does, the others wait for it; and what is built anew is what changed."""
    put_go(tmp_path, 'echo built > "$8"')
    with ThreadPoolExecutor(8) as pool:
        binaries = set(pool.map(lambda _: go_binary("example", module, "command"), range(8)))
    (binary,) = binaries
    assert ("built\n", "ran\n") == (binary.read_text(), (tmp_path / "runs").read_text())
    (module / "main.go").write_text("package main")
    assert binary != go_binary("example", module, "command")


def test_what_could_not_be_built_is_not_taken_for_built(module: Path, tmp_path: Path) -> None:
    """Though the compiler left something behind; the next one tries again."""
    put_go(tmp_path, 'echo half > "$8"; echo no such package >&2; exit 1')
    for _ in range(2):
        with pytest.raises(CannotBuild, match="no such package"):
            go_binary("example", module, "command")
    assert (tmp_path / "runs").read_text() == "ran\nran\n"


def test_a_plugin_s_server_is_built_before_the_first_test(pytester: pytest.Pytester) -> None:
    """Whatever time that takes is no test's; and what needs a server is marked."""
    pytester.makeconftest(
        "import pytest\nfrom tests.servers import fixtures\n"
        "built = []\n"
        "fixtures.BUILDS['example_server'] = lambda: built.append('once')\n"
        "@pytest.fixture\ndef example_server(): return built\n"
        "@pytest.fixture\ndef so_far(): return built\n"
    )
    pytester.makepyfile(
        "def test_before(so_far): assert so_far == ['once']\n"
        "def test_needs_it(example_server, request): assert request.node.get_closest_marker('server')\n"
    )
    pytester.makeini("[pytest]\nmarkers =\n    server: as here")
    pytester.inline_run("-p", "tests.servers.fixtures", "-p", "no:cacheprovider").assertoutcome(passed=2)
