"""Nobody has a key any more: the way back, beside a gateway that runs and without one."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from wardgate.cli.root import wardgate

from tests.end_to_end.test_cli_init_serve import WARDGATE, serving


def run(*arguments: str, **environment: str) -> Result:
    """One command in this process, since starting one takes longer than its work."""
    return CliRunner().invoke(wardgate, list(arguments), env=environment)


@pytest.fixture
def locked_out(tmp_path: Path) -> Path:
    """The configuration of an installation whose only key was revoked, over the API, by its holder."""
    config = tmp_path / "wardgate.toml"
    arguments = ("--data", str(tmp_path / "data"), "--key-file", str(tmp_path / "key"), "--config", str(config))
    first = json.loads(run("init", *arguments, "--json").stdout)["token"]
    config.write_text(config.read_text() + '\n[server]\nlisten = "127.0.0.1:0"\nworkers = 2\n')
    with serving(config) as address:
        shell = {"WARDGATE_ADDR": address, "WARDGATE_TOKEN": first}
        assert 0 == run("namespace", "create", "team", **shell).exit_code
        (known,) = json.loads(run("key", "list", "--json", **shell).stdout)["keys"]
        assert 0 == run("key", "revoke", known["id"], "--yes", **shell).exit_code
        assert 4 == run("key", "list", **shell).exit_code
    return config


def recovered(config: Path, *arguments: str) -> str:
    """The token that ``key recover`` prints in a process of its own."""
    command = [*WARDGATE, "key", "recover", "--config", str(config), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    token = ended.stdout.removesuffix("\n")
    assert token not in ended.stderr
    return token


@pytest.mark.server
@pytest.mark.parametrize("running", [True, False])
def test_a_recovered_key_opens_the_gateway_again(locked_out: Path, *, running: bool) -> None:
    """In every worker, at once; it makes a key that lasts, and its end leaves that one alone."""
    before = "" if running else recovered(locked_out)
    with serving(locked_out) as address:
        token = before or recovered(locked_out)
        shell = {"WARDGATE_ADDR": address, "WARDGATE_TOKEN": token}
        for _ in range(10):  # each asks on a connection of its own, which any worker may take
            (known,) = json.loads(run("key", "list", "--json", **shell).stdout)["keys"]
        assert known["name"].startswith("recovered-")
        lasting = run("key", "create", "me", "--policy", "administrator", **shell).stdout.strip()
        assert 0 == run("key", "revoke", known["id"], "--yes", **shell).exit_code
        assert 4 == run("key", "list", **shell).exit_code
        assert 0 == run("mount", "add", "s", "--type", "native", **{**shell, "WARDGATE_TOKEN": lasting}).exit_code
    assert 0 == run("audit", "verify", str(locked_out.parent / "data" / "audit")).exit_code
    files = [file for file in locked_out.parent.rglob("*") if file.is_file()]
    assert [] == [file for file in files if token.encode() in file.read_bytes()]


@pytest.mark.server
def test_a_key_recovered_in_a_namespace_opens_that_one_alone(locked_out: Path) -> None:
    """The root stays shut to it."""
    with serving(locked_out) as address:
        shell = {"WARDGATE_ADDR": address, "WARDGATE_TOKEN": recovered(locked_out, "--namespace", "team")}
        assert 0 == run("key", "list", "--namespace", "team", **shell).exit_code
        assert 4 == run("key", "list", **shell).exit_code


@pytest.mark.server
def test_keys_recovered_at_once_beside_a_busy_gateway_all_hold(locked_out: Path) -> None:
    """Writers of other processes take turns with the workers'."""
    with serving(locked_out) as address:
        shell = {"WARDGATE_ADDR": address, "WARDGATE_TOKEN": recovered(locked_out)}
        command = [*WARDGATE, "key", "recover", "--config", str(locked_out)]
        several = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(4)]
        written = [run("key", "create", f"k{i}", "--policy", "administrator", **shell).exit_code for i in range(20)]
        tokens = [process.communicate(timeout=60)[0].decode().strip() for process in several]
        assert [0] * 24 == written + [process.returncode for process in several]
        assert 25 == len(json.loads(run("key", "list", "--json", **shell).stdout)["keys"])
        for token in tokens:
            assert 0 == run("key", "list", **{**shell, "WARDGATE_TOKEN": token}).exit_code
