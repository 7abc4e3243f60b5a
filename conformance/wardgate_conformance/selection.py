"""Which cases hold for which backends: said beside each case, decided from what the backend declares."""

from __future__ import annotations

import os
from typing import Any

import pytest

NOT_DECLARED = "not declared"
NOT_RUN = "not run"


def needs(*capabilities: str) -> pytest.MarkDecorator:
    """This case is for backends that declare all of these."""
    return pytest.mark.conformance_needs(*capabilities)


def lacks(capability: str) -> pytest.MarkDecorator:
    """This case is for backends that do not declare this (of a limit: leave it at 0)."""
    return pytest.mark.conformance_lacks(capability)


def reaches(way: str) -> pytest.MarkDecorator:
    """This case is for test classes that say so, such as ``networked``: their harness has what it takes."""
    return pytest.mark.conformance_reaches(way)


def left_out(item: pytest.Item) -> str:
    """Why a case is not for its backend, or could not be run here; empty where it is to be run."""
    of: Any = getattr(item, "cls", None)
    declared = getattr(of, "capabilities", None)
    if declared is None:
        return ""
    needed = [name for mark in item.iter_markers("conformance_needs") for name in mark.args]
    lacking = [name for mark in item.iter_markers("conformance_lacks") for name in mark.args]
    ways = [name for mark in item.iter_markers("conformance_reaches") for name in mark.args]
    if not all(getattr(declared, name) for name in needed) or any(getattr(declared, name) for name in lacking):
        return NOT_DECLARED
    # A build that everybody starts has nobody's credentials: there nothing is skipped, it is not there.
    away = not_asked_for(of) and os.environ.get("CI") == "true"
    return "" if all(getattr(of, way, False) for way in ways) and not away else NOT_RUN


def not_asked_for(of: Any) -> str:
    """Why a test class that speaks to a vendor's own service is not run; empty where it is, or is none."""
    switch = getattr(of, "live", "")
    return f"set {switch}=1 to spend calls at the vendor" if switch and os.environ.get(switch) != "1" else ""
