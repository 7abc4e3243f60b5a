"""The folder is a person's as much as the gateway's: age's own tool reads what a backend wrote, and the other way."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pyrage  # type: ignore[import-untyped]
import pytest
from wardgate.spi.path import Path as SecretPath
from wardgate.spi.values import TEXT, Value
from wardgate_files.options import Options
from wardgate_files.plugin import open_files

from tests.servers import age as recipe
from tests.servers.fixtures import or_skip

NOTE = SecretPath.parse("team/note")


@pytest.fixture(scope="module")
def age() -> Path:
    """The ``age`` command."""
    return or_skip(recipe.binary)


def test_age_s_own_tool_and_the_backend_read_one_another(age: Path, tmp_path: Path) -> None:
    """As the README shows it; binary and armored, and for one more recipient."""
    own, other = (pyrage.x25519.Identity.generate() for _ in range(2))
    for name, identity in (("own.txt", own), ("other.txt", other)):
        (tmp_path / name).write_text(f"{identity}\n")
        (tmp_path / name).chmod(0o600)
    (tmp_path / "secrets").mkdir()
    file = tmp_path / "secrets/team/note.age"
    options = Options(
        folder=str(tmp_path / "secrets"), identity_file=str(tmp_path / "own.txt"), recipients=str(other.to_public())
    )

    def run(*words: str | Path, given: bytes = b"") -> bytes:
        return subprocess.run([age, *words], input=given, capture_output=True, cwd=tmp_path, check=True).stdout

    async def scenario() -> None:
        backend = open_files(options, None)  # type: ignore[arg-type]  # it asks for none of the services
        await backend.write(NOTE, Value(b"from the gateway"))
        for identity in ("own.txt", "other.txt"):
            assert run("-d", "-i", identity, file) == b"from the gateway"
        for form in ((), ("--armor",)):
            run("-e", *form, "-i", "own.txt", "-o", file, given=b"from a person")
            assert Value(b"from a person", TEXT) == (await backend.read(NOTE)).value
        await backend.close()

    asyncio.run(scenario())
