"""``wardgate copy`` between mounts of a real gateway: what arrives, what is left alone, and that no value is told."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from click.testing import CliRunner, Result
from wardgate.cli.client import Client, Reply
from wardgate.cli.copying import WRITTEN
from wardgate.cli.copyist.door import Door
from wardgate.cli.failure import Failure
from wardgate.cli.root import wardgate
from wardgate.spi.values import Value

from tests.servers.gateway import Running, running

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
CANARY = "canary-copy-91f3"
BINARY = bytes(range(256)) + CANARY.encode()


@dataclass
class Room:
    """One test's folder in each mount, and the commands that work on them."""

    gateway: Running
    name: str
    said: list[str] = field(default_factory=list)

    def at(self, mount: str, name: str = "") -> str:
        """A path of this test's own."""
        return f"{mount}/{self.name}/{name}".removesuffix("/")

    def put(self, path: str, data: bytes, media_type: str = TEXT) -> None:
        """Store a version."""
        assert 200 == self.gateway.call("PUT", f"/api/v1/secrets/{path}", data, content_type=media_type).status

    def get(self, path: str, version: int | None = None) -> tuple[bytes, str] | int:
        """The bytes and their media type; the status of a refusal."""
        query = "" if version is None else f"?version={version}"
        answer = self.gateway.call("GET", f"/api/v1/secrets/{path}{query}")
        return (answer.body, answer.headers["content-type"]) if answer.status == 200 else answer.status

    def metadata(self, path: str) -> Any:
        """What is known of a secret."""
        return self.gateway.call("GET", f"/api/v1/metadata/{path}").json()

    def label(self, path: str, **labels: str) -> None:
        """Replace a secret's labels."""
        target = f"/api/v1/metadata/{path}"
        assert self.gateway.call("PATCH", target, {"labels": labels}, content_type=JSON).status < 300

    def copy(self, *arguments: str, code: int = 0, token: str = "") -> Result:
        """Run the command in this process."""
        environment = {"WARDGATE_ADDR": self.gateway.address, "WARDGATE_TOKEN": token or self.gateway.token}
        result = CliRunner().invoke(wardgate, ["copy", *arguments], env=environment)
        self.said += [result.stdout, result.stderr]
        assert code == result.exit_code, result.stdout + result.stderr
        return result

    def folder(self, to: str, *options: str, code: int = 0, **named: str) -> dict[str, str]:
        """Copy this test's folder of ``secret``: each secret's name, and how it ended."""
        told = json.loads(
            self.copy(self.at("secret"), self.at(to), "-r", "--json", *options, code=code, **named).stdout
        )
        start = len(self.at("secret")) + 1
        return {one["source"][start:]: one.get("outcome") or one["state"] for one in told["secrets"]}


@pytest.fixture(scope="module")
def copying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A gateway with two native stores and an odd one, which holds bytes alone and cannot compare and set."""
    with running(workers=1) as gateway:
        gateway.mount("second", "native")
        gateway.mount("odd", "odd", folder=str(tmp_path_factory.mktemp("odd") / "store"))
        yield gateway


@pytest.fixture
def room(copying: Running, request: pytest.FixtureRequest) -> Iterator[Room]:
    """Whatever a test does, no value is ever in what the command says."""
    room = Room(copying, request.node.name.replace("[", "-").replace("]", ""))
    yield room
    assert room.said
    assert not [text for text in room.said if CANARY in text]


def fill(room: Room) -> dict[str, tuple[bytes, str]]:
    """Secrets of every kind at the source."""
    kinds = {
        "app/db": (f'{{"b": 1.50,  "a": "{CANARY}"}}\n'.encode(), JSON),
        "app/list": (f'["{CANARY}", 1e2]'.encode(), JSON),
        "app/deep/text": (f"zeile\r\n{CANARY} ü".encode(), TEXT),
        "binary": (BINARY, "application/octet-stream"),
        "png": (BINARY[::-1], "image/png"),
        "name with space": (CANARY.encode(), TEXT),
    }
    for name, (data, media_type) in kinds.items():
        room.put(room.at("secret", name.replace(" ", "%20")), data, media_type)
    return kinds


@pytest.mark.parametrize("to", ["second", "odd"])
def test_everything_arrives_byte_for_byte_and_again_is_there_already(room: Room, to: str) -> None:
    """In a store that keeps media types, and in one that holds bytes alone."""
    kinds = fill(room)
    assert dict.fromkeys(kinds, "copied") == room.folder(to)
    for name, (data, media_type) in kinds.items():
        found = room.get(room.at(to, name.replace(" ", "%20")))
        assert isinstance(found, tuple)
        assert data == found[0]
        assert to == "odd" or media_type == found[1]
    assert dict.fromkeys(kinds, "there already") == room.folder(to)


def test_back_from_a_store_of_bytes_alone(room: Room) -> None:
    """The copy of a copy is equal to the first, though the media types are lost on the way."""
    fill(room)
    room.folder("odd")
    told = json.loads(room.copy(room.at("odd"), room.at("secret"), "-r", "--json", "--dry-run").stdout)
    assert {"same": 6} == told["counts"]


def test_a_dry_run_changes_nothing(room: Room) -> None:
    """It says what is new, and ends."""
    kinds = fill(room)
    assert dict.fromkeys(kinds, "new") == room.folder("second", "--dry-run")
    assert [] == room.gateway.call("GET", f"/api/v1/folders/{room.at('second')}").json()["entries"]
    result = room.copy(room.at("secret"), room.at("second"), "-r", "--dry-run")
    assert "new\t" + room.at("secret", "app/db") + "\t" + room.at("second", "app/db") in result.stdout
    assert "Dry run: 6 new.\n" == result.stderr


@pytest.mark.parametrize("to", ["second", "odd"])
def test_what_differs_is_left_unless_told(room: Room, to: str) -> None:
    """And the command says so with its code."""
    room.put(room.at("secret", "a"), f"{CANARY}-new".encode())
    room.put(room.at("secret", "b"), CANARY.encode())
    room.put(room.at(to, "a"), f"{CANARY}-old".encode())
    assert {"a": "differs", "b": "new"} == room.folder(to, "--dry-run", code=5)
    assert {"a": "skipped", "b": "copied"} == room.folder(to, code=5)
    found = room.get(room.at(to, "a"))
    assert isinstance(found, tuple)
    assert f"{CANARY}-old".encode() == found[0]
    assert {"a": "copied", "b": "there already"} == room.folder(to, "--overwrite")
    found = room.get(room.at(to, "a"))
    assert isinstance(found, tuple)
    assert f"{CANARY}-new".encode() == found[0]


@pytest.mark.parametrize("to", ["second", "odd"])
@pytest.mark.parametrize("before", ["", "something"])
def test_what_is_written_meanwhile_is_not_written_over(
    room: Room,
    to: str,
    before: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between the plan and the write another one came: the copy fails, whether it was to be new or written over."""
    path = room.at(to, "a")
    room.put(room.at("secret", "a"), CANARY.encode())
    if before:
        room.put(path, f"{CANARY}-before".encode())
    real = Door.write

    def late(door: Door, where: str, value: Value, condition: dict[str, str]) -> str:
        if condition:
            room.put(path, f"{CANARY}-theirs".encode())
        return real(door, where, value, condition)

    real_new = Door.write_new

    def late_new(door: Door, values: list[tuple[str, Value]]) -> list[Failure | None]:
        room.put(path, f"{CANARY}-theirs".encode())
        return real_new(door, values)

    monkeypatch.setattr(Door, "write", late)
    monkeypatch.setattr(Door, "write_new", late_new)
    assert {"a": "failed"} == room.folder(to, "--overwrite", code=1)
    found = room.get(path)
    assert isinstance(found, tuple)
    assert f"{CANARY}-theirs".encode() == found[0]


def test_an_interrupted_copy_goes_on(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same command again copies what is missing, and writes nothing twice."""
    names = {f"s{number:03}" for number in range(130)}
    for name in names:
        room.put(room.at("secret", name), CANARY.encode())
    real, lock, written = Door.write_new, threading.Lock(), 0

    def stops(door: Door, values: list[tuple[str, Value]]) -> list[Failure | None]:
        nonlocal written
        with lock:
            written += len(values)
            if written > WRITTEN:
                raise KeyboardInterrupt
        return real(door, values)

    with monkeypatch.context() as patched:
        patched.setattr(Door, "write_new", stops)
        assert "Stopped." in room.copy(room.at("secret"), room.at("second"), "-r", code=1).stderr
    ended = room.folder("second")
    assert names == ended.keys()
    assert WRITTEN == list(ended.values()).count("there already")
    assert {1} == {len(room.metadata(room.at("second", name))["versions"]) for name in names}


def test_what_cannot_go_with_others_goes_alone(room: Room) -> None:
    """Spaces around JSON, too many bytes for one request, text that is none: nothing is lost, nor the others' way."""
    values = {
        "after": (f'{{"a": "{CANARY}"}}\n'.encode(), JSON),
        "before": (f' ["{CANARY}"]'.encode(), JSON),
        "compact": (f'{{"a":"{CANARY}"}}'.encode(), JSON),
        "no-text": (b"\xff" + BINARY, "application/octet-stream"),
        "quoted": (f'"\\ {CANARY}\n'.encode(), TEXT),
        **{f"large-{number}": (CANARY.encode() * 30_000, TEXT) for number in range(4)},
    }
    for name, (data, media_type) in values.items():
        room.put(room.at("secret", name), data, media_type)
    assert dict.fromkeys(values, "copied") == room.folder("second")
    assert values == {name: room.get(room.at("second", name)) for name in values}


def test_many_secrets_take_few_requests(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values are neither read nor written one by one."""
    names = {f"s{number:03}" for number in range(60)}
    for name in names:
        room.put(room.at("secret", name), f'{{"v":"{CANARY}"}}'.encode(), JSON)
    asked: list[str] = []
    real = Client.request

    def counted(client: Client, method: str, path: str, **more: Any) -> Reply:
        asked.append(f"{method} {path.partition('/')[0]}")
        return real(client, method, path, **more)

    monkeypatch.setattr(Client, "request", counted)
    assert dict.fromkeys(names, "copied") == room.folder("second")
    assert {"GET folders": 2, "GET metadata": 60, "POST batch": 4 + 2 * 3} == Counter(asked)


def test_a_history_is_copied_and_resumed(room: Room) -> None:
    """Oldest first, the deleted one left out; what was begun is ended, what differs is left."""
    for number in range(1, 5):
        room.put(room.at("secret", "a"), f"{CANARY}-{number}".encode())
    room.gateway.call("DELETE", f"/api/v1/secrets/{room.at('secret', 'a')}?version=2")
    room.put(room.at("second", "a"), f"{CANARY}-1".encode())
    room.put(room.at("secret", "b"), CANARY.encode())
    room.put(room.at("second", "b"), f"{CANARY}-else".encode())
    room.put(room.at("second", "b"), CANARY.encode())
    assert {"a": "behind", "b": "differs"} == room.folder("second", "--versions", "--dry-run", code=5)
    assert {"a": "copied", "b": "skipped"} == room.folder("second", "--versions", code=5)
    for number, text in enumerate(("1", "3", "4"), start=1):
        assert (f"{CANARY}-{text}".encode(), TEXT) == room.get(room.at("second", "a"), number)
    assert 404 == room.get(room.at("second", "a"), 4)
    # The end of what is there is the whole history: written over before, or so by chance.
    assert {"a": "there already", "b": "there already"} == room.folder("second", "--versions", "--overwrite")
    assert {"a": "copied", "b": "copied"} == room.folder("odd", "--versions")
    assert {"a": "there already", "b": "there already"} == room.folder("odd", "--versions")


def test_labels_are_copied_where_both_keep_them(room: Room) -> None:
    """Also where an earlier run was interrupted just before; others at the destination stay."""
    room.put(room.at("secret", "a"), CANARY.encode())
    room.label(room.at("secret", "a"), team="payments")
    room.put(room.at("second", "b"), CANARY.encode())
    room.put(room.at("secret", "b"), CANARY.encode())
    room.label(room.at("secret", "b"), team="payments")
    assert {"a": "copied", "b": "there already"} == room.folder("second")
    for name in "ab":
        assert {"team": "payments"} == room.metadata(room.at("second", name))["labels"]
    room.label(room.at("second", "b"), team="other")
    room.folder("second")
    assert {"team": "other"} == room.metadata(room.at("second", "b"))["labels"]
    assert {"a": "copied", "b": "copied"} == room.folder("odd")


def test_a_deleted_secret_is_neither_copied_nor_brought_back(room: Room) -> None:
    """Deleted at the source: skipped. Deleted at the destination: left, unless told otherwise."""
    for name in ("a", "b"):
        room.put(room.at("secret", name), CANARY.encode())
    room.put(room.at("second", "b"), CANARY.encode())
    room.gateway.call("DELETE", f"/api/v1/secrets/{room.at('secret', 'a')}")
    room.gateway.call("DELETE", f"/api/v1/secrets/{room.at('second', 'b')}")
    ended = room.folder("second", code=5)
    assert "skipped" == ended["b"]
    assert "skipped" == ended.get("a", "skipped")
    assert 410 == room.get(room.at("second", "b"))
    assert "copied" == room.folder("second", "--overwrite")["b"]


def test_policy_decides_every_read_and_write(room: Room) -> None:
    """Who may not read the source copies nothing; who may not write the destination is told so, for each secret."""
    room.put(room.at("secret", "a"), CANARY.encode())
    rules = [{"effect": "allow", "actions": ["read", "list", "describe"], "paths": ["secret/**", "second/**"]}]
    assert room.gateway.call("PUT", "/api/v1/policies/reader", {"rules": rules}, content_type=JSON).status < 300
    made = room.gateway.call("POST", "/api/v1/keys", {"name": "r", "policies": ["reader"]}, content_type=JSON)
    told = json.loads(
        room.copy(room.at("secret"), room.at("second"), "-r", "--json", token=made.json()["token"], code=1).stdout
    )
    assert ["failed", "permission_denied"] == [told["secrets"][0][name] for name in ("outcome", "code")]
    assert 404 == room.get(room.at("second", "a"))


def test_who_may_not_see_labels_copies_values(room: Room) -> None:
    """And is told; who may not set them has failed for that secret, and its value is there."""
    room.put(room.at("secret", "a"), CANARY.encode())
    room.label(room.at("secret", "a"), team="payments")
    for number, seen in enumerate(([], ["describe"])):
        rules = [{"effect": "allow", "actions": ["read", "list", "write", *seen], "paths": ["secret/**", "second/**"]}]
        name = f"writer{number}"
        assert room.gateway.call("PUT", f"/api/v1/policies/{name}", {"rules": rules}, content_type=JSON).status < 300
        made = room.gateway.call("POST", "/api/v1/keys", {"name": name, "policies": [name]}, content_type=JSON)
        to, code = room.at("second", f"to{number}"), number
        ended = room.copy(room.at("secret", "a"), to, "--json", token=made.json()["token"], code=code)
        (told,) = json.loads(ended.stdout)["secrets"]
        assert (["copied", "failed"][number], True) == (told["outcome"], "labels are not" in told["reason"])
        assert (CANARY.encode(), TEXT) == room.get(to)


@pytest.mark.parametrize("options", [(), ("--dry-run",), ("-r",), ("-r", "--json")])
def test_a_destination_without_a_mount(room: Room, options: tuple[str, ...]) -> None:
    """An error before anything is compared or copied, with what to do."""
    room.put(room.at("secret", "a"), CANARY.encode())
    ended = room.copy(room.at("secret", "" if "-r" in options else "a"), "nowhere/a", *options, code=3)
    assert "no mount that you may see holds nowhere/a" in ended.stderr
    assert "`wardgate mount add` makes one" in ended.stderr
    assert "" == ended.stdout


def test_a_single_secret(room: Room) -> None:
    """By its path; what is not there ends as any such command does, and what is nonsense is refused."""
    room.put(room.at("secret", "a"), BINARY, "application/octet-stream")
    result = room.copy(room.at("secret", "a"), room.at("second", "x/y"))
    assert f"copied\t{room.at('secret', 'a')}\t{room.at('second', 'x/y')}\t\n" == result.stdout
    assert "Planned: 1 new.\n1 copied.\n" == result.stderr
    assert (BINARY, "application/octet-stream") == room.get(room.at("second", "x/y"))
    room.copy(room.at("secret", "none"), room.at("second", "none"), code=3)
    room.copy(room.at("secret"), room.at("second"), code=3)
    room.copy(room.at("secret", "none"), room.at("second", "none"), "-r", code=3)
    room.copy(room.at("secret", "a"), room.at("secret", "a"), code=2)
    room.copy(room.at("secret"), room.at("secret", "inner"), "-r", code=2)


def test_values_beyond_what_one_answer_holds(room: Room) -> None:
    """More bytes than a batch may answer: the rest is read one by one."""
    names = [f"big{number:02}" for number in range(20)]
    for name in names:
        room.put(room.at("secret", name), name.encode() * 200_000, "application/octet-stream")
    assert dict.fromkeys(names, "copied") == room.folder("second")
    assert dict.fromkeys(names, "there already") == room.folder("second")
