"""The suite over an emulator of Google Secret Manager, reached behind the backend's back by Google's own client."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from types import SimpleNamespace
from typing import Any, cast

import grpc  # type: ignore[import-untyped]
import pytest
from tests.servers.google_answers import answering, refusing, throttling
from wardgate.spi.backend import Backend
from wardgate.spi.errors import WardgateError
from wardgate.spi.path import Path
from wardgate_conformance.harness import Harness
from wardgate_conformance.suite import BackendConformance, DefaultsConformance
from wardgate_gcp.client import Client
from wardgate_gcp.declaration import DECLARATION
from wardgate_gcp.names import NAMES
from wardgate_gcp.options import Options
from wardgate_gcp.plugin import BACKEND

SYSTEM_CLOCK = SimpleNamespace(now=time.time_ns, monotonic=time.monotonic)


class GoogleHarness(Harness):
    """A project of its own on a running server."""

    def __init__(self, address: str, **options: Any) -> None:
        self._address = address
        named: dict[str, Any] = {
            "endpoint": f"http://{address}",
            "project": f"p-{uuid.uuid4().hex[:12]}",
            "metadata": True,
        }
        self._options = Options(**(named | options))

    def open(self) -> Backend:
        return _opened(self._options)

    def address(self) -> tuple[str, int]:
        host, _, port = self._address.rpartition(":")
        return host, int(port)

    def open_at(self, host: str, port: int) -> Backend:
        return _opened(dataclasses.replace(self._options, endpoint=f"http://{host}:{port}", timeout=1.5))

    def throttling(self, retry_after: int) -> AbstractContextManager[tuple[str, int]]:
        return throttling(retry_after)

    @contextlib.contextmanager
    def another_server(self) -> Iterator[tuple[str, int]]:
        """One that speaks gRPC, so that what it says reaches the client."""
        with answering(lambda *_: b"<html>Sign in</html>") as service:
            yield "127.0.0.1", service.port

    @contextlib.contextmanager
    def refused(self) -> Iterator[Backend]:
        """The emulator takes any credential, so another server takes its place."""
        with answering(refusing(grpc.StatusCode.UNAUTHENTICATED)) as service:
            yield _opened(dataclasses.replace(self._options, endpoint=f"http://127.0.0.1:{service.port}"))

    async def put(self, path: Path, fields: Mapping[str, str]) -> None:
        name, data = NAMES.name_of(path), json.dumps(fields).encode()
        parent = f"projects/{self._options.project}"
        secret = {"parent": parent, "secret_id": name, "secret": {"replication": {"automatic": {}}}}
        version = {"parent": f"{parent}/secrets/{name}", "payload": {"data": data}}
        client = Client(self._options)
        await asyncio.gather(client.ask("create_secret", secret, mutates=True), return_exceptions=True)
        await client.ask("add_secret_version", version, mutates=True)
        await client.close()

    async def get(self, path: Path) -> Mapping[str, str] | None:
        name = f"projects/{self._options.project}/secrets/{NAMES.name_of(path)}/versions/latest"
        client = Client(self._options)
        try:
            answer = await client.ask("access_secret_version", {"name": name})
        except WardgateError:
            return None
        finally:
            await client.close()
        fields: dict[str, str] = json.loads(answer.payload.data)
        return fields


def _opened(options: Options) -> Backend:
    return BACKEND.open(options, cast("Any", SimpleNamespace(clock=SYSTEM_CLOCK)))


class TestGoogle(BackendConformance):
    """Every case that its declaration selects."""

    kind = BACKEND
    capabilities = DECLARATION.capabilities
    notes = DECLARATION.notes
    networked = True
    throttles = True
    authenticates = True
    one_at_a_time = False

    @pytest.fixture
    def harness(self, google_emulator: str) -> GoogleHarness:
        return GoogleHarness(google_emulator)


class TestGoogleByDefault(DefaultsConformance):
    """Reads tell neither labels nor times, nor the stages of a version."""

    capabilities = DECLARATION.capabilities
    notes = DECLARATION.notes

    @pytest.fixture
    def harness(self, google_emulator: str) -> GoogleHarness:
        return GoogleHarness(google_emulator, metadata=False)
