"""From ``init`` to the first secret over TLS, and the ways ``serve`` refuses to start."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme
from click.testing import CliRunner, Result
from wardgate.cli.root import wardgate

WARDGATE = (sys.executable, "-c", "from wardgate.cli import main; main()")


def run(*arguments: str, env: Mapping[str, str] | None = None, stdin: str = "") -> Result:
    """One command in this process, since starting one takes longer than its work."""
    return CliRunner().invoke(wardgate, list(arguments), input=stdin, env=env)


def refused(config: Path) -> subprocess.CompletedProcess[str]:
    """``wardgate serve`` that ends by itself."""
    command = [*WARDGATE, "serve", "--config", str(config)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@contextmanager
def serving(config: Path) -> Iterator[str]:
    """A running ``wardgate serve``; its address."""
    with subprocess.Popen([*WARDGATE, "serve", "--config", str(config), "--json"], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["address"]
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, str]:
    """A fresh installation's configuration, for any free port and one worker, and its administrator's key."""
    config = tmp_path / "wardgate.toml"
    arguments = ("--data", str(tmp_path / "data"), "--key-file", str(tmp_path / "key"), "--config", str(config))
    told = json.loads(run("init", *arguments, "--json").stdout)
    config.write_text(config.read_text() + '\n[server]\nlisten = "127.0.0.1:0"\nworkers = 1\n')
    return config, told["token"]


@pytest.mark.server
def test_from_init_to_the_first_secret_over_tls(made: tuple[Path, str], tmp_path: Path) -> None:
    """The commands that ``init`` tells; a restart keeps the secret, and a stranger's certificate is refused."""
    config, token = made
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(tmp_path / "tls.key")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "tls.pem")
    config.write_text(config.read_text() + 'tls_certificate = "tls.pem"\ntls_key = "tls.key"\n')
    with serving(config) as address:
        assert address.startswith("https://")
        env = {"WARDGATE_ADDR": address, "WARDGATE_TOKEN": token, "WARDGATE_CA_FILE": str(tmp_path / "ca.pem")}
        assert run("mount", "add", "secret", "--type", "native", env=env).exit_code == 0
        assert run("put", "secret/first", "-", stdin="kept", env=env).exit_code == 0
        stranger = run("list", env={**env, "WARDGATE_CA_FILE": ""})
        assert (6, True) == (stranger.exit_code, "its certificate is not trusted" in stranger.stderr)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    config.write_text(config.read_text().replace("127.0.0.1:0", listen))
    with serving(config) as address:
        assert "readiness: state: ok, audit: ok, running: ok, ok" in run("doctor", "--config", str(config)).stdout
        assert run("get", "secret/first", env={**env, "WARDGATE_ADDR": address}).stdout == "kept"
    checked = run("doctor", "--config", str(config))
    assert checked.exit_code == 0, checked.stdout
    assert run("audit", "verify", "--config", str(config)).exit_code == 0


def without_key(config: Path) -> None:
    """The key file is gone."""
    (config.parent / "key").unlink()


def with_another_key(config: Path) -> None:
    """The key file is another installation's."""
    (config.parent / "key").unlink()
    run("init", "--data", str(config.parent / "other"), "--key-file", str(config.parent / "key"))


def with_unknown_plugin(config: Path) -> None:
    """A plugin that is not installed."""
    config.write_text('plugins = ["nativ"]\n' + config.read_text())


def with_damaged_state(config: Path) -> None:
    """The database is not one."""
    (config.parent / "data" / "gateway.db").write_bytes(b"not a database" * 1_000)


@pytest.mark.server
@pytest.mark.parametrize(
    ("spoil", "code", "says"),
    [
        (without_key, 1, "there is no key file"),
        (with_another_key, 1, "key"),
        (with_unknown_plugin, 2, "did you mean 'native'"),
        (with_damaged_state, 1, "gateway.db"),
    ],
)
def test_serve_stops_with_one_plain_sentence(
    made: tuple[Path, str], spoil: Callable[[Path], None], code: int, says: str
) -> None:
    """What is wrong and what to do, in a line, and never a traceback."""
    config, _ = made
    spoil(config)
    ended = refused(config)
    assert (code, "", 1) == (ended.returncode, ended.stdout, len(ended.stderr.splitlines())), ended.stderr
    assert says in ended.stderr


@pytest.mark.server
def test_serve_on_a_busy_port_says_so(made: tuple[Path, str]) -> None:
    """And which port."""
    config, _ = made
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        config.write_text(config.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
        ended = refused(config)
    assert (1, f"port {port} is taken" in ended.stderr) == (ended.returncode, True)
