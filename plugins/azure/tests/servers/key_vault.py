"""A STAND-IN for the secrets of an Azure Key Vault: ours, no product, for tests on this machine alone.

It answers in the wire shapes of Microsoft's Key Vault REST API 7.5 and 7.6; what was held against which page of
Microsoft's reference, and what could not be, stands in the plugin's README.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any
from urllib.parse import parse_qs, quote

import pytest
import trustme
import uvicorn

TOKEN = "stand-in-token"  # no secret: it opens the stand-in alone
VERSIONS = {"7.5", "7.6"}
NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")
RETENTION_DAYS = 90
MOST = 25
MAX_VALUE_BYTES = 25 * 1024
MAX_TAGS, MAX_TAG = 15, 256


class Refused(Exception):
    """An error answer."""

    def __init__(self, status: int, code: str, inner: str | None = None, **headers: str) -> None:
        super().__init__(code)
        self.status, self.headers = status, headers
        error: dict[str, Any] = {"code": code, "message": f"STAND-IN: {inner or code}"}
        if inner is not None:
            error["innererror"] = {"code": inner}
        self.body = {"error": error}


@dataclass
class Secret:
    """One secret: the bundles of its versions, oldest first, and when it was deleted."""

    name: str
    versions: list[dict[str, Any]] = field(default_factory=list)
    deleted: int | None = None


class Vault:
    """The secrets of one vault, by lower-case name.

    ``refuse`` makes a method fail (or one on a collection: ``DELETE secrets``); ``seen`` keeps the requests.
    """

    def __init__(self, base: str) -> None:
        self.base = base
        self.secrets: dict[str, Secret] = {}
        self.refuse: dict[str, Refused] = {}
        self.seen: list[tuple[str, str]] = []

    def answer(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> tuple[int, Any]:
        """The status and the JSON of one request."""
        if query.get("api-version") not in VERSIONS:
            raise Refused(400, "BadParameter")
        match path.strip("/").split("/"):
            case ["secrets"] if method == "GET":
                live = (one for one in self._sorted() if one.deleted is None)
                return 200, self._page(path, query, [_item(one.versions[-1], self._id(one.name)) for one in live])
            case ["deletedsecrets"] if method == "GET":
                gone = (one for one in self._sorted() if one.deleted is not None)
                return 200, self._page(path, query, [self._deleted(one, self._id(one.name)) for one in gone])
            case ["secrets", name]:
                return self._secret(method, _checked(name), body)
            case ["secrets", name, "versions"] if method == "GET":
                known = self.secrets.get(_checked(name).lower())
                live_versions = known.versions if known is not None and known.deleted is None else []
                return 200, self._page(path, query, [_item(one, one["id"]) for one in live_versions])
            case ["secrets", name, version]:
                return self._version(method, _checked(name), version, body)
            case ["deletedsecrets", name, *rest]:
                return self._of_deleted(method, _checked(name), rest)
        raise Refused(405, "MethodNotAllowed")

    def put(self, name: str, text: str, **more: Any) -> dict[str, Any]:
        """Set a secret, as another tool would: without the marks of the gateway."""
        return self._set(name, {"value": text, **more})

    def current(self, name: str) -> dict[str, Any] | None:
        """The newest version's bundle; None where there is no live one."""
        one = self.secrets.get(name.lower())
        return None if one is None or one.deleted is not None else one.versions[-1]

    def _secret(self, method: str, name: str, body: bytes) -> tuple[int, Any]:
        if method == "PUT":
            return 200, self._set(name, json.loads(body))
        one = self._live(name)
        if method == "GET":
            return 200, _served(one.versions[-1])
        if method == "DELETE":
            one.deleted = int(time.time())
            return 200, self._deleted(one, one.versions[-1]["id"])
        raise Refused(405, "MethodNotAllowed")

    def _version(self, method: str, name: str, version: str, body: bytes) -> tuple[int, Any]:
        known = self._live(name).versions
        bundle = next((one for one in known if one["id"].rsplit("/", 1)[1] == version), None)
        if bundle is None:
            raise Refused(404, "SecretNotFound")
        if method == "GET":
            return 200, _served(bundle)
        if method != "PATCH":
            raise Refused(405, "MethodNotAllowed")
        change = json.loads(body)
        if "tags" in change:
            bundle["tags"] = _tags(change["tags"])
        bundle["attributes"] |= change.get("attributes", {}) | {"updated": int(time.time())}
        return 200, _item(bundle, bundle["id"])

    def _of_deleted(self, method: str, name: str, rest: list[str]) -> tuple[int, Any]:
        one = self.secrets.get(name.lower())
        if one is None or one.deleted is None:
            raise Refused(404, "SecretNotFound")
        newest = one.versions[-1]
        match method, rest:
            case "GET", []:
                return 200, self._deleted(one, newest["id"])
            case "DELETE", []:
                del self.secrets[name.lower()]
                return 204, None
            case "POST", ["recover"]:
                one.deleted = None
                return 200, _item(newest, newest["id"])
        raise Refused(405, "MethodNotAllowed")

    def _set(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        text = given.get("value")
        if not isinstance(text, str) or not text or len(text.encode()) > MAX_VALUE_BYTES:
            raise Refused(400, "BadParameter")
        one = self.secrets.setdefault(name.lower(), Secret(name))
        if one.deleted is not None:
            raise Refused(409, "Conflict", "ObjectIsDeletedButRecoverable")
        now = int(time.time())
        attributes = {"enabled": True, "created": now, "updated": now, "recoverableDays": RETENTION_DAYS}
        bundle = {
            "value": text,
            "id": f"{self._id(one.name)}/{secrets.token_hex(16)}",
            "attributes": attributes | {"recoveryLevel": "Recoverable+Purgeable"} | given.get("attributes", {}),
            "tags": _tags(given.get("tags") or {}),
        }
        if given.get("contentType") is not None:
            bundle["contentType"] = given["contentType"]
        one.versions.append(bundle)
        return bundle

    def _live(self, name: str) -> Secret:
        one = self.secrets.get(name.lower())
        if one is None or one.deleted is not None:
            raise Refused(404, "SecretNotFound")
        return one

    def _sorted(self) -> list[Secret]:
        return [self.secrets[name] for name in sorted(self.secrets)]

    def _id(self, name: str) -> str:
        return f"{self.base}/secrets/{name}"

    def _deleted(self, one: Secret, known_as: str) -> dict[str, Any]:
        when = one.deleted or 0
        return _item(one.versions[-1], known_as) | {
            "recoveryId": f"{self.base}/deletedsecrets/{one.name}",
            "deletedDate": when,
            "scheduledPurgeDate": when + RETENTION_DAYS * 86_400,
        }

    def _page(self, path: str, query: Mapping[str, str], items: list[Any]) -> dict[str, Any]:
        size = int(query.get("maxresults", MOST))
        if not 1 <= size <= MOST:
            raise Refused(400, "BadParameter")
        start = int(base64.b64decode(query.get("$skiptoken", "") or b"MA=="))
        end = start + size
        token = quote(base64.b64encode(str(end).encode()))
        more = f"{self.base}{path}?api-version={query['api-version']}&$skiptoken={token}&maxresults={size}"
        return {"value": items[start:end], "nextLink": more if end < len(items) else None}


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise Refused(400, "BadParameter")
    return name


def _tags(tags: Mapping[str, str]) -> dict[str, str]:
    if len(tags) > MAX_TAGS or any(len(part) > MAX_TAG for pair in tags.items() for part in pair):
        raise Refused(400, "BadParameter")
    return dict(tags)


def _item(bundle: Mapping[str, Any], known_as: str) -> dict[str, Any]:
    return {key: part for key, part in bundle.items() if key != "value"} | {"id": known_as}


def _served(bundle: dict[str, Any]) -> dict[str, Any]:
    if not bundle["attributes"]["enabled"]:
        raise Refused(403, "Forbidden", "SecretDisabled")
    return bundle


class KeyVaultServer:
    """The STAND-IN on a socket of this machine, over TLS of an authority of its own."""

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
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self._server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"https://127.0.0.1:{port}"
        self.vault = Vault(self.url)

    def empty(self) -> Vault:
        """Begin with an empty vault."""
        self.vault = Vault(self.url)
        return self.vault

    def close(self) -> None:
        """Stop."""
        self._server.should_exit = True
        self._thread.join()

    async def _app(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        given = dict(scope["headers"]).get(b"authorization", b"").decode()
        query = {key: values[0] for key, values in parse_qs(scope["query_string"].decode()).items()}
        try:
            status, answer = self._answer(scope["method"], scope["path"], query, body, given)
            headers: dict[str, str] = {}
        except Refused as refused:
            status, answer, headers = refused.status, refused.body, refused.headers
        data = b"" if answer is None else json.dumps(answer).encode()
        fields = {"content-type": "application/json; charset=utf-8", "content-length": str(len(data))} | headers
        head = [(name.replace("_", "-").encode(), text.encode()) for name, text in fields.items()]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": data})

    def _answer(
        self, method: str, path: str, query: Mapping[str, str], body: bytes, given: str
    ) -> tuple[int, dict[str, Any] | None]:
        if given != f"Bearer {TOKEN}":
            challenge = (
                'Bearer authorization="https://login.microsoftonline.com/stand-in", resource="https://vault.azure.net"'
            )
            raise Refused(401, "Unauthorized", www_authenticate=challenge)
        self.vault.seen.append((method, path))
        refused = self.vault.refuse.get(method) or self.vault.refuse.get(f"{method} {path.split('/')[1]}")
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
