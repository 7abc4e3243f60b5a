"""Defects that systems of this kind really had, each tried on a running gateway or on the sources."""

from __future__ import annotations

import ast
import contextlib
import http.server
import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from wardgate_native.api.table import TABLE
from wardgate_vault.api.router import ROUTES

from tests.servers.gateway import Running, running

HOUSE = Path(__file__).resolve().parents[2]
JSON = "application/json"
DENIED = "secret/private/db"


@pytest.fixture(scope="module")
def one() -> Iterator[tuple[Running, str]]:
    """One worker; a secret, and who may do everything there but in one folder."""
    with running(plugins=["native", "vault"], workers=1) as gateway:
        assert 200 == gateway.call("POST", "/v1/secret/data/private/db", {"data": {"v": "1"}}).status
        rules = [
            {"effect": "allow", "actions": ["*"], "paths": ["secret/**"]},
            {"effect": "deny", "actions": ["*"], "paths": ["secret/private/**"]},
        ]
        assert gateway.call("PUT", "/api/v1/policies/p", {"rules": rules}).status in {200, 201, 204}
        yield gateway, gateway.call("POST", "/api/v1/keys", {"name": "p", "policies": ["p"]}).json()["token"]


def role(gateway: Running, name: str, **more: object) -> dict[str, str]:
    """Make a role; what it logs in with."""
    at = f"/v1/auth/approle/role/{name}"
    assert 204 == gateway.call("POST", at, {"token_policies": ["p"], **more}).status
    return {
        "role_id": gateway.call("GET", f"{at}/role-id").json()["data"]["role_id"],
        "secret_id": gateway.call("POST", f"{at}/secret-id").json()["data"]["secret_id"],
    }


def test_no_alias_of_an_id_logs_in(one: tuple[Running, str]) -> None:
    """Another case, spaces or encodings of what proves a role are other ids, so they dodge no count and no budget."""
    gateway, _ = one
    ids = role(gateway, "alias")
    for name in ids:
        good = ids[name]
        for alias in (
            good.upper(),
            f" {good}",
            f"{good} ",
            f"{good}\n",
            f"{good}\x00",
            "\u200b" + good,
            f"{good}%20",
        ):
            answer = gateway.call("POST", "/v1/auth/approle/login", {**ids, name: alias}, token="")
            assert 400 <= answer.status < 500, (name, alias)
            assert b"client_token" not in answer.body
    assert 200 == gateway.call("POST", "/v1/auth/approle/login", ids, token="").status


def test_what_counts_once_counts_once_however_it_is_written(one: tuple[Running, str]) -> None:
    """A secret id of one use, and the same again with spaces around it."""
    gateway, _ = one
    ids = role(gateway, "once", secret_id_num_uses=1)
    assert 200 == gateway.call("POST", "/v1/auth/approle/login", ids, token="").status
    for again in (ids["secret_id"], f" {ids['secret_id']}", f"{ids['secret_id']}\t"):
        body = {**ids, "secret_id": again}
        assert 400 == gateway.call("POST", "/v1/auth/approle/login", body, token="").status


def test_an_empty_list_skips_no_check(one: tuple[Running, str]) -> None:
    """Of versions, items, paths, policies or names: the path is denied all the same, and nothing is given."""
    gateway, token = one
    for kind in ("delete", "undelete", "destroy"):
        bodies: tuple[dict[str, Any], ...] = ({"versions": []}, {}, {"versions": None})
        for body in bodies:
            assert gateway.call("POST", f"/v1/secret/{kind}/private/db", body, token=token).status in {400, 403}
    for target in ("read", "write"):
        assert 400 == gateway.call("POST", f"/api/v1/batch/{target}", {"items": []}, token=token).status
    asked = gateway.call("POST", "/v1/sys/capabilities-self", {"paths": []}, token=token)
    assert asked.status == 400 or "root" not in asked.json()["data"]
    made = gateway.call("POST", "/api/v1/keys", {"name": "none", "policies": []})
    if made.status == 201:
        assert 403 == gateway.call("GET", "/v1/secret/data/open", token=made.json()["token"]).status
    nothings: tuple[list[dict[str, Any]], ...] = ([], [{"effect": "allow", "actions": [], "paths": []}])
    for nothing in nothings:
        answer = gateway.call("PUT", "/api/v1/policies/empty", {"rules": nothing})
        assert answer.status in {200, 201, 204, 400, 422}
    assert 403 == gateway.call("GET", "/v1/secret/data/private/db", token=token).status


@contextlib.contextmanager
def recording_store() -> Iterator[tuple[str, list[bytes]]]:
    """A store that answers all reads alike, and keeps whatever it is sent."""
    seen: list[bytes] = []
    data = {
        "data": {"v": "away"},
        "metadata": {
            "version": 1,
            "created_time": "2026-01-01T00:00:00Z",
            "deletion_time": "",
            "destroyed": False,
            "custom_metadata": None,
        },
    }
    body = json.dumps(
        {"initialized": True, "sealed": False, "data": {"type": "kv", "options": {"version": "2"}, **data}}
    )

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            seen.append(self.requestline.encode() + str(self.headers).encode() + self.rfile.read(length))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        do_POST = do_PUT = do_LIST = do_DELETE = do_PATCH = do_GET  # noqa: N815  # as the base class looks them up

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", seen
        server.shutdown()
        thread.join()


def test_the_caller_s_token_stays_here(one: tuple[Running, str]) -> None:
    """A store behind a mount is asked with the mount's own token, and told nothing else of the caller."""
    gateway, _ = one
    with recording_store() as (address, seen):
        options = {"address": address, "token": "the-mounts-own"}
        made = gateway.call(
            "POST", "/api/v1/mounts", {"prefix": "away", "type": "vault", "options": options, "check": "none"}
        )
        assert 201 == made.status, made.body
        extra = {"X_Canary": "canary-header", "Cookie": "canary-cookie", "X_Forwarded_For": "10.1.2.3"}
        read = gateway.call("GET", "/v1/away/data/x", **extra)
        gateway.call("POST", "/v1/away/data/x", {"data": {"a": "b"}}, **extra)
        gateway.call("GET", "/api/v1/secrets/away/x", token="", Authorization=f"Bearer {gateway.token}", **extra)
        gateway.call("DELETE", "/api/v1/mounts/away")
    assert {"v": "away"} == read.json()["data"]["data"]
    sent = b"".join(seen)
    assert b"the-mounts-own" in sent
    for canary in (gateway.token, "canary-header", "canary-cookie", "10.1.2.3"):
        assert canary.encode() not in sent


def test_a_rate_holds_for_every_kind_of_body() -> None:
    """Forms, JSON, nothing and garbage are counted before any of them is read."""
    with running(plugins=["native", "vault"], workers=1, more="[limits]\nsource_rate = 20\n") as gateway:
        for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", JSON, "text/plain"):
            for body in (b"role_id=a&secret_id=b", None):
                statuses = set()
                ends = time.monotonic() + 10
                while 429 not in statuses and time.monotonic() < ends:
                    headers = {"Content_Type": kind} if body else {}
                    answer = gateway.call("POST", "/v1/auth/approle/login", body, token="", **headers)
                    statuses.add(answer.status)
                assert 429 in statuses, kind


def test_no_endpoint_makes_an_audit_sink_or_a_file() -> None:
    """Where the audit goes is said in the configuration file alone."""
    vault = {"/".join(route.pattern) for route in ROUTES}
    rest = {pattern for _, pattern in TABLE.endpoints}
    assert not [pattern for pattern in vault | rest if re.search(r"audit|plugin|config/|logger|pprof|raw", pattern)]


def test_no_endpoint_of_a_key_ceremony_is_there(one: tuple[Running, str]) -> None:
    """None can be begun, so none can be cancelled, with a token or without."""
    gateway, token = one
    for target in (
        "sys/rekey/init",
        "sys/generate-root/attempt",
        "sys/seal",
        "sys/step-down",
        "sys/rotate",
        "sys/audit/x",
    ):
        for method in ("PUT", "DELETE", "POST"):
            for who in ("", token):
                answer = gateway.call(method, f"/v1/{target}", {} if method != "DELETE" else None, token=who)
                assert 400 <= answer.status < 500, (method, target, answer.status)


OWN_TEXT = {("decider.py", "eval")}
"""The matcher of model.conf, a file of the package, compiled once; no word of a policy or a request is in it."""

PLUGINS = sorted(folder.name for folder in (HOUSE / "plugins").iterdir() if (folder / "pyproject.toml").exists())
FORBIDDEN = {"pickle", "marshal", "shelve", "dill", "yaml", "code", "pty", "cgi", "xml"}


@pytest.mark.parametrize("room", ["gateway/wardgate", *(f"plugins/{name}/wardgate_{name}" for name in PLUGINS)])
def test_nothing_read_becomes_code(room: str) -> None:
    """No pickle, no YAML, no eval, no shell, in any file that is shipped."""
    found = []
    files = list((HOUSE / room).rglob("*.py"))
    assert files
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Import(names=names):
                    found += [(file.name, one.name) for one in names if one.name.split(".")[0] in FORBIDDEN]
                case ast.ImportFrom(module=str(module), level=0) if module.split(".")[0] in FORBIDDEN:
                    found.append((file.name, module))
                case ast.Call(func=ast.Name(id="eval" | "exec" | "__import__" as name)):
                    found.append((file.name, name))
                case ast.Call(func=ast.Attribute(attr="system" | "popen", value=ast.Name(id="os"))):
                    found.append((file.name, "os"))
                case ast.keyword(arg="shell"):
                    found.append((file.name, "shell"))
    assert [] == [one for one in found if one not in OWN_TEXT]


def test_no_secret_s_name_is_a_file_s_name(one: tuple[Running, str]) -> None:
    """Whatever a secret, a policy, a role, a key or a namespace is called, the folder holds the same files."""
    gateway, _ = one

    def files() -> set[str]:
        return {re.sub(r"[0-9a-f-]{36}|-wal|-shm", "", file.name) for file in gateway.folder.rglob("*")}

    for name in ("gateway.db", "canary-file-18c3", "wardgate.key", "...", "a.jsonl", "CON", "~", "$HOME", "-rf"):
        for target in (f"/v1/secret/data/{name}", f"/v1/secret/data/x/{name}"):
            answer = gateway.call("POST", target, {"data": {"v": name}})
            assert 200 == answer.status, (target, answer.body)
            assert {"v": name} == gateway.call("GET", target).json()["data"]["data"]
        gateway.call("PUT", f"/api/v1/policies/{name}", {"rules": []})
        gateway.call("POST", "/api/v1/keys", {"name": name, "policies": ["p"]})
    gateway.call("POST", "/api/v1/namespaces", {"name": "canary-file-18c3"})
    assert not [name for name in files() if "canary" in name or name in {"...", "CON", "~", "$HOME", "-rf"}]


BOMBS = {
    "small items": b'{"data":{"a":[' + b"0," * 2_000_000 + b"0]}}",
    "empty objects": b'{"data":{"a":[' + b"{}," * 1_300_000 + b"{}]}}",
    "nesting": b'{"data":' + b"[" * 4_000_000,
    "names": b'{"data":{' + b",".join(b'"%d":0' % number for number in range(350_000)) + b"}}",
    "digits": b'{"data":{"a":' + b"9" * 4_000_000 + b"}}",
    "escapes": b'{"data":{"a":"' + b"\\u0041" * 650_000 + b'"}}',
    "quotes": b'{"data":{"a":"' + b'\\"' * 2_000_000 + b'"}}',
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
@pytest.mark.parametrize("who", ["nobody", "a stranger", "the administrator"])
def test_a_body_of_many_small_items_costs_nobody_much(one: tuple[Running, str], bomb: bytes, who: str) -> None:
    """Four megabytes, with a token or without, over either API: a refusal within a second, and the memory stays."""
    gateway, _ = one
    token = {"nobody": "", "a stranger": "wg_x", "the administrator": gateway.token}[who]
    [worker] = Path(f"/proc/{gateway.process.pid}/task/{gateway.process.pid}/children").read_text().split()
    before = peak(worker)
    for method, target in (
        ("POST", "/v1/secret/data/bomb"),
        ("POST", "/api/v1/batch/write"),
        ("POST", "/v1/auth/approle/login"),
    ):
        seconds = []
        for _ in range(3):  # a busy machine gets three tries
            began = time.monotonic()
            answer = gateway.call(method, target, bomb, token=token, Content_Type=JSON)
            seconds.append(time.monotonic() - began)
            if seconds[-1] < 1:
                break
        assert 400 <= answer.status < 500 or bomb in {BOMBS["escapes"], BOMBS["quotes"]}, answer.status
        assert min(seconds) < 1, seconds
    assert peak(worker) - before < 64 * 1024


def peak(worker: str) -> int:
    """KiB that it held at most."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{worker}/status").read_text())
    assert found is not None
    return int(found[1])
