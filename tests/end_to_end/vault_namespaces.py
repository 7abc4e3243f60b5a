"""What unmodified clients do in a child namespace; each scenario passes on a real OpenBao too."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import hvac
import hvac.exceptions
import pytest

from tests.end_to_end import vault_clients, vault_vectors
from tests.end_to_end.vault_bao import Bao
from tests.end_to_end.vault_clients import VALUE, another, new_path, not_found
from tests.servers.gateway import Running
from tests.servers.openbao import OpenBao


@dataclass(frozen=True)
class Child:
    """A namespace two levels below the root, and a mount of one prefix in it and in the root.

    ``token``: its administrator's. ``root_token``: an administrator's of the root.
    """

    address: str
    path: str
    mount: str
    token: str = field(repr=False)
    root_token: str = field(repr=False)

    def replay(self, vector: vault_vectors.Vector) -> None:
        """Replay a vector in it; raises AssertionError where an answer differs."""
        vault_vectors.replay(
            self.address, self.token, vector, self.mount, namespace=self.path, root_token=self.root_token
        )


def child_of(server: Running | OpenBao) -> Child:
    """A new one, made as each server has them made."""
    team = f"team-{uuid.uuid4().hex[:12]}"
    return _of_gateway(server, team) if isinstance(server, Running) else _of_openbao(server, team)


def _of_gateway(gateway: Running, team: str) -> Child:
    above = _made(gateway, gateway.token, "", team)
    token = _made(gateway, above, team, "sub")
    child = Child(gateway.address, f"{team}/sub", f"kv-{team}", token, gateway.token)
    enabled = {"type": "kv", "options": {"version": "2"}}
    for namespace, administrator in (("", gateway.token), (child.path, token)):
        target = f"/v1/sys/mounts/{child.mount}"
        answer = gateway.call("POST", target, enabled, token=administrator, X_Vault_Namespace=namespace)
        assert answer.status == 204, answer.body
    return child


def _made(gateway: Running, token: str, parent: str, name: str) -> str:
    """Make a namespace; its administrator's token."""
    answer = gateway.call("POST", "/api/v1/namespaces", {"name": name}, token=token, X_Wardgate_Namespace=parent)
    assert answer.status == 201, answer.body
    return str(answer.json()["administrator"]["token"])


def _of_openbao(openbao: OpenBao, team: str) -> Child:
    path = f"{team}/sub"
    openbao.call("POST", f"sys/namespaces/{team}", {})
    openbao.call("POST", "sys/namespaces/sub", {}, namespace=team)
    mount = openbao.new_mount(openbao.new_mount(), namespace=path)
    everything = 'path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }'
    openbao.call("POST", "sys/policies/acl/administrator", {"policy": everything}, namespace=path)
    made = openbao.call("POST", "auth/token/create", {"policies": ["administrator"]}, namespace=path)
    return Child(openbao.address, path, mount, made["auth"]["client_token"], openbao.token)


def hvac_in_a_namespace(child: Child) -> None:
    """A program with a policy and a token of its namespace finds what is there, and nothing of the root."""
    root = vault_clients.client(child.address, child.root_token)
    administrator = vault_clients.client(child.address, child.token, namespace=child.path)
    ours, theirs, policy, mount = new_path(), new_path(), new_path(), child.mount
    rule = f'path "{mount}/data/{ours}" {{ capabilities = ["create", "read", "update"] }}'
    administrator.sys.create_or_update_acl_policy(policy, rule)
    granted = administrator.auth.token.create(policies=[policy])["auth"]
    program = another(administrator, granted["client_token"])

    assert policy in granted["policies"]
    assert program.secrets.kv.v2.create_or_update_secret(ours, VALUE, mount_point=mount)["data"]["version"] == 1
    assert _read(program, mount, ours) == VALUE
    assert f"{mount}/" in administrator.sys.list_mounted_secrets_engines()["data"]

    root.secrets.kv.v2.create_or_update_secret(theirs, {"n": "1"}, mount_point=mount)
    not_found(lambda: _read(root, mount, ours))
    not_found(lambda: _read(administrator, mount, theirs))
    elsewhere = another(root, program.token)
    for client, path in ((program, theirs), (elsewhere, ours), (elsewhere, theirs)):
        with pytest.raises(hvac.exceptions.Forbidden, match="permission denied"):
            _read(client, mount, path)
    assert policy not in root.sys.list_acl_policies()["data"]["keys"]


def _read(client: hvac.Client, mount: str, path: str) -> object:
    found = client.secrets.kv.v2.read_secret_version(path, mount_point=mount, raise_on_deleted_version=True)
    return found["data"]["data"]


def bao_in_a_namespace(child: Child, command: Path, home: Path) -> None:
    """The same by ``bao -namespace=team/sub``."""
    root = Bao(command, child.address, home, child.root_token)
    administrator = Bao(command, child.address, home, child.token)
    ours, theirs, policy = new_path(), new_path(), new_path()
    there, at = f"-namespace={child.path}", f"-mount={child.mount}"
    rule = f'path "{child.mount}/data/{ours}" {{ capabilities = ["create", "read", "update"] }}'
    written = administrator.run("policy", "write", there, policy, "-", stdin=rule)
    assert written.returncode == 0, written.stderr
    token = administrator.ask("token", "create", there, f"-policy={policy}")["auth"]["client_token"]
    program = Bao(command, child.address, home, token)

    assert program.ask("kv", "put", there, at, ours, "n=1")["data"]["version"] == 1
    assert program.ask("kv", "get", there, at, ours)["data"]["data"] == {"n": "1"}
    assert f"{child.mount}/" in administrator.ask("secrets", "list", there)

    root.ask("kv", "put", at, theirs, "n=2")
    assert root.run("kv", "get", at, ours).returncode == 2
    assert administrator.run("kv", "get", there, at, theirs).returncode == 2
    for where, path in (((there,), theirs), ((), ours), ((), theirs)):
        refused = program.run("kv", "get", *where, at, path)
        assert (refused.returncode, "Code: 403" in refused.stderr) == (2, True), refused.stderr
    assert policy not in root.ask("policy", "list")


HVAC_NAMESPACE: tuple[Callable[[Child], None], ...] = (hvac_in_a_namespace,)
BAO_NAMESPACE: tuple[Callable[[Child, Path, Path], None], ...] = (bao_in_a_namespace,)
