"""What the harnesses of the AWS stores share: an emptied emulator, the way to it, and an SDK of their own."""

from __future__ import annotations

import contextlib
import functools
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from types import SimpleNamespace
from typing import Any, cast

import boto3  # type: ignore[import-untyped]
from hypothesis import strategies as st
from tests.servers.aws_answers import answering, refused
from tests.servers.moto import Moto
from wardgate.spi.backend import Backend
from wardgate.spi.errors import Malformed
from wardgate.spi.hookspecs import BackendType
from wardgate.spi.path import Path
from wardgate_conformance.answering import throttling
from wardgate_conformance.harness import Harness

REGION = "eu-central-1"
SERVICES = cast("Any", SimpleNamespace(clock=SimpleNamespace(now=time.time_ns, monotonic=time.monotonic)))


def _path(segments: list[str]) -> Path | None:
    with contextlib.suppress(Malformed):
        return Path.parse("/".join(segments))
    return None


PATHS = (
    st.lists(st.text(st.sampled_from("aA0/_-+=.@x2DF é😀 :{") | st.characters(), min_size=1), min_size=1, max_size=5)
    .map(_path)
    .filter(bool)
)
"""Paths of all characters, above all those that the stores' names or escapes are made of."""


@functools.lru_cache(maxsize=8)
def sdk(server: Moto, service: str) -> Any:
    """A client of the SDK's own: making one takes longer than most tests."""
    return boto3.client(service, region_name=REGION, endpoint_url=server.endpoint)


def opened(kind: BackendType, endpoint: str | None = None, **options: Any) -> Backend:
    """A backend over the server at that address."""
    return kind.open(kind.options(region=REGION, endpoint=endpoint, **options), SERVICES)


class AwsHarness(Harness):
    """One store of the emulator, empty; its labels and stages are told with each read.

    Args:
        server: the emulator.
        kind: the store's type.
        service: what the SDK calls it.
        options: of the mount.
    """

    def __init__(self, server: Moto, kind: BackendType, service: str, **options: Any) -> None:
        server.reset()
        self._server = server
        self._kind = kind
        self._options = {"metadata": True, **options}
        self.sdk = sdk(server, service)

    def open(self) -> Backend:
        return opened(self._kind, self._server.endpoint, **self._options)

    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self._server.port

    def open_at(self, host: str, port: int) -> Backend:
        return opened(self._kind, f"http://{host}:{port}", **self._options, timeout=0.5)

    def throttling(self, retry_after: int) -> AbstractContextManager[tuple[str, int]]:
        """As AWS says it: with status 400, and a code."""
        return throttling(retry_after, status=400, body=b'{"__type": "ThrottlingException"}')

    @contextlib.contextmanager
    def refused(self) -> Iterator[Backend]:
        """The emulator takes any credential, so another takes its place."""
        with answering(lambda _action, _told: refused("UnrecognizedClientException")) as endpoint:
            yield opened(self._kind, endpoint.url, **self._options)

    def close(self) -> None:
        """Give back the SDK's connections."""
        self.sdk.close()


def text_of(fields: Mapping[str, str]) -> str:
    """Fields as a person would store them."""
    return json.dumps(fields, ensure_ascii=False)
