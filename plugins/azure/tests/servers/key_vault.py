"""The STAND-IN for an Azure Key Vault on a socket, and for the login before it: ours, no product, for tests alone.

By hand: ``python -m tests.servers.key_vault`` prints its address, its authority's file and the login that it takes, and
runs until it is interrupted.
"""

from __future__ import annotations

import asyncio
import json
import signal
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path as FilePath
from typing import Any
from urllib.parse import parse_qs

import pytest
import trustme
import uvicorn
from tests.servers.key_vault_store import Refused, Vault

TOKEN = "stand-in-token"  # no secret: it opens the stand-in alone, as do these
TENANT, CLIENT_ID, CLIENT_SECRET = "stand-in-tenant", "stand-in-client", "stand-in-secret"
RESOURCE = "https://vault.azure.net"


class LoginRefused(Refused):
    """An error answer of the login."""

    def __init__(self, status: int, error: str, code: int) -> None:
        super().__init__(status, error)
        self.body = {"error": error, "error_description": f"AADSTS{code}: STAND-IN", "error_codes": [code]}


def _token(tenant: str, form: Mapping[str, str]) -> dict[str, Any]:
    """The STAND-IN for the login: one tenant, one application, one resource."""
    known = (tenant, form.get("client_id"), form.get("client_secret"), form.get("grant_type"))
    if known != (TENANT, CLIENT_ID, CLIENT_SECRET, "client_credentials"):
        raise LoginRefused(401, "invalid_client", 7_000_215)
    if form.get("scope") != f"{RESOURCE}/.default":
        raise LoginRefused(400, "invalid_scope", 70_011)
    return {"token_type": "Bearer", "expires_in": 3_599, "access_token": TOKEN}


class KeyVaultServer:
    """The STAND-IN on a socket of this machine, over TLS of an authority of its own. It is its own login too.

    ``login_refuses`` makes the login fail; ``logins`` counts the tokens that it gave; ``resource`` is what the vault
    says a token is to be for. ``breaks``: the method whose requests are read and never answered; ``pages``: by method,
    the status and the page of another server that answers in the vault's place.
    """

    def __init__(self, folder: FilePath) -> None:
        authority = trustme.CA()
        self.ca_file = folder / "ca.pem"
        authority.cert_pem.write_to_path(self.ca_file)
        own = folder / "server.pem"
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(own)
        config = uvicorn.Config(
            self._app,
            port=0,
            ssl_certfile=own,
            log_config=None,
            lifespan="off",
            ws="none",
            interface="asgi3",
            timeout_graceful_shutdown=1,
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self._server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        self.port: int = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        self.empty()

    def empty(self) -> Vault:
        """Begin with an empty vault."""
        self.vault = Vault(self.url)
        self.login_refuses: Refused | None = None
        self.resource = RESOURCE
        self.logins = 0
        self.breaks = ""
        self.pages: dict[str, tuple[int, bytes]] = {}
        return self.vault

    @property
    def environment(self) -> dict[str, str]:
        """What a program finds its login in, as Microsoft's libraries read it."""
        return {
            "AZURE_TENANT_ID": TENANT,
            "AZURE_CLIENT_ID": CLIENT_ID,
            "AZURE_CLIENT_SECRET": CLIENT_SECRET,
            "AZURE_AUTHORITY_HOST": self.url,
            "SSL_CERT_FILE": str(self.ca_file),
        }

    def close(self) -> None:
        """Stop, whatever clients still hold open."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._abort)
        self._server.should_exit = True
        self._thread.join()

    def _abort(self) -> None:
        connections: Any = self._server.server_state.connections
        for connection in tuple(connections):
            connection.transport.abort()

    async def _app(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        self._loop = asyncio.get_running_loop()
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if scope["method"] == self.breaks:
            self.vault.seen.append((scope["method"], scope["path"]))
            self._abort()
            return
        if scope["method"] in self.pages:
            self.vault.seen.append((scope["method"], scope["path"]))
            await self._send(send, *self.pages[scope["method"]], {"content-type": "text/html"})
            return
        given = dict(scope["headers"]).get(b"authorization", b"").decode()
        query = {key: values[0] for key, values in parse_qs(scope["query_string"].decode()).items()}
        try:
            status, answer = self._answer(scope["method"], scope["path"], query, body, given)
            headers: Mapping[str, str] = {}
        except Refused as refused:
            status, answer, headers = refused.status, refused.body, refused.headers
        data = b"" if answer is None else json.dumps(answer).encode()
        await self._send(send, status, data, {"content-type": "application/json; charset=utf-8", **headers})

    async def _send(self, send: Any, status: int, data: bytes, headers: Mapping[str, str]) -> None:
        fields = {"content-length": str(len(data)), **headers}
        head = [(name.replace("_", "-").encode(), text.encode()) for name, text in fields.items()]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": data})

    def _answer(
        self, method: str, path: str, query: Mapping[str, str], body: bytes, given: str
    ) -> tuple[int, dict[str, Any] | None]:
        if path.endswith("/oauth2/v2.0/token"):
            if self.login_refuses is not None:
                raise self.login_refuses
            form = {key: values[0] for key, values in parse_qs(body.decode()).items()}
            answer = _token(path.split("/")[1], form)
            self.logins += 1
            return 200, answer
        if given != f"Bearer {TOKEN}":
            challenge = f'Bearer authorization="{self.url}/{TENANT}", resource="{self.resource}"'
            raise Refused(401, "Unauthorized", www_authenticate=challenge)
        self.vault.seen.append((method, path))
        asked = (method, f"{method} {path.split('/')[1]}", f"{method} {path.rstrip('/')}")
        refused = next((self.vault.refuse[key] for key in asked if key in self.vault.refuse), None)
        if refused is not None:
            raise refused
        return self.vault.answer(method, path, query, body)


@contextmanager
def serving(folder: FilePath) -> Iterator[KeyVaultServer]:
    """The STAND-IN until the end of the block."""
    server = KeyVaultServer(folder)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def key_vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyVaultServer]:
    """A STAND-IN for Azure Key Vault that we wrote ourselves: no product, and no proof of what the product does."""
    with serving(tmp_path_factory.mktemp("key-vault")) as server:
        yield server


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made, serving(FilePath(made)) as shown, suppress(KeyboardInterrupt):
        lines = [f"export {name}={text}" for name, text in shown.environment.items()]
        print(f"vault_url: {shown.url}", f"ca_file: {shown.ca_file}", *lines, sep="\n", flush=True)  # noqa: T201
        signal.pause()
