"""The command line against a real gateway: what a person does on the first day, and that nothing leaks on the way."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner
from wardgate.cli.root import wardgate

WARDGATE = (sys.executable, "-c", "from wardgate.cli import main; main()")
CANARY = "canary-value-4c77"
POLICY = '[[rules]]\neffect = "allow"\nactions = ["read", "list"]\npaths = ["secret/app/**"]\n'


@dataclass
class Shell:
    """Runs commands with one gateway and one token in the environment, and keeps all that they said on stderr."""

    environment: Mapping[str, str]
    said: list[str] = field(default_factory=list)

    def run(self, *arguments: str, stdin: str = "", code: int = 0) -> str:
        """One command, in this process since starting one takes longer than its work; its stdout."""
        ended = CliRunner().invoke(wardgate, list(arguments), input=stdin, env=self.environment)
        self.said.append(ended.stderr)
        assert ended.exit_code == code, ended.stderr
        return ended.stdout

    def start(self, *arguments: str, stdin: str = "", code: int = 0) -> str:
        """The same in a process of its own, as a person starts it."""
        ended = subprocess.run(
            [*WARDGATE, *arguments], input=stdin, capture_output=True, text=True, check=False,
            env={**os.environ, **self.environment}, timeout=60,
        )  # fmt: skip
        self.said.append(ended.stderr)
        assert ended.returncode == code, ended.stderr
        return ended.stdout

    def with_token(self, token: str) -> Shell:
        """The same gateway, another principal."""
        return Shell({**self.environment, "WARDGATE_TOKEN": token}, self.said)


@dataclass
class Gateway:
    """A running ``wardgate dev``."""

    process: subprocess.Popen[str]
    shell: Shell
    token: str
    folder: Path


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway on any free port, with a random administrator's token."""
    folder = tmp_path_factory.mktemp("dev")
    command = [*WARDGATE, "dev", "--listen", "127.0.0.1:0", "--data", str(folder), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        shell = Shell({"WARDGATE_ADDR": told["address"], "WARDGATE_TOKEN": told["token"]})
        yield Gateway(process, shell, told["token"], folder)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def command_lines() -> Iterator[bytes]:
    """The command line of every process of this machine, but our own."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        if file.parent.name != str(os.getpid()):
            with contextlib.suppress(OSError):  # it ended meanwhile
                yield file.read_bytes()


@pytest.mark.server
def test_a_secret_lives_and_dies(dev: Gateway) -> None:
    """Written, read, replaced under a condition, deleted, recovered, destroyed."""
    wg = dev.shell
    wg.run("put", "secret/life/a", "password=-", "--plain", "user=app", stdin=f"{CANARY}\n")
    assert wg.run("get", "secret/life/a", "--field", "password") == CANARY
    assert json.loads(wg.run("get", "secret/life/a", "--json"))["value"] == {"password": CANARY, "user": "app"}
    wg.run("put", "secret/life/a", "-", "--create", stdin="x", code=5)
    wg.run("put", "secret/life/a", "-", "--expect", "1", stdin="second\n")
    wg.run("put", "secret/life/a", "-", "--expect", "1", stdin="x", code=5)
    assert wg.run("get", "secret/life/a") == "second\n"
    assert wg.run("list", "secret/life") == "a\n"
    wg.run("delete", "secret/life/a", "--yes")
    wg.run("get", "secret/life/a", code=3)
    wg.run("undelete", "secret/life/a")
    wg.run("destroy", "secret/life/a", "--version", "1", "--yes")
    wg.run("get", "secret/life/a", "--version", "1", code=3)
    states = [version["state"] for version in json.loads(wg.run("history", "secret/life/a", "--json"))["versions"]]
    assert states == ["destroyed", "live"]
    wg.run("destroy", "secret/life/a", "--all", "--yes")
    wg.run("history", "secret/life/a", code=3)


@pytest.mark.server
def test_fields_are_patched_and_folders_are_walked(dev: Gateway) -> None:
    """By whoever may write or list; a wrong version ends in a conflict."""
    wg = dev.shell
    wg.run("put", "secret/walk/a/b", "password=-", "--plain", "user=app", "--plain", "old=x", stdin="first")
    wg.run("put", "secret/walk/c", "-", stdin="text")
    wg.run("patch", "secret/walk/a/b", "password=-", "--remove", "old", "--expect", "1", stdin="second")
    assert json.loads(wg.run("get", "secret/walk/a/b")) == {"password": "second", "user": "app"}
    wg.run("patch", "secret/walk/a/b", "password=-", "--expect", "1", stdin="third", code=5)
    wg.run("patch", "secret/walk/c", "password=-", stdin="x", code=2)
    assert wg.run("list", "--recursive", "secret/walk") == "secret/walk/a/b\nsecret/walk/c\n"
    assert {"secret/walk/a/b", "secret/walk/c"} <= set(wg.run("list", "-r").splitlines())


@pytest.mark.server
def test_the_audit_is_followed(dev: Gateway) -> None:
    """What was just done is the last that is shown, to whoever may read the files."""
    dev.shell.run("get", "secret/nowhere/at/all", code=3)
    audit = str(dev.folder / "data" / "audit")
    shown = dev.shell.run(
        "audit", "tail", audit, "--no-follow", "--path", "secret/nowhere", "--operation", "ReadSecret"
    )
    assert "secret_not_found" in shown
    assert "secret/nowhere/at/all  by dev" in shown


@pytest.mark.server
def test_a_key_may_do_what_its_policy_says(dev: Gateway, tmp_path: Path) -> None:
    """And nothing once it is revoked; an AppRole's token the same."""
    wg = dev.shell
    policy = tmp_path / "app.toml"
    policy.write_text(POLICY)
    wg.run("policy", "write", "app", str(policy))
    wg.run("put", "secret/app/db", "-", stdin="for the app")
    wg.run("put", "secret/other", "-", stdin="not for the app")
    assert "allowed by policy app" in wg.run("policy", "explain", "read", "secret/app/db", "--policy", "app")
    made = json.loads(wg.run("key", "create", "ci", "--policy", "app", "--ttl", "1h", "--json"))
    app = wg.with_token(made["token"])
    assert app.run("get", "secret/app/db") == "for the app"
    app.run("get", "secret/other", code=4)
    app.run("put", "secret/app/db", "-", stdin="x", code=4)
    app.run("key", "list", code=4)
    wg.run("key", "revoke", made["info"]["id"], "--yes")
    app.run("get", "secret/app/db", code=4)
    wg.run("approle", "write", "web", "--policy", "app", "--token-ttl", "1h")
    role_id = wg.run("approle", "role-id", "web").strip()
    secret_id = wg.run("approle", "secret-id", "web")
    token = wg.with_token("").run("approle", "login", "--role-id", role_id, stdin=secret_id).strip()
    assert wg.with_token(token).run("get", "secret/app/db") == "for the app"
    wg.with_token("").run("approle", "login", "--role-id", role_id, stdin="wrong", code=4)


@pytest.mark.server
def test_a_login_method_of_a_team_begins_and_ends(dev: Gateway) -> None:
    """Enabled, tuned, with a role of its own; and what it brought ends with it."""
    wg = dev.shell
    wg.run("auth", "enable", "team-ci", "--description", "machines", "--max-ttl", "1h")
    wg.run("auth", "tune", "team-ci", "--default-ttl", "10m")
    assert "team-ci/\tapprole\t600s\t3600s\tmachines\n" in wg.run("auth", "list")
    wg.run("approle", "write", "web", "--method", "team-ci", "--policy", "administrator")
    assert wg.run("approle", "list", "--method", "team-ci") == "web\n"
    role_id = wg.run("approle", "role-id", "web", "--method", "team-ci").strip()
    secret_id = wg.run("approle", "secret-id", "web", "--method", "team-ci")
    machine = wg.with_token("")
    machine.run("approle", "login", "--role-id", role_id, stdin=secret_id, code=4)
    login = ("approle", "login", "--method", "team-ci", "--role-id", role_id)
    held = wg.with_token(machine.run(*login, stdin=secret_id).strip())
    held.run("auth", "list")
    wg.run("auth", "disable", "team-ci", "--yes")
    held.run("auth", "list", code=4)
    machine.run(*login, stdin=secret_id, code=4)
    wg.run("auth", "disable", "token", "--yes", code=2)
    assert "token/ cannot be disabled" in wg.said[-1]


@pytest.mark.server
def test_a_namespace_is_a_world_of_its_own(dev: Gateway) -> None:
    """Its administrator rules there and nowhere else, and nobody else rules there."""
    wg = dev.shell
    token = json.loads(wg.run("namespace", "create", "team-a", "--json"))["administrator"]["token"]
    team = wg.with_token(token)
    team.run("mount", "add", "kv", "--type", "native", "--namespace", "team-a")
    team.run("put", "kv/a", "-", "--namespace", "team-a", stdin="theirs")
    assert team.run("list", "--namespace", "team-a") == "kv/\n"
    assert team.run("get", "kv/a", "--namespace", "team-a") == "theirs"
    team.run("list", code=4)
    wg.run("get", "kv/a", "--namespace", "team-a", code=4)
    wg.run("namespace", "delete", "team-a", "--yes", code=5)
    team.run("mount", "remove", "kv", "--yes", "--namespace", "team-a")
    wg.run("namespace", "delete", "team-a", "--yes")
    team.run("list", "--namespace", "team-a", code=4)


@pytest.mark.server
def test_a_second_gateway_on_the_port_says_so(dev: Gateway) -> None:
    """One plain sentence, and the first is not disturbed."""
    listen = dev.shell.environment["WARDGATE_ADDR"].removeprefix("http://")
    assert dev.shell.start("dev", "--listen", listen, code=1) == ""
    assert "is taken by another program" in dev.shell.said[-1]
    assert "secret/\n" in dev.shell.run("list")


@pytest.mark.server
def test_the_audit_of_the_day_holds(dev: Gateway) -> None:
    """Every chain, while the gateway runs."""
    assert "holds" in dev.shell.run("audit", "verify", str(dev.folder / "data" / "audit"))


@pytest.mark.server
def test_no_value_or_token_leaks(dev: Gateway) -> None:
    """Not into the process list, not into what commands say on stderr, not into any file of the gateway."""
    dev.shell.start("put", "secret/leak", "password=-", stdin=CANARY)
    assert dev.shell.start("get", "secret/leak", "--field", "password") == CANARY
    dev.shell.start("put", "secret/leak", f"password={CANARY}", code=2)
    processes = list(command_lines())
    files = [file.read_bytes() for file in dev.folder.rglob("*") if file.is_file()]
    for secret in (CANARY, dev.token):
        assert not any(secret.encode() in seen for seen in (*processes, *files))
        assert not any(secret in seen for seen in dev.shell.said)
