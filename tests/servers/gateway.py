"""A real Wardgate on this machine: ``wardgate init`` and ``wardgate serve``, as an operator would run them."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

COMMAND = (str(Path(sys.executable).with_name("wardgate")),)
START_SECONDS = 60.0
STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


@dataclass
class Running:
    """A gateway that answers at ``port``; ``token`` is an administrator's of the root namespace."""

    folder: Path
    config: Path
    port: int
    token: str = field(repr=False)
    process: subprocess.Popen[str]

    @property
    def address(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def audit(self) -> Path:
        """The folder of the audit's files."""
        return self.folder / "data" / "audit"

    def call(
        self, method: str, target: str, body: object = None, *, token: str | None = None, **headers: str
    ) -> Answer:
        """One request on a connection of its own; ``body`` is sent as JSON, or as it is when it is bytes.

        ``token`` is the administrator's unless given; ``""`` sends none. Header names take ``_`` for ``-``.
        """
        token = self.token if token is None else token
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent |= {"X-Vault-Token": token} if token else {}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, target, data, sent)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())

    def mount(self, prefix: str, kind: str, **options: object) -> None:
        """Mount a backend, through the REST API."""
        answer = self.call("POST", "/api/v1/mounts", {"prefix": prefix, "type": kind, "options": options})
        assert answer.status in {200, 201}, answer.body

    def environment(self) -> dict[str, str]:
        """For clients run as commands."""
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("VAULT_", "BAO_", "WARDGATE_"))
        }
        own = {"HOME": str(self.folder), "VAULT_ADDR": self.address, "VAULT_TOKEN": self.token}
        return clean | own | {"BAO_ADDR": self.address, "BAO_TOKEN": self.token}

    def stop(self) -> int:
        """Ask it to end, and wait; the exit code. Its folder stays. Safe to call twice."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(STOP_SECONDS)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code


def command(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``wardgate`` to its end."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("WARDGATE_")} | environment
    return subprocess.run([*COMMAND, *words], capture_output=True, text=True, env=env, check=False, timeout=120)


def initialise(folder: Path, *, plugins: Sequence[str], workers: int, first: str = "", more: str = "") -> str:
    """``wardgate init`` in a folder, and a configuration beside it; returns the administrator's token.

    ``first``: lines for the configuration's beginning, before its tables; ``more``: tables for its end.
    """
    done = command("init", "--data", f"{folder}/data", "--key-file", f"{folder}/wardgate.key", "--json")
    assert done.returncode == 0, done.stderr
    (folder / "wardgate.toml").write_text(
        f"{first}plugins = {json.dumps(list(plugins))}\n"
        f'[server]\nlisten = "127.0.0.1:0"\nworkers = {workers}\n'
        f'[data]\nfolder = "data"\nkey_file = "wardgate.key"\n{more}'
    )
    return str(json.loads(done.stdout)["token"])


def start(folder: Path, token: str) -> Running:
    """``wardgate serve`` on an initialised folder; returns once it answers."""
    config = folder / "wardgate.toml"
    log = (folder / "serve.log").open("a")
    process = subprocess.Popen(
        [*COMMAND, "serve", "--config", str(config), "--json"], stdout=subprocess.PIPE, stderr=log, text=True
    )
    log.close()
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        ready = selector.select(START_SECONDS)
    line = process.stdout.readline() if ready else ""
    if not line:
        process.kill()
        process.wait()
        raise AssertionError(f"wardgate serve did not start: {(folder / 'serve.log').read_text()}")
    return Running(folder, config, int(json.loads(line)["address"].rsplit(":", 1)[1]), token, process)


@contextlib.contextmanager
def running(
    *, plugins: Sequence[str] = ("native", "vault", "_odd"), workers: int = 2, first: str = "", more: str = ""
) -> Iterator[Running]:
    """A gateway in a folder of its own, with the native store at ``secret/``; stopped and removed at the end."""
    with tempfile.TemporaryDirectory(prefix="wardgate-") as name:
        folder = Path(name)
        gateway = start(folder, initialise(folder, plugins=plugins, workers=workers, first=first, more=more))
        try:
            gateway.mount("secret", "native")
            yield gateway
        finally:
            gateway.stop()
