"""The suite over a real OpenBao, reached behind the backend's back through its plain HTTP API."""

from __future__ import annotations

import contextlib
import time
import urllib.error
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import quote, urlsplit

import pytest
from wardgate.spi.backend import Backend
from wardgate.spi.path import Path
from wardgate_conformance.harness import Harness
from wardgate_conformance.suite import BackendConformance
from wardgate_vault.declaration import KV_TWO as DECLARATION
from wardgate_vault.options import Options
from wardgate_vault.plugin import BACKEND

from tests.servers.openbao import OpenBao

SYSTEM_CLOCK = SimpleNamespace(now=time.time_ns, monotonic=time.monotonic)


class VaultHarness(Harness):
    """A fresh KV version 2 mount of a running server."""

    def __init__(self, server: OpenBao) -> None:
        self._server = server
        self._mount = server.new_mount()

    def open(self) -> Backend:
        return self._open(self._server.address)

    def address(self) -> tuple[str, int]:
        parts = urlsplit(self._server.address)
        return str(parts.hostname), int(parts.port or 0)

    def open_at(self, host: str, port: int) -> Backend:
        return self._open(f"http://{host}:{port}", timeout=1.0)

    @contextlib.contextmanager
    def refused(self) -> Iterator[Backend]:
        yield self._open(self._server.address, token="nobody-s")

    def _open(self, address: str, **more: Any) -> Backend:
        given: dict[str, Any] = {"token": self._server.token, **more}
        options = Options(address=address, mount=self._mount, **given)
        return BACKEND.open(options, cast("Any", SimpleNamespace(clock=SYSTEM_CLOCK)))

    async def put(self, path: Path, fields: Mapping[str, str]) -> None:
        self._server.call("POST", f"{self._mount}/data/{quote(str(path))}", {"data": fields})

    async def get(self, path: Path) -> Mapping[str, str] | None:
        try:
            answer = self._server.call("GET", f"{self._mount}/data/{quote(str(path))}")
        except urllib.error.HTTPError as absent:
            absent.close()
            return None
        fields: dict[str, str] = answer["data"]["data"]
        return fields


class TestVault(BackendConformance):
    """Every case that its declaration selects."""

    kind = BACKEND
    capabilities = DECLARATION.capabilities
    notes = DECLARATION.notes
    networked = True
    throttles = True
    authenticates = True

    @pytest.fixture
    def harness(self, openbao: OpenBao) -> VaultHarness:
        return VaultHarness(openbao)
