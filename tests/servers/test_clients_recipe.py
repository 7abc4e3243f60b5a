"""The recipe of the clients: what is said where one cannot be built, and what makes it be built anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers import clients
from tests.servers.clients import ALL, SOURCES
from tests.servers.programs import CannotBuild


@pytest.mark.parametrize("name", ALL)
def test_without_its_toolchain_the_reason_is_said(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person learns what is missing and where to get it; nothing half made is taken for built."""
    monkeypatch.setenv("WARDGATE_SERVERS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    for _ in range(2):
        with pytest.raises(CannotBuild, match=f"'{ALL[name].needs[0]}'; install"):
            clients.built(name)


@pytest.mark.parametrize(("ci", "outcome"), [("true", "failed"), ("", "skipped")])
def test_without_a_toolchain_tests_skip_and_under_ci_they_fail(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ci: str, outcome: str
) -> None:
    """As with servers."""
    monkeypatch.setenv("WARDGATE_SERVERS_CACHE", str(pytester.path))
    monkeypatch.setenv("PATH", str(pytester.path))
    monkeypatch.setenv("CI", ci)
    pytester.makepyfile(
        "import pytest\n"
        "@pytest.mark.parametrize('built_client', ['node'], indirect=True)\n"
        "def test_needs_a_client(built_client): pass\n"
    )
    result = pytester.inline_run("-p", "tests.servers.fixtures", "-p", "no:cacheprovider")
    (report,) = [report for report in result.getreports("pytest_runtest_logreport") if report.when == "setup"]
    assert outcome == report.outcome
    assert "install Node.js" in str(report.longrepr)


def test_each_folder_of_sources_is_a_client_and_is_pinned() -> None:
    """None is left lying about, and a build today is the build of tomorrow."""
    folders = {folder.name for folder in SOURCES.iterdir() if folder.is_dir()}
    assert {client.name for client in ALL.values() if client.source} == folders
    locks = {"go": "go.sum", "node": "package-lock.json", "java": "pom.xml", "rust": "Cargo.lock"}
    assert locks.keys() == folders
    assert [] == [name for name, lock in locks.items() if not (SOURCES / name / lock).is_file()]
