"""The pytest plugin: imports pytest and what imports no more, since it loads before anything else."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from wardgate_conformance import report
from wardgate_conformance.selection import left_out, not_asked_for

# The cases live in a package, not in a test file; their assertions are to explain themselves all the same.
pytest.register_assert_rewrite("wardgate_conformance")


pytest_addoption = report.pytest_addoption


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marks that ``selection`` uses."""
    config.addinivalue_line("markers", "conformance_needs(*capabilities): for backends that declare all of these")
    config.addinivalue_line("markers", "conformance_lacks(capability): for backends that do not declare it")
    config.addinivalue_line("markers", "conformance_reaches(way): for harnesses that say they have this way")
    report.pytest_configure(config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the cases that the backend's declaration makes pointless; skip what nobody asked to pay for."""
    chosen = list(_chosen(items))
    if len(chosen) < len(items):
        left = {id(item) for item in chosen}
        config.hook.pytest_deselected(items=[item for item in items if id(item) not in left])
        items[:] = chosen


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was asked of services that are paid by the call."""
    for name, calls in config.stash.get(report.CALLS, {}).items():
        terminalreporter.write_line(f"{name}: {calls} calls to its service")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a case, which is a coroutine, on the loop its backend was opened on."""
    runner: Any = pyfuncitem.funcargs.get("conformance_loop")
    if runner is None or not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames  # noqa: SLF001  # as every plugin that runs coroutines does
    runner.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


def _chosen(items: list[pytest.Item]) -> Iterator[pytest.Item]:
    told = set()
    for item in items:
        of: Any = getattr(item, "cls", None)
        reason = not_asked_for(of)
        if left_out(item) or of in told:
            continue
        if reason:
            # One of its cases says why, for all of them.
            told.add(of)
            item.add_marker(pytest.mark.skip(reason=reason))
        yield item
