"""The suite over Parameter Store as moto plays it, reached behind the backend's back through an SDK of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from tests.servers.aws_harness import AwsHarness, text_of
from tests.servers.moto import Moto
from wardgate.spi.path import Path
from wardgate_aws.declaration import STANDARD_PARAMETERS
from wardgate_aws.plugin import PARAMETER_STORE as BACKEND
from wardgate_conformance.suite import BackendConformance, DefaultsConformance

pytestmark = pytest.mark.server


class ParameterHarness(AwsHarness):
    """An emptied store, of which a mount shows what lies below a prefix."""

    def __init__(self, server: Moto, prefix: str = "/", **options: Any) -> None:
        super().__init__(server, BACKEND, "ssm", prefix=prefix, **options)
        self._below = prefix.rstrip("/") + "/"

    async def put(self, path: Path, fields: Mapping[str, str]) -> None:
        self.sdk.put_parameter(Name=self.name(path), Value=text_of(fields), Type="SecureString", Overwrite=True)

    async def get(self, path: Path) -> Mapping[str, str] | None:
        try:
            found = self.sdk.get_parameter(Name=self.name(path), WithDecryption=True)
        except self.sdk.exceptions.ParameterNotFound:
            return None
        fields: Mapping[str, str] = json.loads(found["Parameter"]["Value"])
        return fields

    def name(self, path: Path) -> str:
        """The name a person would give: what is no letter, digit or mark is escaped byte by byte."""
        return self._below + "".join(
            character
            if character.isascii() and (character.isalnum() or character in "/_.-")
            else "".join(f"_x{byte:02X}" for byte in character.encode())
            for character in str(path)
        )


class TestParameterStore(BackendConformance):
    """Every case that the declaration selects, in a part of the hierarchy, under a key of the customer's."""

    kind = BACKEND
    capabilities = STANDARD_PARAMETERS.capabilities
    notes = STANDARD_PARAMETERS.notes
    networked = True
    throttles = True
    authenticates = True

    @pytest.fixture
    def harness(self, moto: Moto) -> Iterator[ParameterHarness]:
        harness = ParameterHarness(moto, prefix="/wardgate/here", kms_key_id="alias/wardgate")
        yield harness
        harness.close()


class TestParameterStoreByDefault(DefaultsConformance):
    """Reads tell neither labels nor the stages of a version."""

    capabilities = STANDARD_PARAMETERS.capabilities
    notes = STANDARD_PARAMETERS.notes

    @pytest.fixture
    def harness(self, moto: Moto) -> Iterator[ParameterHarness]:
        harness = ParameterHarness(moto, metadata=False)
        yield harness
        harness.close()
