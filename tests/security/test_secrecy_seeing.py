"""No value, no token, and no name of what is kept, in metrics, traces or logs (promise: no secret in any output)."""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.servers.collector import Collector, collector
from tests.servers.gateway import Running, running

TEXT = "canary-text-1c88"
NUMBER = 827364554637281990
FIELD = "canary_field_77aa"
LINES = "canary-line-one-91\ncanary-line-two-92"
BINARY = b"\x00\xffcanary-bytes-3d\xfe"
OPTION = "canary-option-5e"
LABEL = "canary-label-6f"
NAME = "canary-path-2b"
"""Of a secret, of a mount, of a key and of a policy: not secret, but nobody's business who watches."""


@dataclass
class Seen:
    """All that was shown: to Prometheus, to the collector, and in the log."""

    metrics: bytes
    spans: bytes
    log: bytes
    collected: Collector
    values: dict[str, bytes]


@contextlib.contextmanager
def brief_store() -> Iterator[str]:
    """A store that answers until it is mounted, and is gone then."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b'{"initialized":true,"sealed":false,"data":{"type":"kv","options":{"version":"2"},"keys":[]}}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def use(gateway: Running) -> dict[str, bytes]:
    """Reads, writes, errors and refusals of every kind, with canaries in all that can hold one."""
    data = {"text": TEXT, "number": NUMBER, FIELD: "x", "lines": LINES}
    vault, rest = f"/v1/secret/data/{NAME}", f"/api/v1/secrets/secret/{NAME}-bytes"
    parent = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": f"x={TEXT}"}
    assert gateway.call("POST", vault, {"data": data}, **parent).status == 200
    assert gateway.call("PUT", rest, BINARY, Content_Type="application/octet-stream").status in {200, 201}
    gateway.call("POST", f"/v1/secret/metadata/{NAME}", {"custom_metadata": {"x": LABEL}})
    gateway.call("POST", vault, {"data": data, "options": {"cas": 77}})
    gateway.call("POST", vault, f'{{"data":{{"{FIELD}":"{TEXT}","{FIELD}":1}}}}'.encode())
    gateway.call("GET", f"{vault}?{TEXT}={NAME}", traceparent=TEXT, baggage=f"a={TEXT}")
    gateway.call(TEXT.upper(), vault)
    gateway.call("POST", vault, {"data": data}, token=f"wg_{TEXT}")
    gateway.call("GET", f"/{NAME}/{TEXT}", User_Agent=TEXT)
    gateway.call("PUT", f"/api/v1/policies/{NAME}", {"rules": [{"paths": [NAME, TEXT]}]})
    with brief_store() as address:
        options = {"address": address, "token": OPTION}
        away = {"prefix": f"away-{NAME}", "type": "vault", "options": options, "check": "none"}
        made = gateway.call("POST", "/api/v1/mounts", away)
        assert made.status == 201, made.body
    assert gateway.call("GET", f"/api/v1/secrets/away-{NAME}/x").status == 503
    key = gateway.call("POST", "/api/v1/keys", {"name": NAME, "policies": ["default"]}).json()["token"]
    assert gateway.call("GET", vault, token=key).status == 403
    assert gateway.call("GET", vault).json()["data"]["data"] == data
    return {
        "text": TEXT.encode(), "number": str(NUMBER).encode(), "field": FIELD.encode(), "option": OPTION.encode(),
        "line": b"canary-line-two-92", "bytes": b"canary-bytes-3d", "encoded bytes": base64.b64encode(BINARY),
        "label": LABEL.encode(), "administrator's token": gateway.token.encode(), "key": key.encode(),
    }  # fmt: skip


@pytest.fixture(scope="module")
def seen() -> Iterator[Seen]:
    """What a gateway showed of a full run, to its end."""
    with collector() as collected:
        first = f'traces.endpoint = "{collected.url}"\nlog.format = "json"\nlog.level = "debug"\n'
        with running(plugins=["native", "vault"], workers=2, first=first) as gateway:
            values = use(gateway)
            answer = gateway.call("GET", "/metrics", token="", Authorization=f"Bearer {gateway.token}")
            assert gateway.call("GET", "/readyz?verbose", token=TEXT).status == 200
            gateway.stop()
            log = (gateway.folder / "serve.log").read_bytes()
        spans = b"".join(collected.bodies) + "".join(collected.headers).encode()
        yield Seen(answer.body, spans, log, collected, values)


def test_there_is_something_to_see(seen: Seen) -> None:
    """Or the searches below would be blind."""
    assert (
        b'wardgate_requests_total{code="unauthenticated",frontend="vault",operation="WriteSecret"} 1.0' in seen.metrics
    )
    assert b'wardgate_backend_calls_total{code="unavailable",operation="ReadSecret",type="vault"}' in seen.metrics
    names = {span.name for span in seen.collected.spans()}
    assert {"ReadSecret", "WriteSecret", "native ReadSecret", "vault ReadSecret", "CreateKey"} <= names
    assert "0af7651916cd43dd8448eb211c80319c" in {span.trace_id.hex() for span in seen.collected.spans()}
    events = [json.loads(line)["event"] for line in seen.log.splitlines()]
    assert ["worker_ready", "worker_ready", "stopping"] == events


@pytest.mark.parametrize("where", ["metrics", "spans", "log"])
def test_no_value_and_no_token_is_seen(seen: Seen, where: str) -> None:
    """Nor the name of a field, nor any other part of a body."""
    shown = getattr(seen, where)
    assert [] == [name for name, canary in seen.values.items() if canary in shown]


@pytest.mark.parametrize("where", ["metrics", "spans"])
def test_neither_paths_nor_names_nor_addresses_are_seen(seen: Seen, where: str) -> None:
    """Whoever may watch learns how much is asked, never what, by whom or from where."""
    shown = getattr(seen, where)
    assert [] == [word for word in (NAME, "127.0.0.1:1", "/v1/", "/api/") if word.encode() in shown]
    bodies = b"".join(seen.collected.bodies) if where == "spans" else shown
    assert b"127.0.0.1" not in bodies
