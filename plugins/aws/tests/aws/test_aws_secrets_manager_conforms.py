"""The suite over Secrets Manager as moto plays it, reached behind the backend's back through an SDK of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from tests.servers.aws_harness import AwsHarness, text_of
from tests.servers.moto import Moto
from wardgate.spi.path import Path
from wardgate_aws.declaration import SECRETS_MANAGER
from wardgate_aws.names import NAMES
from wardgate_aws.plugin import SECRETS_MANAGER as BACKEND
from wardgate_conformance.suite import BackendConformance, DefaultsConformance

pytestmark = pytest.mark.server


class SecretsManagerHarness(AwsHarness):
    """An emptied store."""

    def __init__(self, server: Moto, **options: Any) -> None:
        super().__init__(server, BACKEND, "secretsmanager", **options)

    async def put(self, path: Path, fields: Mapping[str, str]) -> None:
        name, text = NAMES.name_of(path), text_of(fields)
        try:
            self.sdk.create_secret(Name=name, SecretString=text)
        except self.sdk.exceptions.ResourceExistsException:
            self.sdk.put_secret_value(SecretId=name, SecretString=text)

    async def get(self, path: Path) -> Mapping[str, str] | None:
        refused = (self.sdk.exceptions.ResourceNotFoundException, self.sdk.exceptions.InvalidRequestException)
        try:
            found = self.sdk.get_secret_value(SecretId=NAMES.name_of(path))
        except refused:
            return None
        fields: dict[str, str] = json.loads(found["SecretString"])
        return fields


class TestSecretsManager(BackendConformance):
    """Every case that its declaration selects."""

    kind = BACKEND
    capabilities = SECRETS_MANAGER.capabilities
    notes = SECRETS_MANAGER.notes
    networked = True
    throttles = True
    authenticates = True

    @pytest.fixture
    def harness(self, moto: Moto) -> Iterator[SecretsManagerHarness]:
        harness = SecretsManagerHarness(moto)
        yield harness
        harness.close()


class TestSecretsManagerByDefault(DefaultsConformance):
    """Reads tell no labels."""

    capabilities = SECRETS_MANAGER.capabilities
    notes = SECRETS_MANAGER.notes

    @pytest.fixture
    def harness(self, moto: Moto) -> Iterator[SecretsManagerHarness]:
        harness = SecretsManagerHarness(moto, metadata=False)
        yield harness
        harness.close()
