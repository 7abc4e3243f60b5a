"""``doctor`` misses the files that are gone, and makes none of them."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from wardgate.cli import founding
from wardgate.cli.root import wardgate
from wardgate.clock import SystemClock
from wardgate.mounts.opener import Opener
from wardgate.registry import Registry
from wardgate.spi.errors import Unavailable
from wardgate.spi.path import Path as SecretPath
from wardgate.state import State
from wardgate.state.mounts import MountRow
from wardgate.state.namespaces import ROOT_NAMESPACE

MISSING = "namespaces/root.db is missing; restore it from a backup"


@pytest.fixture
def made(made: Path, tmp_path: Path) -> Path:
    """The configuration file of an installation with a native mount."""
    state = founding.reopen(tmp_path / "data", tmp_path / "key")
    asyncio.run(founding.mount_native(state, "secret"))
    asyncio.run(state.close())
    return made


def wrong(made: Path) -> dict[str, dict[str, str]]:
    result = CliRunner().invoke(wardgate, ["doctor", "--config", str(made), "--json"])
    return {one["check"]: one for one in json.loads(result.stdout)["checks"] if not one["ok"]}


def lose(made: Path, pattern: str) -> None:
    for file in (made.parent / "data").glob(pattern):
        file.unlink()


def test_a_store_s_missing_file_is_told_and_stays_missing(made: Path) -> None:
    """However often it looks; and what to do is said."""
    assert {} == wrong(made)
    lose(made, "namespaces/root.db*")
    for _ in range(2):
        found = wrong(made)
        assert (["mount secret/"], MISSING) == (list(found), found["mount secret/"]["detail"])
        assert "wardgate backup restore" in found["mount secret/"]["cure"]
    assert [] == list((made.parent / "data" / "namespaces").iterdir())


def drafted(state: State, kind: str = "native") -> MountRow:
    options = {} if kind == "native" else {"address": "http://127.0.0.1:1", "token": "t"}
    return state.mounts.draft(
        ROOT_NAMESPACE, SecretPath.parse("new"), kind, options=options, presentation={}, description=""
    )


@pytest.mark.parametrize("kind", ["native", "vault"])
def test_a_second_mount_does_not_hide_the_loss(made: Path, kind: str) -> None:
    """Neither when it is opened to be asked, nor when its row is kept."""
    lose(made, "namespaces/root.db*")
    state = founding.reopen(made.parent / "data", made.parent / "key")
    opener = Opener(Registry.load(["native", "vault"]).backend_types, state, SystemClock())
    row = drafted(state, kind)
    if kind == "native":
        with pytest.raises(Unavailable, match=MISSING):
            opener.of_row(ROOT_NAMESPACE, row)
    else:
        asyncio.run(opener.of_row(ROOT_NAMESPACE, row).close())
    asyncio.run(state.mounts.add(row))
    asyncio.run(state.close())
    assert MISSING == wrong(made)["mount secret/"]["detail"]


def test_the_first_native_mount_beside_others_makes_the_file(made: Path) -> None:
    """As in a folder of before, where no other mount ever needed it; it is there before the row."""
    state = founding.reopen(made.parent / "data", made.parent / "key")
    asyncio.run(state.mounts.remove(ROOT_NAMESPACE, SecretPath.parse("secret")))
    asyncio.run(state.mounts.add(drafted(state, "vault")))
    lose(made, "namespaces/root.db*")
    opener = Opener(Registry.load(["native", "vault"]).backend_types, state, SystemClock())
    asyncio.run(opener.of_row(ROOT_NAMESPACE, drafted(state)).close())
    asyncio.run(state.close())
    assert (made.parent / "data" / "namespaces" / "root.db").exists()


def test_a_missing_state_is_to_be_restored(made: Path) -> None:
    """Init would refuse a folder in which something is."""
    lose(made, "gateway.db*")
    found = wrong(made)
    assert found["state"]["detail"].startswith("gateway.db is missing: restore it with `wardgate backup restore")
    assert [] == [one for one in found.values() if "init" in one["detail"] + one["cure"]]
    assert not (made.parent / "data" / "gateway.db").exists()


def test_a_missing_folder_is_made_or_restored(made: Path) -> None:
    """Restored where its key file is still there, and made only where nothing is."""
    shutil.rmtree(made.parent / "data")
    assert "wardgate backup restore" in wrong(made)["data folder"]["cure"]
    (made.parent / "key").unlink()
    assert wrong(made)["data folder"]["cure"].startswith("wardgate init")
