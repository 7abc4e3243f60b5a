"""The REST front-end over a scripted gateway."""

from __future__ import annotations

import pytest
from wardgate_native.api.frontend import RestFrontend

from tests.support.scripted import Request, Scripted, requests_to


@pytest.fixture
def gateway() -> Scripted:
    """The gateway behind ``rest``."""
    return Scripted()


@pytest.fixture
def rest(gateway: Scripted) -> Request:
    """``rest("GET", "/api/v1/...", body, headers)``: send one request; what is not bytes is sent as JSON."""
    return requests_to(RestFrontend(gateway))
