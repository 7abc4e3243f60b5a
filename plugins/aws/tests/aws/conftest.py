"""What the tests of the AWS stores share: one emulator, and an SDK that does not wait between its attempts."""

from __future__ import annotations

import pytest
from botocore.retries.standard import ExponentialBackoff  # type: ignore[import-untyped]
from tests.servers.moto import moto

__all__ = ["moto"]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long the SDK waits before it tries again is its vendor's affair."""
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0.0)


@pytest.fixture
def some_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the SDK's chain finds: the endpoint takes anything."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
