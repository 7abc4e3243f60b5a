"""The suite over a KV version 1 engine of a real OpenBao, reached behind the backend's back."""

from __future__ import annotations

import contextlib
import hmac
import time
import urllib.error
from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import quote, urlsplit

import pytest
from wardgate.spi.backend import Backend
from wardgate.spi.path import Path
from wardgate_conformance.harness import Harness
from wardgate_conformance.suite import BackendConformance
from wardgate_vault.declaration import KV_ONE as DECLARATION
from wardgate_vault.options import Options
from wardgate_vault.plugin import BACKEND

from tests.servers.openbao import OpenBao


def mac(purpose: str, fields: Sequence[bytes]) -> bytes:
    """A stand-in for the keyring's."""
    message = b"".join(len(field).to_bytes(8) + field for field in (purpose.encode(), *fields))
    return hmac.digest(b"key", message, "sha256")


SERVICES: Any = SimpleNamespace(
    clock=SimpleNamespace(now=time.time_ns, monotonic=time.monotonic), keyring=SimpleNamespace(mac=mac), mount="kv1"
)


class VaultOneHarness(Harness):
    """A fresh KV version 1 mount of a running server."""

    def __init__(self, server: OpenBao) -> None:
        self._server = server
        self._mount = server.new_mount(version="1")

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
        options = Options(address=address, mount=self._mount, kv_version=1, **given)
        return BACKEND.open(options, SERVICES)

    async def put(self, path: Path, fields: Mapping[str, str]) -> None:
        self._server.call("POST", f"{self._mount}/{quote(str(path))}", fields)

    async def get(self, path: Path) -> Mapping[str, str] | None:
        try:
            answer = self._server.call("GET", f"{self._mount}/{quote(str(path))}")
        except urllib.error.HTTPError as absent:
            absent.close()
            return None
        return cast("Mapping[str, str]", answer["data"])


class TestVaultOne(BackendConformance):
    """Every case that its declaration selects."""

    kind = BACKEND
    capabilities = DECLARATION.capabilities
    notes = DECLARATION.notes
    networked = True
    throttles = True
    authenticates = True

    @pytest.fixture
    def harness(self, openbao: OpenBao) -> VaultOneHarness:
        return VaultOneHarness(openbao)
