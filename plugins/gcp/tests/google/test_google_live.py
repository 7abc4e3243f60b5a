"""The suite against Google Secret Manager itself: ``WARDGATE_LIVE_GOOGLE=1``.

The project is in ``WARDGATE_LIVE_GOOGLE_PROJECT``, credentials are the application default ones.
``WARDGATE_LIVE_EMULATED=1`` beside it sends the run to the emulator instead, to see what it costs in calls.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import grpc.aio  # type: ignore[import-untyped]
import pytest
from tests.google.test_google_conforms import GoogleHarness
from wardgate_conformance.live import Calls, LiveConformance, below
from wardgate_gcp.declaration import DECLARATION
from wardgate_gcp.options import Options


class ProjectHarness(GoogleHarness):
    """A project that is not emptied."""

    def __init__(self, project: str, endpoint: str | None) -> None:
        self._options = Options(project=project, endpoint=endpoint, metadata=True)


class TestLiveSecretManager(LiveConformance):
    """In a project, where each test has names of its own."""

    live = "WARDGATE_LIVE_GOOGLE"
    capabilities = below(DECLARATION.capabilities)
    notes = DECLARATION.notes

    @pytest.fixture
    def account(self, request: pytest.FixtureRequest, counted: None) -> ProjectHarness:
        if os.environ.get("WARDGATE_LIVE_EMULATED") == "1":
            return ProjectHarness("p-live", f"http://{request.getfixturevalue('google_emulator')}")
        return ProjectHarness(os.environ["WARDGATE_LIVE_GOOGLE_PROJECT"], None)

    @pytest.fixture(scope="class")
    @classmethod
    def counted(cls, calls: Calls) -> Iterator[None]:
        """Every call that gRPC makes, repeated ones too."""
        with pytest.MonkeyPatch.context() as patch:
            for kind in grpc.aio.UnaryUnaryMultiCallable.__subclasses__():
                patch.setattr(kind, "__call__", _counting(kind.__call__, calls))
            yield


def _counting(call: Any, calls: Calls) -> Any:
    def counted(*args: Any, **named: Any) -> Any:
        calls.add()
        return call(*args, **named)

    return counted
