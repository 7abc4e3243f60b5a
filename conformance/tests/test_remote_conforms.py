"""The suite over a store on a network: the smallest there is, made to fail by the proxy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.remote import Remote, RemoteHarness, serving
from wardgate_conformance.suite import BackendConformance


class TestRemote(BackendConformance):
    """Reading, writing, listing and deleting, and every way to fail."""

    capabilities = Remote.capabilities
    networked = True
    throttles = True

    @pytest.fixture
    def harness(self) -> Iterator[RemoteHarness]:
        with serving() as server:
            yield RemoteHarness(server)
