"""A plugin without manners behind a real gateway: every request ends in one error, on record, and nothing leaks."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.servers.gateway import Running, running

CANARY = "canary-evil-8d02"
PLUGIN = f"""
import asyncio

from wardgate.spi.backend import Backend
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.hookspecs import BackendType, hookimpl
from wardgate.spi.values import Entry, Page, SecretVersion, Value, VersionInfo

TEXT = "{CANARY}"
RAISED = {{
    "value": ValueError, "exit": SystemExit, "base": BaseException, "cancelled": asyncio.CancelledError,
    "memory": MemoryError, "recursion": RecursionError, "generator": GeneratorExit, "stop": StopAsyncIteration,
    "huge": lambda text: ValueError(text * 100_000), "group": lambda text: BaseExceptionGroup(text, [SystemExit(text)]),
}}
ANSWERED = {{
    "none": None, "text": TEXT, "info": SecretVersion(VersionInfo(TEXT, -1), Value(TEXT.encode())),
    "time": SecretVersion(VersionInfo("1", 1, 10**30), Value(TEXT.encode())),
    "page": Page(tuple(Entry(TEXT + str(number)) for number in range(100_000))), "cursor": Page((), TEXT * 100_000),
}}


class Evil(Backend):
    capabilities = Capabilities(write=True, list=True, describe=True, ordinals=True, delete=True, labels=True)

    async def read(self, path, *, version=None):
        name = path.segments[0]
        if name == "good":
            return SecretVersion(VersionInfo("1", 1, 5), Value(b"good"))
        return self.act(name)

    def act(self, name):
        if name in RAISED:
            raise RAISED[name](TEXT)
        return ANSWERED[name]

    async def write(self, path, value, *, expect=None):
        return self.act(path.segments[0])

    async def list(self, folder, *, cursor=None, limit=1000):
        return self.act(folder.segments[0])

    async def describe(self, path):
        return self.act(path.segments[0])

    async def delete(self, path, *, versions=None):
        self.act(path.segments[0])

    async def close(self):
        raise SystemExit(TEXT)


def open_evil(options, services):
    return Evil()


@hookimpl
def backend_type():
    return [BackendType(name="evil", help="Breaks every promise", open=open_evil)]
"""
RAISED = ("value", "exit", "base", "cancelled", "memory", "recursion", "generator", "stop", "huge", "group")
ANSWERED = ("none", "text", "info", "time", "page", "cursor")


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A gateway that loads the plugin, installed for it alone."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "wardgate_evil.py").write_text(PLUGIN)
    about = folder / "wardgate_evil-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: wardgate-evil\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[wardgate.plugins]\nevil = wardgate_evil\n")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", str(folder))
        with running(plugins=("native", "evil"), workers=1) as gateway:
            gateway.mount("evil", "evil")
            yield gateway


def audited(gateway: Running, request: str) -> list[dict[str, object]]:
    """The closing records of one request."""
    lines = [line for file in gateway.audit.rglob("*.jsonl") for line in file.read_text().splitlines()]
    records = [json.loads(line) for line in lines if request in line]
    return [record for record in records if record["kind"] == "closing"]


def quiet(gateway: Running) -> None:
    """Nothing of what was raised or answered is in the log, the audit or the metrics."""
    assert CANARY not in (gateway.folder / "serve.log").read_text()
    assert not [file for file in gateway.audit.rglob("*") if file.is_file() and CANARY.encode() in file.read_bytes()]
    assert CANARY.encode() not in gateway.call("GET", "/metrics").body


@pytest.mark.parametrize("name", [*RAISED, *ANSWERED])
@pytest.mark.parametrize(
    ("method", "at", "code"),
    [("GET", "secrets", "unavailable"), ("PUT", "secrets", "outcome_unknown"), ("GET", "metadata", "unavailable"),
     ("GET", "folders", "unavailable")],
)  # fmt: skip
def test_each_request_ends_in_one_error_on_record(evil: Running, method: str, at: str, code: str, name: str) -> None:
    """With the mount's name, whether the plugin raised or answered nonsense; and the worker goes on."""
    body = b"x" if method == "PUT" else None
    answer = evil.call(method, f"/api/v1/{at}/evil/{name}", body, content_type="text/plain")
    problem = answer.json()
    assert code == problem["code"], problem
    assert problem["detail"].startswith("mount evil/: the plugin of this store failed")
    assert [code] == [record["code"] for record in audited(evil, problem["request_id"])]
    assert CANARY.encode() not in answer.body
    assert b"good" == evil.call("GET", "/api/v1/secrets/evil/good", cache_control="no-cache").body
    quiet(evil)


def test_each_item_of_a_batch_has_its_own_error(evil: Running) -> None:
    """What is good is answered beside it."""
    evil.call("PUT", "/api/v1/secrets/secret/a", b"mine", content_type="text/plain")
    paths = ["secret/a", "evil/value", "evil/good", "evil/exit", "evil/none", "secret/none", "evil/cancelled"]
    answer = evil.call("POST", "/api/v1/batch/read", {"items": [{"path": path} for path in paths]})
    items = answer.json()["items"]
    assert [200, 503, 200, 503, 503, 404, 503] == [item["status"] for item in items]
    details = [item["problem"]["detail"] for item in items if item["status"] == 503]
    assert {"mount evil/: the plugin of this store failed; the gateway's log names the place"} == set(details)
    assert CANARY.encode() not in answer.body
    written = evil.call(
        "POST", "/api/v1/batch/write",
        {"items": [{"path": path, "text": "x"} for path in ("secret/b", "evil/value", "secret/c")]},
    ).json()["items"]  # fmt: skip
    assert [200, 502, 200] == [item["status"] for item in written]
    assert "outcome_unknown" == written[1]["problem"]["code"]
    quiet(evil)


def test_the_log_names_the_mount_and_the_place(evil: Running) -> None:
    """So that its author can mend it."""
    evil.call("GET", "/api/v1/secrets/evil/value")
    log = (evil.folder / "serve.log").read_text()
    assert "the plugin of mount evil/ failed with ValueError at " in log
    assert "wardgate_evil.py:" in log


def test_a_mount_that_cannot_be_closed_is_removed(evil: Running) -> None:
    """And the gateway ends as it should."""
    evil.mount("other", "evil")
    assert 204 == evil.call("DELETE", "/api/v1/mounts/other").status
    assert b"good" == evil.call("GET", "/api/v1/secrets/evil/good").body
