"""Which cases hold for which backends: said beside each case, decided from what the backend declares."""

from __future__ import annotations

import pytest


def needs(*capabilities: str) -> pytest.MarkDecorator:
    """This case is for backends that declare all of these."""
    return pytest.mark.conformance_needs(*capabilities)


def lacks(capability: str) -> pytest.MarkDecorator:
    """This case is for backends that do not declare this (of a limit: leave it at 0)."""
    return pytest.mark.conformance_lacks(capability)


def reaches(way: str) -> pytest.MarkDecorator:
    """This case is for test classes that say ``networked`` or ``throttles``: their harness has what it takes."""
    return pytest.mark.conformance_reaches(way)
