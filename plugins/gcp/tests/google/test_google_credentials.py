"""Where the gateway's own credential comes from, and what is said where there is none."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path as FilePath
from typing import Any

import google.auth
import pytest
from google.auth.exceptions import DefaultCredentialsError
from tests.google.test_google_failures import CANARY, SECRET, refusal
from tests.servers.google_answers import opened
from wardgate.spi import errors


def test_credentials_are_looked_for_in_a_thread_of_the_mount_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A metadata server that hangs holds up no other mount; and where there are none, that is said as a refusal."""
    seen = []

    def nothing(**_: Any) -> None:
        seen.append(threading.current_thread().name)
        raise DefaultCredentialsError(CANARY)  # type: ignore[no-untyped-call]

    async def case() -> None:
        backend = opened(0, endpoint=None)
        assert errors.Unauthenticated is type(await refusal(backend.read(SECRET)))
        assert not (await backend.health()).ok
        await backend.close()

    monkeypatch.setattr(google.auth, "default", nothing)
    asyncio.run(case())
    assert {"wardgate-gcp_0"} == set(seen)


# Google warns of files that somebody else gives; the operator gives this one.
@pytest.mark.filterwarnings("ignore::DeprecationWarning:google.auth")
@pytest.mark.parametrize("held", ["", "{", "{}", f'{{"type": "service_account", "private_key": "{CANARY}"}}'])
def test_a_file_without_a_credential_is_told_as_that(tmp_path: FilePath, held: str) -> None:
    """It was given, so nobody is told to give it; what it holds is not shown."""
    file = tmp_path / "credentials.json"
    file.write_text(held)

    async def case() -> None:
        backend = opened(0, endpoint=None, credentials_file=str(file))
        error = await refusal(backend.read(SECRET))
        assert errors.Unauthenticated is type(error)
        assert "'credentials_file' names holds no usable credential" in error.message
        await backend.close()

    asyncio.run(case())
