"""What the unmodified ``bao`` command does: each scenario over any backend, as in ``vault_clients``."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wardgate.spi.capabilities import Capabilities

from tests.end_to_end.vault_clients import SECONDS, VALUE, new_path


@dataclass(frozen=True)
class Bao:
    """The ``bao`` command with an environment of its own: no token file, no setting of the caller's."""

    command: Path
    address: str
    home: Path
    token: str = field(repr=False)

    def run(self, *arguments: str, stdin: str = "", token: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run it and wait; never raises for an exit code."""
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.home),
            "BAO_ADDR": self.address,
            "BAO_TOKEN": self.token if token is None else token,
            "BAO_FORMAT": "json",
        }
        return subprocess.run(
            [self.command, *arguments], env=environment, input=stdin, capture_output=True, text=True, timeout=SECONDS,
            check=False,
        )  # fmt: skip

    def ask(self, *arguments: str, stdin: str = "", token: str | None = None) -> Any:
        """Run it, expect success, and read what it printed as JSON; None where it printed nothing."""
        done = self.run(*arguments, stdin=stdin, token=token)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() else None

    def tell(self, supported: bool, *arguments: str) -> bool:  # noqa: FBT001  # reads as "tell, if supported"
        """Run a change whose output does not matter; where it is not supported, expect the refusal."""
        done = self.run(*arguments)
        if supported:
            assert done.returncode == 0, (arguments, done.stderr)
        else:
            assert done.returncode != 0, arguments
            assert "unsupported operation" in done.stderr, done.stderr
        return supported


def bao_kv(bao: Bao, mount: str, capabilities: Capabilities) -> None:
    """put, get, a field of it, and what is not there."""
    path = new_path()

    assert bao.ask("kv", "put", f"-mount={mount}", path, "user=ann", "password=s3cret=x")["data"]["version"] == 1
    assert bao.ask("kv", "get", f"-mount={mount}", path)["data"]["data"] == {"user": "ann", "password": "s3cret=x"}
    assert bao.ask("kv", "get", f"-mount={mount}", "-field=user", path) == "ann"
    assert bao.ask("kv", "get", f"{mount}/{path}")["data"]["metadata"]["version"] == 1
    assert bao.run("kv", "get", f"-mount={mount}", new_path()).returncode == 2


def bao_kv_from_stdin(bao: Bao, mount: str, capabilities: Capabilities) -> None:
    """A whole object comes in through the standard input, and no value through the command line."""
    path = new_path()
    bao.ask("kv", "put", f"-mount={mount}", path, "-", stdin=json.dumps(VALUE))

    assert bao.ask("kv", "get", f"-mount={mount}", path)["data"]["data"] == VALUE


def bao_kv_versions(bao: Bao, mount: str, capabilities: Capabilities) -> None:
    """Older versions, and a check-and-set that fails."""
    path = new_path()
    bao.ask("kv", "put", f"-mount={mount}", path, "n=1")
    bao.ask("kv", "put", f"-mount={mount}", path, "n=2")

    if bao.tell(capabilities.versions, "kv", "get", f"-mount={mount}", "-version=1", path):
        first = bao.ask("kv", "get", f"-mount={mount}", "-version=1", path)
        assert first["data"]["data"] == {"n": "1"}
    stale = bao.run("kv", "put", f"-mount={mount}", "-cas=1", path, "n=3")
    assert stale.returncode != 0
    expected = "did not match the current version" if capabilities.compare_and_set else "unsupported operation"
    assert expected in stale.stderr


def bao_kv_deletes(bao: Bao, mount: str, capabilities: Capabilities) -> None:
    """delete, undelete, destroy, and the whole secret."""
    path = new_path()
    at = f"-mount={mount}"
    bao.ask("kv", "put", at, path, "n=1")

    assert bao.run("kv", "delete", at, path).returncode == 0
    gone = bao.run("kv", "get", at, path)
    assert "n" not in ((json.loads(gone.stdout or "{}").get("data") or {}).get("data") or {})
    if bao.tell(capabilities.undelete, "kv", "undelete", at, "-versions=1", path):
        assert bao.ask("kv", "get", at, path)["data"]["data"] == {"n": "1"}
    if bao.tell(capabilities.destroy, "kv", "destroy", at, "-versions=1", path):
        assert bao.run("kv", "metadata", "delete", at, path).returncode == 0
        assert bao.run("kv", "get", at, path).returncode == 2


def bao_kv_list(bao: Bao, mount: str, capabilities: Capabilities) -> None:
    """`kv list` asks with ?list=true."""
    path = new_path()
    bao.ask("kv", "put", f"-mount={mount}", f"{path}/b", "n=1")
    bao.ask("kv", "put", f"-mount={mount}", f"{path}/a/below", "n=1")

    if bao.tell(capabilities.list, "kv", "list", f"-mount={mount}", path):
        assert bao.ask("kv", "list", f"-mount={mount}", path) == ["a/", "b"]
        assert bao.run("kv", "list", f"-mount={mount}", new_path()).returncode == 2


def bao_kv_metadata(bao: Bao, mount: str, capabilities: Capabilities) -> None:
    """Metadata put and get."""
    path, at = new_path(), f"-mount={mount}"
    bao.ask("kv", "put", at, path, "n=1")

    both = capabilities.labels and capabilities.settings
    bao.tell(both, "kv", "metadata", "put", at, "-max-versions=4", "-custom-metadata=team=a", path)
    if bao.tell(capabilities.describe, "kv", "metadata", "get", at, path):
        described = bao.ask("kv", "metadata", "get", at, path)["data"]
        assert described["current_version"] == 1
        assert (described["max_versions"], described["custom_metadata"]) == ((4, {"team": "a"}) if both else (0, None))


def bao_kv_patch(bao: Bao, mount: str, capabilities: Capabilities) -> None:
    """`kv patch`: where PATCH is not offered, the client reads and writes by itself, under a check-and-set."""
    path, at = new_path(), f"-mount={mount}"
    bao.ask("kv", "put", at, path, "a=1", "b=1")

    if bao.tell(capabilities.compare_and_set, "kv", "patch", at, path, "b=2"):
        assert bao.ask("kv", "get", at, path)["data"]["data"] == {"a": "1", "b": "2"}


def bao_approle(bao: Bao, mount: str, capabilities: Capabilities) -> None:
    """A role, a login with `bao write`, and the token that came of it."""
    role = f"auth/approle/role/{new_path()}"
    bao.run("write", role, "token_policies=default", "token_ttl=10m")
    role_id = bao.ask("read", "-field=role_id", f"{role}/role-id")
    secret_id = bao.ask("write", "-force", "-field=secret_id", f"{role}/secret-id")

    login = bao.ask("write", "auth/approle/login", f"role_id={role_id}", "secret_id=-", stdin=secret_id, token="")
    token = login["auth"]["client_token"]

    assert login["auth"]["lease_duration"] == 600
    assert bao.ask("token", "lookup", token=token)["data"]["display_name"]
    assert bao.ask("token", "renew", token=token)["auth"]["client_token"] == token
    assert bao.run("token", "revoke", "-self", token=token).returncode == 0
    assert bao.run("token", "lookup", token=token).returncode == 2
    assert role.rsplit("/", 1)[1] in bao.ask("list", "auth/approle/role")
    assert bao.run("delete", role).returncode == 0


def bao_system(bao: Bao, mount: str, capabilities: Capabilities) -> None:
    """status, the list of mounts, and what may be done at a path."""
    assert bao.ask("status")["sealed"] is False
    listed = bao.ask("secrets", "list")[f"{mount}/"]
    assert (listed["type"], listed["options"]["version"]) == ("kv", "2")
    assert bao.ask("token", "lookup")["data"]["policies"]
    granted = bao.ask("token", "capabilities", f"{mount}/data/x")
    assert "read" in granted or "root" in granted


def bao_secrets_enable(bao: Bao, mount: str, capabilities: Capabilities) -> None:
    """A new mount of KV version 2, used and taken away again."""
    prefix = new_path()
    assert bao.run("secrets", "enable", f"-path={prefix}", "-version=2", "kv").returncode == 0
    try:
        bao.ask("kv", "put", f"-mount={prefix}", "x", "n=1")
        assert bao.ask("kv", "get", f"-mount={prefix}", "x")["data"]["data"] == {"n": "1"}
    finally:
        assert bao.run("secrets", "disable", prefix).returncode == 0
    assert bao.run("kv", "get", f"-mount={prefix}", "x").returncode == 2


def bao_denied(bao: Bao, mount: str, capabilities: Capabilities) -> None:
    """A wrong token is told so."""
    done = bao.run("kv", "get", f"-mount={mount}", "x", token="not-a-token")

    assert done.returncode == 2
    assert "permission denied" in done.stderr


BAO_SCENARIOS: tuple[Callable[[Bao, str, Capabilities], None], ...] = (
    bao_kv, bao_kv_from_stdin, bao_kv_versions, bao_kv_deletes, bao_kv_list, bao_kv_metadata, bao_kv_patch,
    bao_approle, bao_system, bao_secrets_enable, bao_denied,
)  # fmt: skip
