"""The suite over Parameter Store as moto plays it, reached behind the backend's back with the SDK itself."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
from moto.server import ThreadedMotoServer
from wardgate.spi.backend import Backend
from wardgate.spi.errors import TooLarge
from wardgate.spi.path import Path
from wardgate.spi.values import Value
from wardgate_aws.parameter_store import ADVANCED, BACKEND, STANDARD, ParameterStoreOptions
from wardgate_conformance.harness import Harness
from wardgate_conformance.suite import BackendConformance
from wardgate_conformance.values import SECRET

REGION = "eu-north-1"
SERVICES: Any = SimpleNamespace(clock=SimpleNamespace(now=time.time_ns, monotonic=time.monotonic))
pytestmark = [pytest.mark.server, pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A server of moto's on a port of its own."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the SDK's chain finds: moto takes anything."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


class ParameterHarness(Harness):
    """One region, emptied; a mount of its parameters below a prefix."""

    def __init__(self, endpoint: str, **options: Any) -> None:
        self.options = ParameterStoreOptions(region=REGION, endpoint=endpoint, metadata=True, **options)
        self.ssm = boto3.client("ssm", region_name=REGION, endpoint_url=endpoint)
        for page in self.ssm.get_paginator("describe_parameters").paginate():
            for held in page["Parameters"]:
                self.ssm.delete_parameter(Name=held["Name"])

    def open(self) -> Backend:
        return BACKEND.open(self.options, SERVICES)

    async def put(self, path: Path, fields: Mapping[str, str]) -> None:
        self.ssm.put_parameter(
            Name=self.name(path), Value=json.dumps(fields, ensure_ascii=False), Type="SecureString", Overwrite=True
        )

    async def get(self, path: Path) -> Mapping[str, str] | None:
        try:
            found = self.ssm.get_parameter(Name=self.name(path), WithDecryption=True)
        except self.ssm.exceptions.ParameterNotFound:
            return None
        fields: Mapping[str, str] = json.loads(found["Parameter"]["Value"])
        return fields

    def name(self, path: Path) -> str:
        """The name a person would give: what is no letter, digit or mark is escaped byte by byte."""
        plain = "".join(
            character
            if character.isascii() and (character.isalnum() or character in "/_.-")
            else "".join(f"_x{byte:02X}" for byte in character.encode())
            for character in str(path)
        )
        return self.options.prefix.rstrip("/") + "/" + plain


class TestStandard(BackendConformance):
    """Every case that the standard tier's declaration selects, over the whole hierarchy."""

    capabilities = STANDARD.capabilities

    @pytest.fixture
    def harness(self, endpoint: str) -> ParameterHarness:
        return ParameterHarness(endpoint)

    async def test_the_largest_value_declared_fits(self, backend: Backend) -> None:
        """Text fits to the byte; bytes, which travel as base64, fit to three quarters of it, and are refused beyond."""
        most = backend.capabilities.max_value_bytes
        for value in (Value(b"\x01" * most), Value(b'"' * most), Value(b"\xff" * ((most - 80) // 4 * 3))):
            await backend.write(SECRET, value)
            assert value.data == (await backend.read(SECRET)).value.data
        for data in (b"x" * (most + 1), "ü".encode() * (most // 2 + 1), b"\xff" * most):
            with pytest.raises(TooLarge):
                await backend.write(SECRET, Value(data))


class TestAdvancedBelowAPrefix(TestStandard):
    """The same for the advanced tier, in a part of the hierarchy, under a key of the customer's."""

    capabilities = ADVANCED.capabilities

    @pytest.fixture
    def harness(self, endpoint: str) -> ParameterHarness:
        return ParameterHarness(endpoint, prefix="/wardgate/here", tier="Advanced", kms_key_id="alias/wardgate")
