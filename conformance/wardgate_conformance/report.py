"""``pytest --wardgate-report PATH``: what each backend declares, and which promises it kept; JSON or Markdown."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from wardgate_conformance.selection import NOT_DECLARED, NOT_RUN, left_out

OUTCOMES = ("passed", "failed", "skipped", NOT_RUN, NOT_DECLARED)
ENDINGS = (".json", ".md")
CALLS = pytest.StashKey[dict[str, int]]()
"""Calls to a vendor's own service, by the backend's name."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the option."""
    parser.getgroup("wardgate").addoption(
        "--wardgate-report", metavar="PATH", help="write what the conformance suite found, as .json or .md"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Keep a report where one is asked for."""
    path = config.getoption("--wardgate-report", None)
    if not path:
        return
    # Workers select by themselves; what they left out is not told to the process that would write the report.
    if config.getoption("numprocesses", None):
        raise pytest.UsageError("--wardgate-report needs all cases in one process: add -n0")
    place = Path(path).absolute()
    if place.suffix not in ENDINGS:
        raise pytest.UsageError(f"--wardgate-report {path}: give a file that ends in .json or in .md")
    if not place.parent.is_dir():
        raise pytest.UsageError(f"--wardgate-report {path}: there is no such folder; make it first")
    config.pluginmanager.register(Report(place), "wardgate-report-writer")


class Report:
    """Gathers while the session runs, and writes when it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._backends: dict[str, dict[str, str]] = {}
        self._promises: dict[str, str] = {}
        self._cases: dict[str, tuple[str, str]] = {}
        self._outcomes: dict[str, str] = {}
        self._counts: dict[tuple[str, str], Counter[str]] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Learn the backends and families, before any case is left out."""
        for item in items:
            backend: Any = getattr(item, "cls", None)
            if getattr(backend, "capabilities", None) is None or not isinstance(item, pytest.Function):
                continue
            family = next(base for base in backend.__mro__ if item.originalname in vars(base))
            name = backend.__name__.removeprefix("Test")
            self._backends.setdefault(name, _declared(backend))
            self._promises.setdefault(family.__name__, (inspect.getdoc(family) or "").partition("\n")[0])
            self._cases[item.nodeid] = (name, family.__name__)

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Note what a declaration leaves out, and what could not be run here."""
        for item in items:
            self._outcomes[item.nodeid] = left_out(item) or NOT_RUN

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a case once: as failed where any of its three phases did."""
        if report.outcome == "failed":
            self._outcomes[report.nodeid] = "failed"
        elif report.when == "call" or report.outcome == "skipped":
            self._outcomes.setdefault(report.nodeid, report.outcome)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the file."""
        for nodeid, outcome in self._outcomes.items():
            if nodeid in self._cases:
                self._counts.setdefault(self._cases[nodeid], Counter())[outcome] += 1
        for name, calls in session.config.stash.get(CALLS, {}).items():
            if name in self._backends:
                self._backends[name]["calls"] = str(calls)
        text = self._json() if self._path.suffix == ".json" else self._markdown()
        self._path.write_text(text, encoding="utf-8")

    def _json(self) -> str:
        backends = {
            name: {
                "capabilities": declared,
                "promises": {
                    family: {outcome: self._counts.get((name, family), Counter())[outcome] for outcome in OUTCOMES}
                    for family in self._promises
                },
            }
            for name, declared in self._backends.items()
        }
        return json.dumps({"promises": self._promises, "backends": backends}, indent=2, ensure_ascii=False) + "\n"

    def _markdown(self) -> str:
        names = list(self._backends)
        capabilities = list(dict.fromkeys(key for declared in self._backends.values() for key in declared))
        lines = ["# Conformance", "", *_table("Capability", names)]
        lines += [_row(key, [self._backends[name].get(key, "") for name in names]) for key in capabilities]
        lines += ["", "Cases passed / failed; what was not run is said, and proves nothing.", ""]
        lines += _table("Promise", names)
        for family, promise in self._promises.items():
            cells = [_cell(self._counts.get((name, family), Counter())) for name in names]
            lines.append(_row(f"{family}: {promise}", cells))
        return "\n".join([*lines, ""])


def _declared(backend: Any) -> dict[str, str]:
    told = {}
    for field in dataclasses.fields(backend.capabilities):
        value = getattr(backend.capabilities, field.name)
        told[field.name] = str(value) if not isinstance(value, bool) else "yes" if value else "no"
    return told


def _cell(count: Counter[str]) -> str:
    not_run = count["skipped"] + count[NOT_RUN]
    if count["passed"] + count["failed"]:
        return f"{count['passed']} / {count['failed']}" + (f", {not_run} {NOT_RUN}" if not_run else "")
    return NOT_RUN if not_run or not count else NOT_DECLARED


def _table(first: str, names: list[str]) -> list[str]:
    return [_row(first, names), _row("---", ["---"] * len(names))]


def _row(first: str, cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in (first, *cells)) + " |"
