"""``init``, ``doctor``, ``plugins``, ``audit verify`` and the ways ``serve`` and ``dev`` refuse to start."""

from __future__ import annotations

import asyncio
import fcntl
import json
import re
import shlex
import socket
import stat
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from wardgate.cli import founding
from wardgate.cli.root import wardgate
from wardgate.cli.run import _prepare as prepare
from wardgate.cli.run import _welcome as welcome
from wardgate.config import Config, load
from wardgate.server.run import LOCK
from wardgate.spi.errors import Unauthenticated


def run(*arguments: str) -> Result:
    """One command that needs no gateway."""
    return CliRunner().invoke(wardgate, list(arguments))


def test_init_prints_a_key_alone_and_tells_what_is_next(tmp_path: Path) -> None:
    """The key is the only thing on stdout; key file and data folder are this user's alone."""
    data, key = tmp_path / "data", tmp_path / "key"
    result = run("init", "--data", str(data), "--key-file", str(key))
    assert result.exit_code == 0
    assert result.stdout.startswith("wg_")
    assert len(result.stdout.splitlines()) == 1
    assert "wardgate mount add secret" in result.stderr
    assert (0o600, 0o700) == (stat.S_IMODE(key.stat().st_mode), stat.S_IMODE(data.stat().st_mode))


def test_init_json_is_one_document(tmp_path: Path) -> None:
    """With all that a script needs."""
    result = run("init", "--data", str(tmp_path / "d"), "--key-file", str(tmp_path / "k"), "--json")
    assert {"data", "key_file", "config", "token", "expires_at"} == set(json.loads(result.stdout))
    assert result.stderr == ""


def test_init_writes_a_configuration_that_loads(made: Path) -> None:
    """It names the folder and the key file."""
    config = load(made)
    assert (made.parent / "data", made.parent / "key") == (config.data, config.key_file)


@pytest.mark.parametrize(("data", "key"), [("data/x", "k2"), ("d2", "data/k"), ("data/x/y", "k2")])
def test_init_makes_nothing_in_another_data_folder(made: Path, data: str, key: str) -> None:
    """What lies there would be in its backups, and a restore would lose it."""
    base = made.parent
    before = sorted(base.rglob("*"))
    result = run("init", "--data", str(base / data), "--key-file", str(base / key))
    assert 2 == result.exit_code
    assert f"{base / 'data'} is a data folder; make it beside it, not into it" in result.stderr
    assert before == sorted(base.rglob("*"))


def test_init_overwrites_nothing(made: Path) -> None:
    """Neither a folder, nor a key file, nor a configuration; and what it made before failing is taken away."""
    base = made.parent
    before = {file: file.read_bytes() for file in base.rglob("*") if file.is_file()}
    for data, key, config in (("data", "k2", "c2"), ("d2", "key", "c2"), ("d2", "k2", made.name)):
        result = run("init", "--data", str(base / data), "--key-file", str(base / key), "--config", str(base / config))
        assert (5, "") == (result.exit_code, result.stdout)
        assert result.stderr.startswith("Error: ")
    assert {file: file.read_bytes() for file in base.rglob("*") if file.is_file()} == before


def test_init_says_where_a_key_file_cannot_be_made(tmp_path: Path) -> None:
    """One sentence, and no data folder without its key."""
    result = run("init", "--data", str(tmp_path / "d"), "--key-file", str(tmp_path / "nowhere" / "key"))
    assert (2, "", False) == (result.exit_code, result.stdout, (tmp_path / "d").exists())
    assert "cannot be written" in result.stderr


def test_init_refuses_a_key_file_in_the_data_folder(tmp_path: Path) -> None:
    """A copy of the folder must not hold its key."""
    result = run("init", "--data", str(tmp_path / "d"), "--key-file", str(tmp_path / "d" / "key"))
    assert (2, False) == (result.exit_code, (tmp_path / "d").exists())


def test_doctor_finds_a_fresh_installation_well(made: Path) -> None:
    """Every check is named."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made.write_text(made.read_text() + f'\n[server]\nlisten = "127.0.0.1:{port}"\n')
    result = run("doctor", "--config", str(made), "--json")
    answer = json.loads(result.stdout)
    assert {check["check"]: check["ok"] for check in answer["checks"]} == dict.fromkeys(
        (
            "configuration",
            "plugins",
            "data folder",
            "key file",
            "state",
            "administrators",
            "audit",
            "tls",
            "port",
            "readiness",
        ),
        True,
    )
    assert (0, True) == (result.exit_code, answer["ok"])


def failing(made: Path) -> list[str]:
    """The names of the checks that fail."""
    result = run("doctor", "--config", str(made), "--json")
    assert result.exit_code == 1
    return [check["check"] for check in json.loads(result.stdout)["checks"] if not check["ok"]]


def test_doctor_names_what_is_wrong(made: Path) -> None:
    """A key file that is gone, a folder others can read, a busy port, a plugin that is not there."""
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        listen = f'\n[server]\nlisten = "127.0.0.1:{busy.getsockname()[1]}"\n'
        made.write_text('plugins = ["nativ"]\n' + made.read_text() + listen)
        (made.parent / "data").chmod(0o755)
        (made.parent / "key").unlink()
        assert failing(made) == ["plugins", "data folder", "key file", "state", "port"]


@pytest.mark.parametrize(
    ("answer", "well", "detail"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nstate: ok\nok\n", True, "state: ok, ok"),
        (b"HTTP/1.1 503 No\r\n\r\naudit: full\nnot ready: audit\n", False, "audit: full, not ready: audit"),
        (b"", False, "does not answer"),
    ],
)
def test_doctor_asks_a_gateway_that_runs(made: Path, answer: bytes, well: bool, detail: str) -> None:  # noqa: FBT001  # a parameter of the case
    """What it says of its readiness, or that it says nothing."""
    config = load(made)
    config.runtime.mkdir(exist_ok=True)

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4_096)
            connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener, (config.runtime / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made.write_text(made.read_text() + f'\n[server]\nlisten = "127.0.0.1:{listener.getsockname()[1]}"\n')
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        checks = json.loads(run("doctor", "--config", str(made), "--json").stdout)["checks"]
        thread.join()
    assert ("readiness", well) == (checks[-1]["check"], checks[-1]["ok"])
    assert detail in checks[-1]["detail"]


def test_doctor_without_a_configuration_stops_there(tmp_path: Path) -> None:
    """There is nothing more to look at."""
    file = tmp_path / "c.toml"
    file.write_text("[serve]\n")
    assert failing(file) == ["configuration"]


def test_plugins_are_described_by_themselves() -> None:
    """Names, kinds and options; a secret's default is never shown."""
    answer = json.loads(run("plugins", "--json").stdout)
    kinds = {(plugin["name"], one["kind"]) for plugin in answer["plugins"] for one in plugin["types"]}
    assert {("native", "backend"), ("native", "front-end"), ("vault", "backend"), ("vault", "front-end")} <= kinds
    assert "front-end rest at /api/v1/" in run("plugins", "native").stdout


def test_an_unknown_plugin_names_the_nearest() -> None:
    """A usage error."""
    result = run("plugins", "nativ")
    assert (2, "") == (result.exit_code, result.stdout)
    assert "did you mean 'native'" in result.stderr


def test_verify_wants_a_folder_or_a_configuration(made: Path, tmp_path: Path) -> None:
    """One of the two; a folder without an audit is "not found"."""
    assert run("audit", "verify").exit_code == 2
    assert run("audit", "verify", str(tmp_path), "--config", str(made)).exit_code == 2
    assert run("audit", "verify", str(tmp_path)).exit_code == 3
    assert run("audit", "verify", str(tmp_path / "nowhere")).exit_code in {2, 3}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["serve", "--config", "/nowhere/at/all"], "cannot be read"),
        (["dev", "--listen", "0.0.0.0:8200"], "loopback"),
        (["dev", "--listen", "nonsense"], "HOST:PORT"),
        (["dev", "--token", "two words"], "without spaces"),
    ],
)
def test_a_server_that_cannot_start_says_why(arguments: list[str], says: str) -> None:
    """One sentence, and 2."""
    result = run(*arguments)
    assert (2, "") == (result.exit_code, result.stdout)
    assert says in result.stderr


def administrators(config: Config) -> list[str]:
    """The names of the root namespace's keys."""
    state = founding.reopen(config.data, config.key_file)
    try:
        return sorted(one.principal.name for one in state.principals.keys("root"))
    finally:
        asyncio.run(state.close())


def prepared(config: Config, token: str | None = None) -> str:
    """The administrator's token of one start of ``dev``."""
    return asyncio.run(prepare(config, token))


def test_dev_keeps_one_administrator(tmp_path: Path) -> None:
    """Each start ends the keys of those before, random or chosen; others' keys live on."""
    config = Config.for_dev(folder=tmp_path)

    async def others() -> None:
        state = founding.reopen(config.data, config.key_file)
        try:
            await founding.administrator(state, name="mine", ttl=None)
            await founding.administrator(state, name="dev", ttl=10**15)
        finally:
            await state.close()

    first = prepared(config)
    asyncio.run(others())
    tokens = [first, prepared(config), prepared(config, "chosen"), prepared(config, "chosen"), prepared(config)]
    assert ["dev", "dev", "mine"] == administrators(config)
    state = founding.reopen(config.data, config.key_file)
    try:
        for ended in tokens[:-1]:
            with pytest.raises(Unauthenticated):
                state.principals.lookup(ended, "root")
        assert "dev" == state.principals.lookup(tokens[-1], "root").principal.name
    finally:
        asyncio.run(state.close())


def test_dev_leaves_the_key_of_one_that_runs(tmp_path: Path) -> None:
    """A second start on the same folder is refused before it changes anything."""
    config = Config.for_dev(folder=tmp_path)
    token = prepared(config)
    config.runtime.mkdir(exist_ok=True)
    with (config.runtime / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = run("dev", "--data", str(tmp_path))
    assert (1, "") == (result.exit_code, result.stdout)
    assert "another gateway runs on" in result.stderr
    state = founding.reopen(config.data, config.key_file)
    assert "dev" == state.principals.lookup(token, "root").principal.name
    asyncio.run(state.close())


def test_dev_says_how_to_choose_another_port(tmp_path: Path) -> None:
    """Before it has made anything."""
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        result = run("dev", "--data", str(tmp_path), "--listen", f"127.0.0.1:{busy.getsockname()[1]}")
    assert (1, "", []) == (result.exit_code, result.stdout, list(tmp_path.iterdir()))
    assert "is taken by another program" in result.stderr
    assert "make run LISTEN=127.0.0.1:9000" in result.stderr


def test_dev_says_where_it_is_and_what_to_try() -> None:
    """Address, token, and three lines; a token is quoted for the shell that will read it."""
    shown = welcome("http://127.0.0.1:8200", "a'b")
    assert "Wardgate dev answers at http://127.0.0.1:8200" in shown
    (exported,) = re.findall(r"WARDGATE_TOKEN=(.*)", shown)
    assert shlex.split(exported) == ["a'b"]
    assert [tool for tool in ("wardgate put secret/app", "bao kv get secret/app", "curl -H") if tool not in shown] == []
