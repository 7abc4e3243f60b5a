"""A live run is asked for, counted, kept to its own folder, and cleaned up after; else nothing is called a success."""

from __future__ import annotations

import json
from typing import Any

import pytest
from wardgate.spi.backend import Backend
from wardgate_conformance.live import Below

AUTHOR = """
import dataclasses
import os

import pytest
from wardgate.spi.errors import Unavailable, Unsupported
from wardgate.spi.path import Path
from wardgate.spi.values import Value
from wardgate_conformance.live import LiveConformance, below
from wardgate_conformance.reference import EVERYTHING, Reference, Store
from tests.test_reference_conforms import ReferenceHarness

STORE = Store()


class Account(Reference):
    capabilities = dataclasses.replace(EVERYTHING, mount_settings=False)

    async def annotate(self, path, **named):
        if not self._store.secrets.keys() & {path} and len(path.segments) < 2:
            raise Unsupported("the root has no settings")
        await super().annotate(path, **named)

    async def read(self, path, *, version=None):
        Account.calls.add()
        return await super().read(path, version=version)


    async def destroy(self, path, *, versions=None):
        if versions is None and "WARDGATE_TEST_STUCK" in os.environ:
            raise Unavailable("the store does not answer")
        await super().destroy(path, versions=versions)


class AccountHarness(ReferenceHarness):
    kind = Account

    def __init__(self):
        self._store = STORE


class TestAccount(LiveConformance):
    live = "WARDGATE_LIVE_REFERENCE"
    capabilities = below(Account.capabilities)

    @pytest.fixture
    def account(self, calls):
        Account.calls = calls
        return AccountHarness()


@pytest.fixture(scope="session", autouse=True)
def somebody_else_s():
    import asyncio
    path = Path.parse("somebody/else-s")
    asyncio.run(Reference(STORE).write(path, Value(b"x")))
    yield
    if "WARDGATE_TEST_STUCK" in os.environ:
        return
    assert list(STORE.secrets) == [path], "all that was made is gone, and nothing else"
"""


def test_what_a_test_sees_forwards_every_question() -> None:
    """One that it forgot would be answered by the interface's own default, and pass."""
    assert {name for name in vars(Backend) if not name.startswith("_")} - {*vars(Below)} == {"notes"}


def run(pytester: pytest.Pytester, *more: str) -> tuple[pytest.RunResult, dict[str, Any]]:
    pytester.makepyfile(AUTHOR)
    result = pytester.runpytest(
        "-p", "no:cacheprovider", "-q", "-rs", "-W", "error", "--wardgate-report", "out.json", *more
    )
    told = json.loads((pytester.path / "out.json").read_text())["backends"].get("Account", {})
    return result, told


def counted(told: dict[str, Any], outcome: str) -> int:
    return sum(counts[outcome] for counts in told["promises"].values())


def test_a_live_run_is_counted_and_cleaned_up(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every case passes beside what is somebody else's, and the run says what it cost."""
    monkeypatch.setenv("WARDGATE_LIVE_REFERENCE", "1")
    result, told = run(pytester)
    outcomes = result.parseoutcomes()
    assert (outcomes.get("failed", 0), outcomes.get("errors", 0)) == (0, 0)
    assert outcomes["passed"] == counted(told, "passed") > 100
    cost = int(told["capabilities"]["calls"])
    assert cost > 100
    result.stdout.fnmatch_lines([f"Account: {cost} calls to its service"])


def test_nobody_pays_without_asking(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A skip says why, once for the class; none of its cases is called passed."""
    monkeypatch.delenv("WARDGATE_LIVE_REFERENCE", raising=False)
    monkeypatch.delenv("CI", raising=False)
    result, told = run(pytester)
    assert set(result.parseoutcomes()) == {"skipped", "deselected"}
    assert (counted(told, "passed"), counted(told, "skipped")) == (0, 1)
    assert counted(told, "not run") > 100
    result.stdout.fnmatch_lines(["*set WARDGATE_LIVE_REFERENCE=1 to spend calls at the vendor"])


def test_a_build_skips_nothing(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody has credentials the cases are not there at all; the report calls them not run."""
    monkeypatch.delenv("WARDGATE_LIVE_REFERENCE", raising=False)
    monkeypatch.setenv("CI", "true")
    result, told = run(pytester)
    assert set(result.parseoutcomes()) == {"deselected"}
    assert counted(told, "passed") == counted(told, "skipped") == 0 < counted(told, "not run")


def test_what_is_left_behind_is_no_success(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The case passed, and its end is an error that names the folder."""
    monkeypatch.setenv("WARDGATE_LIVE_REFERENCE", "1")
    monkeypatch.setenv("WARDGATE_TEST_STUCK", "1")
    result, told = run(pytester, "-k", "test_a_second_write_replaces_the_first")
    assert (result.parseoutcomes()["errors"], counted(told, "failed"), counted(told, "passed")) == (1, 1, 0)
    result.stdout.fnmatch_lines(["*1 secrets are left in wardgate-*"])
