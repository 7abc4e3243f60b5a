"""The pytest plugin: imports pytest and what imports no more, since it loads before anything else."""

from __future__ import annotations

import inspect
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
    chosen = [item for item in items if not left_out(item)]
    if len(chosen) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if left_out(item)])
        items[:] = chosen
    for item in chosen:
        if reason := not_asked_for(getattr(item, "cls", None)):
            item.add_marker(pytest.mark.skip(reason=reason))


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
