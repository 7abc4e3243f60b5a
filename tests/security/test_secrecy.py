"""No value and no token in any output: canaries are put in everywhere, and looked for in all that is left behind."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.gateway import Running, running

TEXT = "canary-text-7f3a91c2"
NUMBER = 918273645546372819
FIELD = "canary_field_5d2e80b1"
LINES = "canary-line-one-44\ncanary-line-two-55"
LABEL = "canary-label-90cc12"
BINARY = b"\x00\xffcanary-bytes-61ab\xfe"
OPTION = "canary-option-3301"


@pytest.fixture(scope="module")
def used() -> Iterator[tuple[Running, dict[str, bytes]]]:
    """A gateway after a full run of reads, writes, errors and refusals, and the canaries to look for."""
    with running(plugins=["native", "vault"], workers=2) as gateway:
        data = {"text": TEXT, "number": NUMBER, FIELD: "x", "lines": LINES}
        vault, rest = "/v1/secret/data/canary", "/api/v1/secrets/secret/canary-bytes"
        assert gateway.call("POST", vault, {"data": data}).status == 200
        assert gateway.call("PUT", rest, BINARY, Content_Type="application/octet-stream").status in {200, 201}
        gateway.call("POST", "/v1/secret/metadata/canary", {"custom_metadata": {"x": LABEL}})
        gateway.call("POST", vault, {"data": data, "options": {"cas": 77}})
        gateway.call("POST", vault, f'{{"data":{{"{FIELD}":"{TEXT}","{FIELD}":1}}}}'.encode())
        gateway.call("POST", vault, f'{{"data":{{"{FIELD}":{TEXT}'.encode())
        gateway.call("POST", f"{vault}/../{TEXT}", {"data": data})
        gateway.call("POST", vault, {"data": data}, token=f"wg_{TEXT}")
        gateway.call("PUT", "/api/v1/secrets/nowhere/x", {FIELD: TEXT})
        gateway.call("POST", "/api/v1/mounts", {
            "prefix": "away", "type": "vault", "options": {"address": "http://127.0.0.1:1", "token": OPTION}
        })  # fmt: skip
        gateway.call("POST", "/api/v1/mounts", {"prefix": "wrong", "type": "vault", "options": {"tokn": OPTION}})
        key = gateway.call("POST", "/api/v1/keys", {"name": "k", "policies": ["default"]}).json()["token"]
        assert gateway.call("GET", vault, token=key).status == 403
        gateway.call("POST", "/v1/auth/approle/role/r", {"token_policies": "default"})
        role_id = gateway.call("GET", "/v1/auth/approle/role/r/role-id").json()["data"]["role_id"]
        secret_id = gateway.call("POST", "/v1/auth/approle/role/r/secret-id").json()["data"]["secret_id"]
        login = {"role_id": role_id, "secret_id": secret_id}
        token = gateway.call("POST", "/v1/auth/approle/login", login).json()["auth"]["client_token"]
        gateway.call("POST", "/v1/auth/approle/login", {"role_id": role_id, "secret_id": TEXT})
        role = "/v1/auth/approle/role/r"
        for target, mistaken in (
            ("/v1/auth/token/lookup-accessor", {"accessor": token}),
            ("/v1/auth/token/renew-accessor", {"accessor": token}),
            ("/v1/auth/token/revoke-accessor", {"accessor": token}),
            (f"{role}/secret-id-accessor/lookup", {"secret_id_accessor": secret_id}),
            (f"{role}/secret-id-accessor/destroy", {"secret_id_accessor": secret_id}),
        ):
            assert gateway.call("POST", target, mistaken).status < 500
        assert gateway.call("GET", vault).json()["data"]["data"] == data
        canaries = {
            "text": TEXT.encode(), "number": str(NUMBER).encode(), "field": FIELD.encode(), "option": OPTION.encode(),
            "line": b"canary-line-two-55", "bytes": b"canary-bytes-61ab", "encoded bytes": base64.b64encode(BINARY),
            "administrator's token": gateway.token.encode(), "key": key.encode(), "login's token": token.encode(),
            "secret id": secret_id.encode(),
        }  # fmt: skip
        yield gateway, canaries


def found(files: list[Path], canaries: dict[str, bytes]) -> list[tuple[str, str]]:
    return [(file.name, name) for file in files for name, canary in canaries.items() if canary in file.read_bytes()]


def test_the_search_would_find_a_canary(used: tuple[Running, dict[str, bytes]], tmp_path: Path) -> None:
    """The control: a file that holds one is reported."""
    file = tmp_path / "leak.log"
    file.write_bytes(b"something " + used[1]["key"])
    assert [("leak.log", "key")] == found([file], used[1])


def test_nothing_left_on_disk_holds_a_canary(used: tuple[Running, dict[str, bytes]]) -> None:
    """Not the databases, their logs, the audit, the output, nor anything else in the folder."""
    gateway, canaries = used
    files = [path for path in gateway.folder.rglob("*") if path.is_file()]
    assert {"gateway.db", "root.db", "serve.log"} <= {file.name for file in files}
    assert any(file.suffix == ".jsonl" for file in files)
    assert [] == found(files, canaries)


def test_no_process_shows_a_canary(used: tuple[Running, dict[str, bytes]]) -> None:
    """Neither in its command line nor in its environment."""
    gateway, canaries = used
    listed = subprocess.run(["ps", "-eo", "pid,ppid"], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()[1:]]
    pids = [gateway.process.pid, *(pid for pid, parent in pairs if parent == gateway.process.pid)]
    assert len(pids) == 3
    shown = [Path(f"/proc/{pid}/{file}") for pid in pids for file in ("cmdline", "environ")]
    assert [] == found([file for file in shown if _readable(file)], canaries)


def test_errors_do_not_echo_what_was_sent(used: tuple[Running, dict[str, bytes]]) -> None:
    """A refused body comes back in no part of the refusal, over either API."""
    gateway, _ = used
    for target in ("/v1/secret/data/echo", "/api/v1/secrets/secret/echo", "/api/v1/policies/x", "/v1/sys/mounts/x"):
        for body in (f'{{"{TEXT}":', f'{{"{TEXT}":1}}', f'{{"data":{{"a":"{TEXT}"}},"options":{{"cas":"{TEXT}"}}}}'):
            answer = gateway.call("POST", target, body.encode())
            assert answer.status >= 400 or target.startswith("/v1/secret"), answer.status
            shown = answer.body + json.dumps(dict(answer.headers)).encode()
            assert f'"{TEXT}"'.encode() not in shown or answer.status == 200, shown


def test_every_answer_forbids_keeping_it(used: tuple[Running, dict[str, bytes]]) -> None:
    """``Cache-Control: no-store``, good answer or bad, either API, and where no API answers."""
    gateway, _ = used
    for target in (
        "/v1/secret/data/canary",
        "/v1/nowhere",
        "/api/v1/secrets/secret/canary",
        "/api/v1/x",
        "/",
        "/v1/sys/health",
    ):
        assert "no-store" == gateway.call("GET", target).headers["cache-control"], target


def _readable(file: Path) -> bool:
    try:
        file.read_bytes()
    except OSError:
        return False  # the kernel hides what cannot be dumped, which is as good
    return True
