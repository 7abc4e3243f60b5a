"""``wardgate backup``: what its commands say, to people and machines, and how they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from wardgate.cli.root import wardgate

from tests.support.backup_world import World, furnished


def run(*arguments: object) -> Result:
    """One command, without a gateway."""
    return CliRunner().invoke(wardgate, ["backup", *map(str, arguments)])


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A data folder, and a configuration that names it."""
    world = furnished(tmp_path)
    (tmp_path / "wardgate.toml").write_text('[data]\nfolder = "data"\nkey_file = "key"\n')
    return world


@pytest.fixture
def config(world: World) -> Path:
    """Its place."""
    return world.folder / "wardgate.toml"


def test_a_person_is_told_what_was_done_and_what_is_next(world: World, config: Path) -> None:
    """Sentences on stderr, answers on stdout."""
    made = run("create", world.file, "--config", config)
    assert (0, "") == (made.exit_code, made.stdout)
    assert f"Wrote {world.file}: 3 files" in made.stderr
    assert f"`wardgate backup verify {world.file} --config {config}`" in made.stderr
    looked = run("verify", world.file, "--config", config)
    assert (0, True) == (looked.exit_code, looked.stdout.endswith(f"{world.file} holds.\n"))
    assert "secrets read  6, 10 versions" in looked.stdout
    restored = run("restore", world.file, "--to", world.folder / "new", "--key-file", world.key)
    assert (0, True) == (restored.exit_code, f"Made {world.folder / 'new'}, as of" in restored.stdout)
    assert "revoked since then are valid again" in restored.stderr
    assert (world.folder / "new" / "gateway.db").exists()


def test_a_machine_is_told_in_json(world: World, config: Path) -> None:
    """One document on stdout, and nothing else."""
    made = run("create", world.file, "--config", config, "--json")
    files = json.loads(made.stdout)["files"]
    assert (["gateway.db"], "") == ([file["name"] for file in files][:1], made.stderr)
    looked = json.loads(run("verify", world.file, "--key-file", world.key, "--json", "--quick").stdout)
    assert (True, 2, 0) == (looked["ok"], looked["namespaces"], looked["secrets"])
    restored = run("restore", world.file, "--to", world.folder / "new", "--config", config, "--json")
    assert (True, "") == (json.loads(restored.stdout)["ok"], restored.stderr)


def test_what_does_not_hold_ends_in_1(world: World, config: Path) -> None:
    """A changed archive is an error; a genuine one of a changed folder names what is broken, and makes nothing."""
    run("create", world.file, "--config", config)
    spoilt = world.folder / "spoilt"
    spoilt.write_bytes(world.file.read_bytes()[:-1])
    looked = run("verify", spoilt, "--config", config)
    assert (1, True) == (looked.exit_code, "this backup is cut or changed at its end" in looked.stderr)
    store = world.data / "namespaces" / "root.db"
    store.write_bytes(store.read_bytes()[:8_192] + b"\xff" * 4_096 + store.read_bytes()[12_288:])
    run("create", world.folder / "broken", "--config", config)
    restored = run("restore", world.folder / "broken", "--to", world.folder / "new", "--config", config)
    assert (1, True) == (restored.exit_code, "BROKEN: namespaces/root.db" in restored.stdout)
    assert not (world.folder / "new").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("create", "data/backup", "--config", "wardgate.toml"), 2, "lies in the data folder"),
        (("create", "wardgate.toml", "--config", "wardgate.toml"), 5, "name another"),
        (("verify", "nowhere", "--config", "wardgate.toml"), 3, "there is no backup at"),
        (("verify", "wardgate.toml", "--config", "wardgate.toml"), 1, "this is no backup"),
        (("verify", "wardgate.toml"), 2, "say where the key is"),
        (("verify", "wardgate.toml", "--config", "wardgate.toml", "--key-file", "key"), 2, "say where the key is"),
        (("restore", "backup", "--to", "data", "--config", "wardgate.toml"), 5, "name a new folder"),
        (("restore", "backup", "--to", "new", "--key-file", "nokey"), 2, "there is no key file"),
        (("verify", "backup", "--key-file", "nokey"), 2, "there is no key file"),
        (("restore", "backup", "--to", "no/new", "--key-file", "key"), 2, "make it first"),
        (("verify", "backup", "--key-file", "key", "--plugin", "vault"), 0, "holds."),
        (("verify", "backup", "--key-file", "key", "--plugin", "nativ"), 2, "did you mean 'native'"),
    ],
)
def test_errors_say_what_happened(
    world: World, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int, says: str
) -> None:
    """And end in the code of their kind; nothing is left lying about."""
    monkeypatch.chdir(world.folder)
    assert 0 == run("create", "backup", "--config", "wardgate.toml").exit_code
    result = run(*arguments)
    assert (code, True) == (result.exit_code, says in result.output), result.output
    assert "doctor" not in result.output
    assert [] == world.left_over()


def test_a_mount_without_its_plugin_is_told_with_the_way_to_name_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The backup may be good; ``--plugin`` adds to the plugins that are loaded anyway."""
    monkeypatch.chdir(world.folder)
    monkeypatch.setattr("wardgate.config.DEFAULT_PLUGINS", ("vault",))
    assert 0 == run("create", "backup", "--config", "wardgate.toml").exit_code
    result = run("verify", "backup", "--key-file", "key")
    assert 1 == result.exit_code
    assert "cannot be looked at: no loaded plugin offers the backend 'native'; name its plugin with --plugin" in (
        result.output
    )
    assert 0 == run("verify", "backup", "--key-file", "key", "--plugin", "native").exit_code
