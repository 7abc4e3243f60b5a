"""A real OpenBao 2.4.0 on this machine without containers: built once with Go, started for as long as it is needed.

By hand: ``python -m tests.servers.openbao`` prints its address and root token and runs until it is interrupted.
"""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.programs import DidNotStart, child, clean_environment, go_binary

MODULE = Path(__file__).with_name("openbao_build")
VERSION = "2.4.0"
LDFLAGS = f"-s -w -X github.com/openbao/openbao/version.fullVersion={VERSION}"
START_SECONDS = 30.0
HEALTHY = {200}
ANSWERING = {200, 429, 501, 503}

CONFIGURATION = """
ui            = false
disable_mlock = true
api_addr      = "{address}"
cluster_addr  = "https://127.0.0.1:{cluster_port}"
storage "raft" {{
  path    = "{folder}/raft"
  node_id = "node"
  # The default of 5 makes the first election take ten seconds.
  performance_multiplier = 1
}}
listener "tcp" {{
  address         = "127.0.0.1:{port}"
  cluster_address = "127.0.0.1:{cluster_port}"
  {tls}
}}
# Audit devices cannot be made over the API in this version.
audit "file" "file" {{
  options {{ file_path = "{folder}/audit.log" }}
}}
"""


@dataclass(frozen=True)
class Tls:
    """Files in PEM: the server's certificate and key, and the authority a client must trust."""

    certificate: Path
    key: Path
    authority: Path


@dataclass(frozen=True)
class OpenBao:
    """A running, unsealed server: raft storage, a file audit device, KV v2 at ``secret/``, AppRole at ``approle/``."""

    address: str
    token: str = field(repr=False)
    folder: Path
    bao: Path
    ca_file: Path | None = None

    @property
    def audit_log(self) -> Path:
        """Where the file audit device writes."""
        return self.folder / "audit.log"

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        namespace: str = "",
    ) -> dict[str, Any]:
        """One request to ``/v1/<path>`` (already percent-encoded) as root; raises urllib's HTTPError."""
        headers = {"X-Vault-Token": self.token if token is None else token, "X-Vault-Namespace": namespace}
        request = urllib.request.Request(
            f"{self.address}/v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={name: value for name, value in headers.items() if value},
        )
        context = ssl.create_default_context(cafile=str(self.ca_file)) if self.ca_file else None
        with urllib.request.urlopen(request, timeout=START_SECONDS, context=context) as response:
            answer: dict[str, Any] = json.loads(response.read() or b"{}")
        return answer

    def new_mount(self, name: str = "", *, namespace: str = "", version: str = "2") -> str:
        """Mount a fresh KV engine, so that a test has a store of its own; returns its name, a new one if not given."""
        name = name or f"kv-{uuid.uuid4().hex[:12]}"
        self._mount(name, namespace, version)
        return name

    def _mount(self, name: str, namespace: str = "", version: str = "2") -> None:
        self.call("POST", f"sys/mounts/{name}", {"type": "kv", "options": {"version": version}}, namespace=namespace)
        if version == "1":
            return
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            # A new engine refuses everything with 400 until it has settled on version 2.
            try:
                self.call("GET", f"{name}/config", namespace=namespace)
            except urllib.error.HTTPError as unsettled:
                unsettled.close()
                time.sleep(0.005)
            else:
                return
        raise DidNotStart(f"the engine at {name}/ did not settle")

    def new_role(self, policy: str, **settings: object) -> tuple[str, str, str]:
        """Make an AppRole role with a policy of its own (HCL); returns its name, role id and a secret id."""
        name = f"role-{uuid.uuid4().hex[:12]}"
        self.call("POST", f"sys/policies/acl/{name}", {"policy": policy})
        self.call("POST", f"auth/approle/role/{name}", {"token_policies": name, **settings})
        role_id: str = self.call("GET", f"auth/approle/role/{name}/role-id")["data"]["role_id"]
        secret_id: str = self.call("POST", f"auth/approle/role/{name}/secret-id")["data"]["secret_id"]
        return name, role_id, secret_id

    def environment(self) -> dict[str, str]:
        """A clean environment in which the ``bao`` command speaks to this server as root."""
        ca = {"BAO_CACERT": str(self.ca_file)} if self.ca_file else {}
        # Nor a token file in the caller's home.
        return clean_environment(HOME=str(self.folder), BAO_ADDR=self.address, BAO_TOKEN=self.token, **ca)


def binary() -> Path:
    """The ``bao`` command, which is server and client in one; see ``go_binary``."""
    return go_binary(f"openbao-{VERSION}", MODULE, "bao", ldflags=LDFLAGS)


@contextlib.contextmanager
def running(*, tls: Tls | None = None) -> Iterator[OpenBao]:
    """Start a server on free ports, set it up, stop it and remove what it wrote.

    Raises:
        CannotBuild: see :func:`binary`.
        DidNotStart: three tries failed.
    """
    bao = binary()
    with tempfile.TemporaryDirectory(prefix="openbao-") as name, contextlib.ExitStack() as stack:
        for attempt in range(3):
            # Another process can take a port between its choice and its use.
            folder = Path(name) / str(attempt)
            try:
                server = stack.enter_context(_started(bao, folder, tls))
                break
            except DidNotStart:
                if attempt == 2:
                    raise
        yield server


@contextlib.contextmanager
def _started(bao: Path, folder: Path, tls: Tls | None) -> Iterator[OpenBao]:
    port, cluster_port = _free_ports(2)
    address = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    listener = f'tls_cert_file = "{tls.certificate}"\n  tls_key_file = "{tls.key}"' if tls else "tls_disable = true"
    (folder / "raft").mkdir(parents=True)
    configuration = folder / "openbao.hcl"
    configuration.write_text(
        CONFIGURATION.format(address=address, port=port, cluster_port=cluster_port, folder=folder, tls=listener)
    )
    log = folder / "server.log"
    command = (bao, "server", f"-config={configuration}")
    environment = clean_environment(HOME=str(folder))
    with log.open("wb") as output, child(*command, env=environment, stdout=output, stderr=output) as process:
        ca_file = tls.authority if tls else None
        sealed = OpenBao(address=address, token="", folder=folder, bao=bao, ca_file=ca_file)
        _wait(process, log, sealed, ANSWERING)
        initialised = sealed.call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        sealed.call("PUT", "sys/unseal", {"key": initialised["keys_base64"][0]})
        _wait(process, log, sealed, HEALTHY)
        token: str = initialised["root_token"]
        server = OpenBao(address=address, token=token, folder=folder, bao=bao, ca_file=ca_file)
        server._mount("secret")  # the server's own first mount
        server.call("POST", "sys/auth/approle", {"type": "approle"})
        yield server


def _wait(process: subprocess.Popen[bytes], log: Path, server: OpenBao, wanted: set[int]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if _health(server) in wanted:
            return
        time.sleep(0.02)
    raise DidNotStart(f"OpenBao did not start:\n{log.read_text(errors='replace')[-2_000:]}")


def _health(server: OpenBao) -> int:
    try:
        server.call("GET", "sys/health")
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code
    except OSError:
        return 0
    return 200


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


if __name__ == "__main__":
    with running() as shown, contextlib.suppress(KeyboardInterrupt):
        print(f"VAULT_ADDR={shown.address}\nVAULT_TOKEN={shown.token}\nbao: {shown.bao}", flush=True)
        signal.pause()
