"""What the gateway's own credential may do, over the emulator and a server that denies; and what it is said to need."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path as FilePath
from typing import Any, cast

import grpc  # type: ignore[import-untyped]
import pytest
import wardgate_gcp
from google.cloud.secretmanager_v1 import SecretManagerServiceAsyncClient, types
from tests.google.test_google_conforms import GoogleHarness
from tests.servers.google_answers import Answer, refusing, serving
from wardgate.spi.backend import Permission
from wardgate.spi.errors import Gone, RateLimited, Unauthenticated
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import Value, VersionState
from wardgate_gcp.probing import NEEDED

SECRET = Path.parse("app/db")


def test_a_probe_changes_nothing(google_emulator: str) -> None:
    """All rights are granted there, and no secret has been made."""

    async def case() -> None:
        backend = GoogleHarness(google_emulator).open()
        told = {right.name: right.granted for right in await backend.probe()}
        assert {name for name, granted in told.items() if not granted} == {"secretmanager.secrets.create"}
        assert (await backend.list(ROOT)).entries == ()
        await backend.close()

    asyncio.run(case())


@pytest.mark.parametrize("options", [{}, {"metadata": False}], ids=str)
def test_a_read_without_metadata_tells_the_value_and_the_version(google_emulator: str, options: Any) -> None:
    """And with it, when the version was made too."""

    async def case() -> None:
        backend = GoogleHarness(google_emulator, **options).open()
        written = await backend.write(SECRET, Value(b"x"))
        found = await backend.read(SECRET)
        assert (b"x", "1", frozenset({"current"})) == (found.value.data, found.info.id, found.info.stages)
        assert (0 if options else written.created_at) == found.info.created_at
        await backend.close()

    asyncio.run(case())


def test_regional_secrets_are_kept_apart(google_emulator: str) -> None:
    """A mount with a location sees that location alone."""

    async def case() -> None:
        harness = GoogleHarness(google_emulator, location="europe-west3")
        backend = harness.open()
        await backend.write(SECRET, Value(b"x"))
        assert (await backend.read(SECRET)).value.data == b"x"
        assert None is await harness.get(SECRET)
        await backend.close()

    asyncio.run(case())


def denying(*denied: str) -> Answer:
    """A project in which there is nothing, and these calls are not allowed."""

    def answer(name: str, request: bytes, context: Any) -> bytes:
        if name in denied:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "")
        if name != "ListSecrets":
            assert b"wardgate-probe-" in request
            context.abort(grpc.StatusCode.NOT_FOUND, "")
        return b""

    return answer


def probed(answer: Answer) -> dict[str, Permission]:
    async def case() -> dict[str, Permission]:
        async with serving(answer) as (backend, _):
            return {told.name: told for told in await backend.probe()}

    return asyncio.run(case())


@pytest.mark.parametrize(("call", "right"), [(call, right) for call, right, _ in NEEDED])
def test_a_probe_names_the_right_that_is_missing(call: str, right: str) -> None:
    """And no other, but for the one that cannot be asked for without a change."""
    told = probed(denying(call.title().replace("_", "")))
    assert [right] == [name for name, permission in told.items() if permission.granted is False]
    assert ["secretmanager.secrets.create"] == [name for name, found in told.items() if found.granted is None]


def test_a_credential_that_is_not_accepted_has_no_rights_to_tell() -> None:
    """It is refused as a whole; and a service that asks for patience is not taken for one that grants or refuses."""
    with pytest.raises(Unauthenticated):
        probed(refusing(grpc.StatusCode.UNAUTHENTICATED))
    with pytest.raises(RateLimited):
        probed(refusing(grpc.StatusCode.RESOURCE_EXHAUSTED))


@pytest.mark.parametrize(
    ("status", "ok"), [("NOT_FOUND", True), ("PERMISSION_DENIED", True), ("UNAUTHENTICATED", False)]
)
def test_health_is_not_about_rights(status: str, ok: bool) -> None:  # noqa: FBT001
    """A credential that sees single secrets alone is refused, and that is an answer."""

    async def case() -> None:
        async with serving(refusing(grpc.StatusCode[status])) as (backend, _):
            assert (await backend.health()).ok is ok

    asyncio.run(case())


def test_a_version_that_is_disabled_is_told_alike_by_whoever_may_know_of_it() -> None:
    """As deleted, which is how the gateway deletes: with the rights to see its state, and without them."""
    disabled = types.SecretVersion(name="projects/1/secrets/app--db/versions/3", state="DISABLED")

    async def state(*, told: bool) -> VersionState:
        def answer(name: str, _: bytes, context: Any) -> bytes:
            if name == "AccessSecretVersion":
                context.abort(grpc.StatusCode.FAILED_PRECONDITION, "")
            if not told:
                context.abort(grpc.StatusCode.PERMISSION_DENIED, "")
            if name == "GetSecret":
                return cast("bytes", types.Secret.serialize(types.Secret(name="projects/1/secrets/app--db")))
            page = types.ListSecretVersionsResponse(versions=[disabled])
            return cast("bytes", types.ListSecretVersionsResponse.serialize(page))

        async with serving(answer) as (backend, _):
            with pytest.raises(Gone) as gone:
                await backend.read(SECRET, version="3")
            assert gone.value.info is not None
            return gone.value.info.state

    assert asyncio.run(state(told=True)) is asyncio.run(state(told=False)) is VersionState.DELETED


def test_what_is_asked_of_the_service_is_what_the_role_in_the_readme_allows() -> None:
    """Each call that the code makes has its right in the probe, and the probe's rights are those of the document."""
    rooms = FilePath(wardgate_gcp.__file__).parent
    code = "".join(path.read_text() for path in rooms.glob("*.py"))
    made = {word for word in re.findall(r'"([a-z_]+)"', code) if hasattr(SecretManagerServiceAsyncClient, word)}
    assert made == {call for call, _, _ in NEEDED} | {"create_secret"}
    readme = (rooms.parent / "README.md").read_text()
    role = re.findall(r"^- (secretmanager\.\S+)", readme, re.MULTILINE)
    assert sorted(role) == sorted([*(right for _, right, _ in NEEDED), "secretmanager.secrets.create"])
