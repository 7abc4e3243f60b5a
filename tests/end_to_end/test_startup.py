"""What stops the start: one plain sentence that says what to do, an exit code, and no traceback."""

from __future__ import annotations

import shutil
import socket
import sqlite3
import subprocess
from pathlib import Path

import pytest

from tests.servers.gateway import command, initialise, running, start


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which ``wardgate init`` was run."""
    folder = tmp_path_factory.mktemp("made")
    initialise(folder, plugins=["native", "vault"], workers=1)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of it, to spoil."""
    return Path(shutil.copytree(made, tmp_path / "copy"))


def serve(folder: Path) -> subprocess.CompletedProcess[str]:
    return command("serve", "--config", str(folder / "wardgate.toml"))


def assert_stopped(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """It ended with a failure, and said so in a line or two that hold these words."""
    assert done.returncode in {1, 2}, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 3, done.stderr
    assert [] == [word for word in words if word not in done.stderr], done.stderr


def test_a_missing_key_file(folder: Path) -> None:
    """Nothing can be opened without it; the message names the file."""
    (folder / "wardgate.key").unlink()
    assert_stopped(serve(folder), "wardgate.key")


def test_a_key_file_that_others_can_read(folder: Path) -> None:
    """It is refused rather than used; the message says which mode it must have."""
    (folder / "wardgate.key").chmod(0o644)
    assert_stopped(serve(folder), "wardgate.key", "600")


def test_another_installation_s_key_file(folder: Path, tmp_path: Path) -> None:
    """A key that does not fit is told apart from a damaged file."""
    other = tmp_path / "other"
    other.mkdir()
    initialise(other, plugins=["native"], workers=1)
    shutil.copy(other / "wardgate.key", folder / "wardgate.key")
    assert_stopped(serve(folder), "key")


def test_a_damaged_database(folder: Path) -> None:
    """The message names the file and does not show SQL."""
    (folder / "data" / "gateway.db").write_bytes(b"this is no database" * 1_000)
    assert_stopped(serve(folder), "gateway.db")


def test_no_data_folder(folder: Path) -> None:
    """With the key file there it was lost, and is to be restored; init is for where nothing was made yet."""
    shutil.rmtree(folder / "data")
    done = serve(folder)
    assert_stopped(done, f"wardgate backup restore FILE --to {folder / 'data'} --key-file {folder / 'wardgate.key'}")
    assert "init" not in done.stderr
    (folder / "wardgate.key").unlink()
    assert_stopped(serve(folder), "wardgate init")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"vault"', '"valt"', ("'valt'", "did you mean 'vault'")),
        ("workers = 1", "wrokers = 1", ("'wrokers'", "did you mean 'workers'")),
        ("workers = 1", 'workers = "many"', ("workers", "whole number")),
        ("[data]", "[dta]", ("'dta'", "did you mean 'data'")),
        ("127.0.0.1:0", "0.0.0.0:0", ("tls_certificate",)),
        ("127.0.0.1:0", "nonsense", ("listen",)),
        ("[server]", "[server", ("TOML",)),
    ],
)
def test_a_wrong_configuration(folder: Path, old: str, new: str, words: tuple[str, ...]) -> None:
    """Each mistake names the file, the key, and the nearest right one."""
    config = folder / "wardgate.toml"
    text = config.read_text()
    assert old in text
    config.write_text(text.replace(old, new))
    assert_stopped(serve(folder), *words)


def test_a_busy_port(folder: Path) -> None:
    """The message names the address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = folder / "wardgate.toml"
        config.write_text(config.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
        assert_stopped(serve(folder), str(port))


def test_two_servers_on_one_folder(folder: Path) -> None:
    """The second is refused: they would share the audit's shards."""
    first = start(folder, "")
    try:
        assert_stopped(serve(folder), "data")
    finally:
        first.stop()


def test_init_overwrites_nothing(folder: Path) -> None:
    """Neither data nor a key file."""
    done = command("init", "--data", f"{folder}/data", "--key-file", f"{folder}/new.key")
    assert_stopped_with_any_code(done)
    assert not (folder / "new.key").exists()
    done = command("init", "--data", f"{folder}/new", "--key-file", f"{folder}/wardgate.key")
    assert_stopped_with_any_code(done)


def assert_stopped_with_any_code(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode != 0
    assert "Traceback" not in done.stderr


def test_a_forged_administrator_is_refused_and_the_others_are_not() -> None:
    """Whoever can write the database gives himself nothing, and takes nothing from others."""
    with running(plugins=["native"], workers=1) as gateway:
        key = gateway.call("POST", "/api/v1/keys", {"name": "weak", "policies": ["default"]}).json()
        assert 403 == gateway.call("GET", "/api/v1/keys", token=key["token"]).status
        gateway.stop()
        with sqlite3.connect(gateway.folder / "data" / "gateway.db") as database:
            changed = database.execute("UPDATE principals SET policies = '[\"administrator\"]' WHERE name = 'weak'")
            assert 1 == changed.rowcount
        database.close()
        again = start(gateway.folder, gateway.token)
        try:
            assert again.call("GET", "/api/v1/keys", token=key["token"]).status in {401, 403}
            assert 200 == again.call("GET", "/api/v1/mounts").status
        finally:
            again.stop()


def test_the_doctor_says_what_is_wrong(folder: Path) -> None:
    """It checks what ``serve`` needs, and exits 1 when something fails."""
    config = str(folder / "wardgate.toml")
    assert 0 == command("doctor", "--config", config).returncode
    (folder / "wardgate.key").unlink()
    done = command("doctor", "--config", config)
    assert 1 == done.returncode
    assert "wardgate.key" in done.stdout + done.stderr
