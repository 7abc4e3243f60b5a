"""Probing and narrow credentials, over the emulator and a server that denies."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.google.test_google_conforms import GoogleHarness
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import Value

SECRET = Path.parse("app/db")


@pytest.mark.server
def test_a_probe_changes_nothing(google_emulator: str) -> None:
    """All rights are granted there, and no secret has been made."""

    async def case() -> None:
        backend = GoogleHarness(google_emulator).open()
        told = {right.name: right.granted for right in await backend.probe()}
        assert {name for name, granted in told.items() if not granted} == {"secretmanager.secrets.create"}
        assert (await backend.list(ROOT)).entries == ()
        await backend.close()

    asyncio.run(case())


@pytest.mark.server
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


@pytest.mark.server
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
