"""consul-template, unmodified: it renders secrets, renders them again once they change, and keeps its token alive."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.gateway import Running

SECONDS = 60.0
MOUNT, PLAIN = "templates", "templates-v1"
RULES = {"rules": [{"effect": "allow", "actions": ["read", "list"], "paths": [f"{MOUNT}/**", f"{PLAIN}/**"]}]}
CONFIGURATION = """
vault {{
  address                = "{address}"
  {namespace}
  {token}
  renew_token            = true
  default_lease_duration = "1s"
}}
template {{
  contents    = <<EOT
{template}
EOT
  destination = "{folder}/rendered"
}}
"""
pytestmark = pytest.mark.parametrize("built_client", ["consul-template"], indirect=True)


class Rendering:
    """A consul-template that shows what it renders; see :func:`rendering`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.strip())

    def until(self, wanted: str) -> None:
        """Wait for a line. Raises queue.Empty when none came in time."""
        while self._lines.get(timeout=SECONDS) != wanted:
            pass


@contextlib.contextmanager
def rendering(
    command: tuple[str, ...], gateway: Running, folder: Path, template: str, *, token: str, namespace: str = ""
) -> Iterator[Rendering]:
    """Run it until the block ends. ``token``: lines of its configuration."""
    file = folder / "consul-template.hcl"
    named = f'namespace = "{namespace}"' if namespace else ""
    file.write_text(
        CONFIGURATION.format(address=gateway.address, namespace=named, token=token, template=template, folder=folder)
    )
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    log = (folder / "log").open("w")
    process = subprocess.Popen(
        [*command, "-config", str(file), "-dry"], env=environment, stdout=subprocess.PIPE, stderr=log, text=True
    )
    log.close()
    try:
        yield Rendering(process)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def put(gateway: Running, path: str, data: dict[str, str], **headers: str) -> None:
    kind, body = (f"{MOUNT}/data/{path}", {"data": data}) if "ttl" not in data else (f"{PLAIN}/{path}", data)
    answer = gateway.call("POST", f"/v1/{kind}", body, **headers)
    assert answer.status in {200, 204}, answer.body


@pytest.fixture(scope="module")
def login(gateway: Running) -> Callable[..., str]:
    """Logs a role in that may read both mounts; its token lives so long."""
    gateway.mount(MOUNT, "native")
    shown = {"prefix": PLAIN, "type": "native", "presentation": {"vault.kv": "1"}}
    assert gateway.call("POST", "/api/v1/mounts", shown).status in {200, 201}
    assert gateway.call("PUT", "/api/v1/policies/templates", RULES).status in {200, 201, 204}

    def login(ttl: str, **headers: str) -> str:
        role = "/v1/auth/approle/role/templates"
        assert gateway.call("POST", role, {"token_policies": ["templates"], "token_ttl": ttl}).status == 204
        ids = {
            "role_id": gateway.call("GET", f"{role}/role-id").json()["data"]["role_id"],
            "secret_id": gateway.call("POST", f"{role}/secret-id").json()["data"]["secret_id"],
        }
        answer = gateway.call("POST", "/v1/auth/approle/login", ids, token="", **headers).json()
        return str((answer["wrap_info"] or answer["auth"]).get("token") or answer["auth"]["client_token"])

    return login


def test_a_change_renders_again(
    built_client: tuple[str, ...], gateway: Running, login: Callable[..., str], tmp_path: Path
) -> None:
    """Over KV version 2 and version 1, where the secret's own ``ttl`` says how long it is good for."""
    put(gateway, "app", {"password": "one"})
    put(gateway, "app", {"password": "uno", "ttl": "1s"})
    template = (
        f'{{{{ with secret "{MOUNT}/data/app" }}}}v2={{{{ .Data.data.password }}}}{{{{ end }}}}\n'
        f'{{{{ with secret "{PLAIN}/app" }}}}v1={{{{ .Data.password }}}}{{{{ end }}}}\n'
        f'{{{{ range secrets "{MOUNT}/metadata/" }}}}name={{{{ . }}}}{{{{ end }}}}'
    )
    with rendering(built_client, gateway, tmp_path, template, token=f'token = "{login("1h")}"') as shown:
        for line in ("v2=one", "v1=uno", "name=app"):
            shown.until(line)
        put(gateway, "app", {"password": "two"})
        shown.until("v2=two")
        put(gateway, "app", {"password": "dos", "ttl": "1s"})
        shown.until("v1=dos")


def test_its_token_is_kept_alive(
    built_client: tuple[str, ...], gateway: Running, login: Callable[..., str], tmp_path: Path
) -> None:
    """A token of two seconds, handed over wrapped, still reads what was written after it would have ended."""
    put(gateway, "lives", {"password": "0"})
    template = f'{{{{ with secret "{MOUNT}/data/lives" }}}}v2={{{{ .Data.data.password }}}}{{{{ end }}}}'
    wrapped = login("2s", X_Vault_Wrap_TTL="60s")
    token = f'token = "{wrapped}"\n  unwrap_token = true'
    with rendering(built_client, gateway, tmp_path, template, token=token) as shown:
        # Each takes most of the second for which a reading is good: together more than the token's two.
        for turn in range(6):
            put(gateway, "lives", {"password": str(turn)})
            shown.until(f"v2={turn}")


def test_a_namespace_is_its_own(built_client: tuple[str, ...], gateway: Running, tmp_path: Path) -> None:
    """The header that consul-template sends for it chooses whose secrets are read."""
    answer = gateway.call("POST", "/api/v1/namespaces", {"name": "templates-team"})
    assert answer.status in {200, 201}, answer.body
    token = answer.json()["administrator"]["token"]
    within = {"X_Vault_Namespace": "templates-team", "token": token}
    assert gateway.call("POST", f"/v1/sys/mounts/{MOUNT}", {"type": "kv"}, **within).status == 204
    put(gateway, "app", {"password": "theirs"}, **within)
    template = f'{{{{ with secret "{MOUNT}/data/app" }}}}v2={{{{ .Data.data.password }}}}{{{{ end }}}}'
    lines = f"token = {json.dumps(token)}"
    with rendering(built_client, gateway, tmp_path, template, token=lines, namespace="templates-team") as shown:
        shown.until("v2=theirs")
