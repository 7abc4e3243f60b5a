"""The suite over an emulator of Google Secret Manager, reached behind the backend's back by Google's own client."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest
from wardgate.spi.backend import Backend
from wardgate.spi.errors import Gone, WardgateError
from wardgate.spi.path import Path
from wardgate.spi.values import VersionState
from wardgate_conformance.harness import Harness
from wardgate_conformance.suite import BackendConformance
from wardgate_conformance.values import SECRET, document
from wardgate_gcp.backend import BACKEND
from wardgate_gcp.calls import NAMES
from wardgate_gcp.client import Client
from wardgate_gcp.crc32c import crc32c
from wardgate_gcp.declaration import DECLARATION
from wardgate_gcp.options import Options

SYSTEM_CLOCK = SimpleNamespace(now=time.time_ns, monotonic=time.monotonic)


class GoogleHarness(Harness):
    """A project of its own on a running server."""

    def __init__(self, address: str, **options: Any) -> None:
        self._options = Options(endpoint=f"http://{address}", project=f"p-{uuid.uuid4().hex[:12]}", **options)

    def open(self) -> Backend:
        return BACKEND.open(self._options, cast("Any", SimpleNamespace(clock=SYSTEM_CLOCK)))

    async def put(self, path: Path, fields: Mapping[str, str]) -> None:
        name, data = NAMES.name_of(path), json.dumps(fields).encode()
        parent = f"projects/{self._options.project}"
        secret = {"parent": parent, "secret_id": name, "secret": {"replication": {"automatic": {}}}}
        version = {"parent": f"{parent}/secrets/{name}", "payload": {"data": data, "data_crc32c": crc32c(data)}}
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


@pytest.mark.server
class TestGoogle(BackendConformance):
    """Every case that its declaration selects."""

    capabilities = DECLARATION.capabilities

    @pytest.fixture
    def harness(self, google_emulator: str) -> GoogleHarness:
        return GoogleHarness(google_emulator)

    async def test_a_deleted_secret_is_gone(self, backend: Backend, harness: Harness) -> None:
        """As in the suite, but for the time: the service does not tell when a version was disabled."""
        written = await backend.write(SECRET, document(a="b"))
        await backend.delete(SECRET)
        with pytest.raises(Gone) as refused:
            await backend.read(SECRET)
        assert refused.value.info is not None
        assert (written.id, VersionState.DELETED) == (refused.value.info.id, refused.value.info.state)
        assert refused.value.info.deleted_at is None
        assert None is await harness.get(SECRET)
