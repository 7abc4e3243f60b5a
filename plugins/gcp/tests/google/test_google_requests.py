"""What is asked of the service: how often, over what, in pages of which size."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import grpc  # type: ignore[import-untyped]
import pytest
from google.cloud.secretmanager_v1 import types
from tests.servers.google_answers import serving
from wardgate.spi.backend import Backend
from wardgate.spi.errors import Unavailable
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import Value, VersionInfo

SECRET = Path.parse("app/db")
NAME = "projects/1/secrets/app--db"
MANY = 10_000
PAGE = 1_500
"""What this service gives at once, however much it is asked for."""


def value(*_: Any) -> bytes:
    found = types.AccessSecretVersionResponse(name=f"{NAME}/versions/3", payload={"data": b"x"})
    return cast("bytes", types.AccessSecretVersionResponse.serialize(found))


def page(request: bytes, broken_at: int, context: Any) -> bytes:
    """A page of ``MANY`` secrets, unless it would begin there."""
    asked = types.ListSecretsRequest.deserialize(request)
    assert asked.page_size == 25_000
    start = int(asked.page_token or 0)
    if start == broken_at:
        context.abort(grpc.StatusCode.INTERNAL, "")
    end = min(start + PAGE, MANY)
    secrets = [{"name": f"projects/1/secrets/team--s{number:05}"} for number in range(start, end)]
    token = str(end) if end < MANY else ""
    found = types.ListSecretsResponse(secrets=secrets, next_page_token=token)
    return cast("bytes", types.ListSecretsResponse.serialize(found))


def test_a_read_is_one_request_and_a_write_too() -> None:
    """Unless it is told to tell more. The version alone is known then, and that it is the current one."""

    def answer(name: str, request: bytes, context: Any) -> bytes:
        if name == "AddSecretVersion":
            return cast("bytes", types.SecretVersion.serialize(types.SecretVersion(name=f"{NAME}/versions/4")))
        return value()

    async def case() -> None:
        async with serving(answer) as (backend, service):
            found = await backend.read(SECRET)
            assert VersionInfo("3", 3, stages=frozenset({"current"})) == found.info
            assert (await backend.write(SECRET, Value(b"x"))).id == "4"
            assert ["AccessSecretVersion", "AddSecretVersion"] == service.calls

    asyncio.run(case())


@pytest.mark.parametrize(
    ("asked", "requests"),
    [
        (lambda backend: backend.describe(SECRET), 2),
        (lambda backend: backend.delete(SECRET), 2),
        (lambda backend: backend.delete(SECRET, versions=("1", "2")), 2),
        (lambda backend: backend.undelete(SECRET, versions=("1",)), 1),
        (lambda backend: backend.destroy(SECRET, versions=("1",)), 1),
        (lambda backend: backend.destroy(SECRET), 1),
        (lambda backend: backend.annotate(SECRET, labels={"a": "b"}), 2),
        (lambda backend: backend.move_stage(SECRET, "blue", version="1"), 3),
        (lambda backend: backend.move_stage(SECRET, "blue", version=None), 2),
        (lambda backend: backend.probe(), 11),
    ],
    ids=["describe", "delete", "delete two", "undelete", "destroy one", "destroy", "labels", "stage", "none", "probe"],
)
def test_what_the_rest_costs(asked: Callable[[Backend], Awaitable[object]], requests: int) -> None:
    """As the README's table says, over a secret with one version."""
    version = types.SecretVersion(name=f"{NAME}/versions/1", state="ENABLED")
    secret = types.Secret(name=NAME, etag="x", version_aliases={"blue": 1})
    answers = {
        "GetSecret": types.Secret.serialize(secret),
        "UpdateSecret": types.Secret.serialize(secret),
        "DeleteSecret": b"",
        "AccessSecretVersion": value(),
        "ListSecrets": types.ListSecretsResponse.serialize(types.ListSecretsResponse(secrets=[secret])),
        "ListSecretVersions": types.ListSecretVersionsResponse.serialize(
            types.ListSecretVersionsResponse(versions=[version])
        ),
    }

    async def case() -> None:
        held = types.SecretVersion.serialize(version)
        async with serving(lambda name, *_: cast("bytes", answers.get(name, held))) as (backend, service):
            await asked(backend)
            assert requests == len(service.calls)

    asyncio.run(case())


def test_all_requests_share_a_connection() -> None:
    """However many there are at once: that is what bounds them, and not a thread each."""
    peers: set[str] = set()

    def answer(_: str, __: bytes, context: Any) -> bytes:
        peers.add(context.peer())
        return value()

    async def case() -> None:
        async with serving(answer) as (backend, service):
            await asyncio.gather(*(backend.read(SECRET) for _ in range(200)))
            assert (200, 1) == (len(service.calls), len(peers))

    asyncio.run(case())


def test_a_read_is_repeated_by_one_hand() -> None:
    """Two failures and an answer are three requests: neither gRPC nor Google's client repeats what is repeated here."""
    failures = [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAVAILABLE]

    def answer(_: str, __: bytes, context: Any) -> bytes:
        if failures:
            context.abort(failures.pop(), "")
        return value()

    async def case() -> None:
        async with serving(answer) as (backend, service):
            assert (await backend.read(SECRET)).value.data == b"x"
            assert ["AccessSecretVersion"] * 3 == service.calls

    asyncio.run(case())


def test_a_list_takes_the_pages_that_the_service_gives() -> None:
    """It asks for the largest; the gateway's own pages of one listing ask nothing more."""

    async def case() -> None:
        async with serving(lambda _, request, context: page(request, -1, context)) as (backend, service):
            found, cursor = [], None
            while True:
                one = await backend.list(ROOT.child("team"), cursor=cursor, limit=1_000)
                found += [entry.name for entry in one.entries]
                if (cursor := one.cursor) is None:
                    break
            assert [f"s{number:05}" for number in range(MANY)] == found
            assert ["ListSecrets"] * 7 == service.calls

    asyncio.run(case())


@pytest.mark.parametrize("broken_at", [0, PAGE, 6 * PAGE])
def test_a_list_whose_pages_break_off_is_no_list(broken_at: int) -> None:
    """Never fewer names than there are."""

    async def case() -> None:
        async with serving(lambda _, request, context: page(request, broken_at, context)) as (backend, _):
            with pytest.raises(Unavailable):
                await backend.list(ROOT)

    asyncio.run(case())
