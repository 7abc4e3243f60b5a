"""The pytest plugin: imports pytest and its own report alone, since it loads before anything else."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from wardgate_conformance import report

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
    """Leave out the cases that the backend's declaration makes pointless."""
    chosen = [item for item in items if _holds(item)]
    if len(chosen) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if not _holds(item)])
        items[:] = chosen


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a case, which is a coroutine, on the loop its backend was opened on."""
    runner: Any = pyfuncitem.funcargs.get("conformance_loop")
    if runner is None or not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames  # noqa: SLF001  # as every plugin that runs coroutines does
    runner.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


def _holds(item: pytest.Item) -> bool:
    declared: Any = getattr(getattr(item, "cls", None), "capabilities", None)
    needed = [name for mark in item.iter_markers("conformance_needs") for name in mark.args]
    lacking = [name for mark in item.iter_markers("conformance_lacks") for name in mark.args]
    ways = [name for mark in item.iter_markers("conformance_reaches") for name in mark.args]
    return declared is None or (
        all(getattr(item.cls, way, False) for way in ways)  # type: ignore[attr-defined]  # only functions have marks
        and all(getattr(declared, name) for name in needed)
        and not any(getattr(declared, name) for name in lacking)
    )
