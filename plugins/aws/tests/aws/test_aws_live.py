"""The suite against AWS itself, in eu-central-1: ``WARDGATE_LIVE_AWS=1``, with credentials where the SDK looks.

``WARDGATE_LIVE_EMULATED=1`` beside it sends it to the emulator instead, to see what a run costs in calls.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import boto3  # type: ignore[import-untyped]
import botocore  # type: ignore[import-untyped]
import pytest
from tests.aws.test_aws_parameter_store_conforms import ParameterHarness
from tests.aws.test_aws_secrets_manager_conforms import SecretsManagerHarness
from wardgate_aws.declaration import SECRETS_MANAGER, STANDARD_PARAMETERS
from wardgate_conformance.live import Calls, LiveConformance, below


class Account:
    """In the place of the emulator: it is not emptied."""

    port = 443

    def __init__(self, endpoint: str | None) -> None:
        self.endpoint = endpoint

    def reset(self) -> None:
        """Nothing: the account is somebody's."""


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Any:
    """AWS, or the emulator."""
    emulated = os.environ.get("WARDGATE_LIVE_EMULATED") == "1"
    return Account(request.getfixturevalue("moto").endpoint if emulated else None)


@pytest.fixture
def _at_once() -> None:
    """Over a service that throttles the SDK waits between its attempts, as it does for everybody."""


@pytest.fixture(scope="class")
def counted(calls: Calls) -> Iterator[None]:
    """Every request of every SDK session that begins meanwhile, its repetitions included."""

    def watched(session: Any) -> None:
        session.register("before-send", lambda **_: calls.add())

    botocore.register_initializer(watched)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        yield
    botocore.unregister_initializer(watched)


class TestLiveSecretsManager(LiveConformance):
    """In an account, where each test has names of its own."""

    live = "WARDGATE_LIVE_AWS"
    capabilities = below(SECRETS_MANAGER.capabilities)
    notes = SECRETS_MANAGER.notes

    @pytest.fixture
    def account(self, counted: None, place: Any) -> Iterator[SecretsManagerHarness]:
        harness = SecretsManagerHarness(place)
        yield harness
        harness.close()


class TestLiveParameterStore(LiveConformance):
    """In an account, where each test has a part of the hierarchy."""

    live = "WARDGATE_LIVE_AWS"
    capabilities = below(STANDARD_PARAMETERS.capabilities)
    notes = STANDARD_PARAMETERS.notes

    @pytest.fixture
    def account(self, counted: None, place: Any) -> Iterator[ParameterHarness]:
        harness = ParameterHarness(place)
        yield harness
        harness.close()
