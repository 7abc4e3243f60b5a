"""The suite over moto, reached behind the backend's back through an SDK client of its own."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, cast

import boto3  # type: ignore[import-untyped]
import pytest
from tests.servers.moto import Moto
from wardgate.spi.backend import Backend
from wardgate.spi.errors import Gone
from wardgate.spi.path import Path
from wardgate_aws.backend import BACKEND, NAMES, Options
from wardgate_aws.declaration import DECLARATION
from wardgate_aws.errors import of_answer
from wardgate_conformance.harness import Harness
from wardgate_conformance.suite import BackendConformance

pytestmark = pytest.mark.server
SYSTEM_CLOCK = SimpleNamespace(now=time.time_ns, monotonic=time.monotonic)
REGION = "eu-central-1"


class SecretsManagerHarness(Harness):
    """An emptied store."""

    def __init__(self, server: Moto) -> None:
        server.reset()
        self._server = server
        self._client = boto3.client("secretsmanager", region_name=REGION, endpoint_url=server.endpoint)

    def open(self) -> Backend:
        options = Options(region=REGION, endpoint=self._server.endpoint, metadata=True)
        return BACKEND.open(options, cast("Any", SimpleNamespace(clock=SYSTEM_CLOCK)))

    async def put(self, path: Path, fields: Mapping[str, str]) -> None:
        name, text = NAMES.name_of(path), json.dumps(fields)
        try:
            self._client.create_secret(Name=name, SecretString=text)
        except self._client.exceptions.ResourceExistsException:
            self._client.put_secret_value(SecretId=name, SecretString=text)

    async def get(self, path: Path) -> Mapping[str, str] | None:
        refused = (
            self._client.exceptions.ResourceNotFoundException,
            self._client.exceptions.InvalidRequestException,
        )
        try:
            found = self._client.get_secret_value(SecretId=NAMES.name_of(path), VersionStage="AWSCURRENT")
        except refused:
            return None
        fields: dict[str, str] = json.loads(found["SecretString"])
        return fields

    def close(self) -> None:
        self._client.close()


class TestSecretsManager(BackendConformance):
    """Every case that its declaration selects."""

    capabilities = DECLARATION.capabilities

    async def test_a_deleted_secret_is_not_written_over(self, backend: Backend) -> None:
        """The emulator writes over it; AWS refuses in these words, which are understood."""
        words = "You can't perform this operation on the secret because it was marked for deletion."
        assert isinstance(of_answer("InvalidRequestException", words, 400, mutates=True), Gone)

    @pytest.fixture
    def harness(self, moto: Moto) -> Iterator[SecretsManagerHarness]:
        harness = SecretsManagerHarness(moto)
        yield harness
        harness.close()
