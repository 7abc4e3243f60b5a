"""The stand-in for Azure Key Vault in a process of its own, filled, beside a managed identity that gives its token.

``python -m bench.filled_key_vault FOLDER`` prints a line of JSON (``port``, ``ca_file``, ``identity``) and runs until
it is ended.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests.servers.key_vault import TOKEN, serving
from tests.servers.key_vault_store import Vault

from bench.names import NAMES, TEXT


class KeyVault(NamedTuple):
    """Where it listens, the authority behind its certificate, and the URL that gives its token."""

    port: int
    ca_file: str
    identity: str


class _Filled(Vault):
    """Makes its list once, and not anew for each page: a vault's own pages do not slow down with their number."""

    def __init__(self, base: str) -> None:
        super().__init__(base)
        self._listed: list[dict[str, Any]] = []
        for name in NAMES:
            made = self.put(name, TEXT, contentType="application/json")
            known = {key: part for key, part in made.items() if key != "value"}
            self._listed.append(known | {"id": made["id"].rpartition("/")[0]})

    def answer(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> tuple[int, Any]:
        """As the stand-in does."""
        if (method, path.strip("/")) == ("GET", "secrets"):
            return 200, self._page(path, query, self._listed)
        return super().answer(method, path, query, body)


class _Identity(http.server.BaseHTTPRequestHandler):
    """Answers as the identity endpoint of App Service does."""

    def do_GET(self) -> None:
        told = {"access_token": TOKEN, "expires_on": str(int(time.time()) + 86_400), "token_type": "Bearer"}
        body = json.dumps(told | {"resource": "https://vault.azure.net"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def filled(folder: Path) -> Iterator[KeyVault]:
    """The stand-in until the end of the block; its certificate is kept in ``folder``."""
    command = [sys.executable, "-m", "bench.filled_key_vault", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield KeyVault(**json.loads(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def _serve(folder: Path) -> None:
    with serving(folder) as server, http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Identity) as identity:
        server.vault = _Filled(server.url)
        threading.Thread(target=identity.serve_forever, daemon=True).start()
        told = KeyVault(server.port, str(server.ca_file), f"http://127.0.0.1:{identity.server_port}/")
        print(json.dumps(told._asdict()), flush=True)
        signal.pause()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
