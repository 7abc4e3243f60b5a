"""``doctor`` asks the store of every mount, and says what to do about each that cannot be used."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner
from wardgate.cli import founding
from wardgate.cli.root import wardgate
from wardgate.spi.path import Path as SecretPath
from wardgate.state import State
from wardgate.state.namespaces import ROOT_NAMESPACE
from wardgate.state.tokens import new_id

CANARY = "canary-of-a-token"


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """The configuration file of an installation."""
    config = tmp_path / "wardgate.toml"
    words = ["init", "--data", str(tmp_path / "data"), "--key-file", str(tmp_path / "key"), "--config", str(config)]
    assert 0 == CliRunner().invoke(wardgate, words).exit_code
    return config


def mount(made: Path, prefix: str, kind: str, options: Mapping[str, object], *, below: str = "") -> None:
    """Keep a mount that nobody asked about."""

    async def kept() -> None:
        state = founding.reopen(made.parent / "data", made.parent / "key")
        try:
            namespace = ROOT_NAMESPACE
            if below:
                namespace = await made_below(state, below)
            path = SecretPath.parse(prefix)
            row = state.mounts.draft(namespace, path, kind, options=options, presentation={}, description="")
            await state.mounts.add(row)
        finally:
            await state.close()

    asyncio.run(kept())


async def made_below(state: State, name: str) -> str:
    made = new_id()
    await state.namespaces.create(ROOT_NAMESPACE, name, namespace=made, along=lambda _: None)
    return made


def findings(made: Path) -> dict[str, dict[str, str]]:
    result = CliRunner().invoke(wardgate, ["doctor", "--config", str(made), "--json"])
    assert CANARY not in result.output
    return {one["check"]: one for one in json.loads(result.stdout)["checks"] if one["check"].startswith("mount ")}


def test_a_store_that_answers_is_well(made: Path) -> None:
    """One finding for each mount, of every namespace."""
    mount(made, "secret", "native", {})
    mount(made, "kv", "native", {}, below="team")
    found = findings(made)
    assert ["mount secret/", "mount kv/ of namespace team"] == list(found)
    assert all(one["ok"] for one in found.values())


def test_a_store_that_is_away_has_a_cure(made: Path) -> None:
    """And the others are told as they are; nothing secret is."""
    mount(made, "away", "vault", {"address": "http://127.0.0.1:1", "token": CANARY})
    mount(made, "bad", "vault", {"addres": "http://127.0.0.1:1", "token": CANARY})
    mount(made, "secret", "native", {})
    found = findings(made)
    assert [False, False, True] == [bool(one["ok"]) for one in found.values()]
    assert "cannot be reached" in found["mount away/"]["detail"]
    assert "did you mean 'address'" in found["mount bad/"]["detail"]
    assert "wardgate mount show away" in found["mount away/"]["cure"]


def test_a_type_that_is_not_loaded_names_its_plugin(made: Path) -> None:
    """The one that is installed, or that it is to be installed."""
    made.write_text('plugins = ["native"]\n' + made.read_text())
    mount(made, "bao", "vault", {"address": "http://127.0.0.1:1", "token": CANARY})
    mount(made, "odd", "no-such", {})
    found = findings(made)
    assert """plugins = ["native", "vault"]""" in found["mount bao/"]["cure"]
    assert "install the plugin" in found["mount odd/"]["cure"]
