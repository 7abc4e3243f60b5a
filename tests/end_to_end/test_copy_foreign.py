"""``wardgate copy`` between stores of several vendors, over their emulators and a real OpenBao."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyrage  # type: ignore[import-untyped]
import pytest
from click.testing import CliRunner
from wardgate.cli.copyist.carry import Carrier
from wardgate.cli.copyist.compare import same
from wardgate.cli.copyist.plan import Item
from wardgate.cli.root import wardgate
from wardgate.spi.values import Value

from tests.end_to_end.test_copy import BINARY, CANARY, JSON, TEXT, Room
from tests.servers import google, key_vault, moto
from tests.servers.fixtures import BUILDS, or_skip
from tests.servers.gateway import COMMAND, Running, running
from tests.servers.openbao import OpenBao
from tests.support import waiting

BUILDS["stores"] = google.binary
PLUGINS = ("native", "vault", "aws", "gcp", "azure", "files")
START = (Path(__file__).parents[2] / "docs" / "start.md").read_text()
MOUNTS = START.partition("## Mounts of other stores\n")[2].partition("\n## ")[0]
LABEL = {"team": "payments"}
KINDS: dict[str, tuple[bytes, str]] = {
    "app/db": (f'{{"b": 1.50,  "a": "{CANARY}"}}\n'.encode(), JSON),
    "app/deep/text": (f"zeile\r\n{CANARY} ü".encode(), TEXT),
    "binary": (BINARY, "application/octet-stream"),
    "name with ü": (CANARY.encode(), TEXT),
}


@dataclass(frozen=True)
class World:
    """A gateway over emulators, and the options that lead a mount of each type to them."""

    gateway: Running
    elsewhere: Mapping[str, Sequence[str]]


@pytest.fixture(scope="module")
def world(openbao: OpenBao, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A gateway with a mount of each store, named shortly; Azure Key Vault is the stand-in."""
    or_skip(google.binary)
    folder = tmp_path_factory.mktemp("stores")
    with (
        moto.running() as aws, google.running() as gcp, key_vault.serving(folder) as azure,
        pytest.MonkeyPatch.context() as environment,
    ):  # fmt: skip
        azure.empty()
        for name, text in (moto.CREDENTIALS | azure.environment).items():
            environment.setenv(name, text)
        region = {"region": "eu-central-1", "endpoint": aws.endpoint}
        bao = {"address": openbao.address, "token": openbao.token}
        with running(plugins=PLUGINS, workers=1) as gateway:
            gateway.mount("second", "native")
            gateway.mount("aws", "aws-secrets-manager", **region)
            gateway.mount("ssm", "aws-parameter-store", **region)
            gateway.mount("gcp", "google-secret-manager", project="copies", endpoint=f"http://{gcp}")
            gateway.mount("azure", "azure-key-vault", vault_url=azure.url, ca_file=str(azure.ca_file))
            gateway.mount("bao", "vault", mount=openbao.new_mount(), **bao)
            gateway.mount("kv1", "vault", mount=openbao.new_mount(version="1"), kv_version=1, **bao)
            yield World(
                gateway,
                {
                    "aws-secrets-manager": [f"endpoint={aws.endpoint}"],
                    "aws-parameter-store": [f"endpoint={aws.endpoint}"],
                    "google-secret-manager": [f"endpoint=http://{gcp}"],
                    "azure-key-vault": [f"vault_url={azure.url}", f"ca_file={azure.ca_file}"],
                    "vault": [f"address={openbao.address}", f"mount={openbao.new_mount(version='1')}"],
                    "files": [],
                },
            )


@pytest.fixture
def room(world: World, request: pytest.FixtureRequest) -> Iterator[Room]:
    """Whatever a test does, no value is in what the command says, nor in the gateway's log."""
    room = Room(world.gateway, request.node.name.replace("[", "-").replace("]", ""))
    yield room
    assert room.said
    assert not [text for text in room.said if CANARY in text]
    assert CANARY not in (world.gateway.folder / "serve.log").read_text()


def fill(room: Room, mount: str) -> None:
    """Secrets of every kind, one with a label where they are kept."""
    for name, (data, media_type) in KINDS.items():
        room.put(room.at(mount, quote(name)), data, media_type)


def arrived(room: Room, mount: str) -> None:
    """Every value is there: bytes as they were, and objects as equal JSON."""
    for name, (data, media_type) in KINDS.items():
        found = room.get(room.at(mount, quote(name)))
        assert isinstance(found, tuple), (name, found)
        assert same(Value(data, media_type), Value(*found)), name


def copied(room: Room, source: str, to: str, *options: str, code: int = 0) -> dict[str, Any]:
    """Copy this test's folder between two mounts; the report."""
    ended = room.copy(room.at(source), room.at(to), "-r", "--json", *options, code=code)
    told: dict[str, Any] = json.loads(ended.stdout)
    return told


@pytest.mark.parametrize(
    ("source", "to"),
    [("aws", "secret"), ("secret", "ssm"), ("gcp", "aws"), ("bao", "secret"), ("secret", "azure"), ("azure", "gcp"),
     ("kv1", "bao"), ("ssm", "kv1")],
)  # fmt: skip
def test_between_stores_of_two_vendors(room: Room, source: str, to: str) -> None:
    """Text, JSON, bytes and odd names arrive; the same once more finds them there; and the way back changes nothing."""
    fill(room, source)
    plan = copied(room, source, to, "--dry-run")
    assert {"new": len(KINDS)} == plan["counts"]
    assert {"copied": len(KINDS)} == copied(room, source, to)["counts"]
    arrived(room, to)
    assert {"there already": len(KINDS)} == copied(room, source, to)["counts"]
    assert {"same": len(KINDS)} == copied(room, to, source, "--dry-run")["counts"]


@pytest.mark.parametrize("to", ["ssm", "azure", "gcp", "bao"])
def test_a_value_too_long_is_told_before_a_byte_moves(room: Room, to: str) -> None:
    """With both sizes; the others are copied."""
    mounts = {one["name"]: one for one in room.gateway.call("GET", "/api/v1/folders").json()["entries"]}
    most = max(mounts[to]["capabilities"][limit] for limit in ("max_value_bytes", "max_text_bytes"))
    room.put(room.at("secret", "long"), b"x" * (most + 1))
    room.put(room.at("secret", "edge"), b"x" * most)
    plan = {one["source"].rpartition("/")[2]: one for one in copied(room, "secret", to, "--dry-run", code=1)["secrets"]}
    assert ("cannot", "too_large") == (plan["long"]["state"], plan["long"]["code"])
    assert f"destination: the value has {most + 1:,} bytes, and {to}/ holds {most:,} at most" == plan["long"]["reason"]
    assert {"copied": 1, "failed": 1} == copied(room, "secret", to, code=1)["counts"]
    assert 404 == room.get(room.at(to, "long"))


def test_an_empty_value_where_none_can_be(room: Room) -> None:
    """The same for a value that is too short."""
    room.put(room.at("secret", "empty"), b"")
    (told,) = copied(room, "secret", "gcp", "--dry-run", code=1)["secrets"]
    assert ("invalid_value", "destination: gcp/ cannot hold an empty value") == (told["code"], told["reason"])


@pytest.mark.parametrize("to", ["azure", "gcp", "aws"])
def test_a_name_that_the_destination_cannot_hold_is_told_in_the_plan(room: Room, to: str) -> None:
    """Those that are too long for it in any alphabet."""
    for name in ("fits", "/".join(["x" * 100] * 6)):
        room.put(room.at("secret", quote(name)), CANARY.encode())
    plan = copied(room, "secret", to, "--dry-run", code=1)
    assert {"new": 1, "cannot": 1} == plan["counts"]
    assert ["too_large"] == [one["code"] for one in plan["secrets"] if one["state"] == "cannot"]


def test_a_name_that_the_destination_s_alphabet_makes_too_long_is_told_when_it_is_copied(room: Room) -> None:
    """Nobody but the store's own writer knows it; the others are copied."""
    for name in ("fits", "ü" * 100):
        room.put(room.at("secret", quote(name)), CANARY.encode())
    report = copied(room, "secret", "aws", code=1)
    assert {"copied": 1, "failed": 1} == report["counts"]
    assert ["too_large"] == [one["code"] for one in report["secrets"] if one["outcome"] == "failed"]


def test_labels_travel_and_where_they_cannot_it_is_told(room: Room) -> None:
    """In the plan and in the report, for the store and for each secret."""
    path = room.at("secret", "a")
    room.put(path, CANARY.encode())
    room.label(path, **LABEL)
    for to in ("aws", "ssm", "gcp", "azure", "bao"):
        told = copied(room, "secret", to)
        assert [] == [note for note in told["notes"] if "labels" in note]
        assert LABEL == room.metadata(room.at(to, "a"))["labels"], to
    told = copied(room, "secret", "kv1", "--dry-run")
    assert "kv1/ keeps no labels; those of secret/ are not copied." in told["notes"]
    assert "its labels are not kept there" == told["secrets"][0]["reason"]
    shown = room.copy(path, room.at("kv1", "a"))
    assert "Note: kv1/ keeps no labels; those of secret/ are not copied." in shown.stderr
    assert shown.stdout.endswith("its labels are not kept there\n")


def test_a_history_between_stores_that_number_versions_and_that_do_not(room: Room) -> None:
    """Oldest first, resumed where it ended, and the newest is current."""
    for number in range(1, 4):
        room.put(room.at("secret", "a"), f"{CANARY}-{number}".encode())
    for to in ("aws", "gcp", "bao"):
        room.put(room.at(to, "a"), f"{CANARY}-1".encode())
        assert ["behind"] == [one["state"] for one in copied(room, "secret", to, "--versions", "--dry-run")["secrets"]]
        assert {"copied": 1} == copied(room, "secret", to, "--versions")["counts"]
        assert {"there already": 1} == copied(room, "secret", to, "--versions")["counts"]
        found = room.get(room.at(to, "a"))
        assert isinstance(found, tuple)
        assert f"{CANARY}-3".encode() == found[0]
    history = room.metadata(room.at("gcp", "a"))["versions"]
    assert [1, 2, 3] == sorted(version["ordinal"] for version in history)


def test_a_history_over_a_store_that_has_none(room: Room) -> None:
    """The current values are copied, in either direction, and it is said that no more is."""
    for number in range(1, 4):
        room.put(room.at("secret", "a"), f"{CANARY}-{number}".encode())
    note = "kv1/ keeps one version of a secret: only the current ones are copied."
    told = copied(room, "secret", "kv1", "--versions")
    assert (True, {"copied": 1}) == (note in told["notes"], told["counts"])
    told = copied(room, "kv1", "bao", "--versions")
    assert (True, {"copied": 1}) == (note in told["notes"], told["counts"])
    assert 1 == len(room.metadata(room.at("bao", "a"))["versions"])
    assert {"there already": 1} == copied(room, "secret", "kv1", "--versions")["counts"]


def test_an_old_version_too_long_is_told_in_the_plan(room: Room) -> None:
    """Though the current one fits."""
    room.put(room.at("secret", "a"), b"x" * 5_000)
    room.put(room.at("secret", "a"), b"x")
    assert {"copied": 1} == copied(room, "secret", "ssm")["counts"]
    room.gateway.call("DELETE", f"/api/v1/secrets/{room.at('ssm', 'a')}")
    (told,) = copied(room, "secret", "ssm", "--versions", "--dry-run", code=1)["secrets"]
    assert "too_large" == told["code"]


def test_another_value_stays_unless_told(room: Room) -> None:
    """In stores that compare and set, and in those that cannot."""
    for to in ("aws", "ssm", "gcp", "azure"):
        room.put(room.at("secret", "a"), f"{CANARY}-new".encode())
        room.put(room.at(to, "a"), f"{CANARY}-old".encode())
        assert {"skipped": 1} == copied(room, "secret", to, code=5)["counts"]
        assert {"copied": 1} == copied(room, "secret", to, "--overwrite")["counts"]
        found = room.get(room.at(to, "a"))
        assert isinstance(found, tuple)
        assert f"{CANARY}-new".encode() == found[0]


def test_a_source_that_changes_under_the_plan(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there when its turn comes is copied; what is gone by then has failed."""
    for name in ("changed", "deleted"):
        room.put(room.at("secret", name), f"{CANARY}-old".encode())
    real = Carrier.carry_new

    def late(carrier: Carrier, items: list[Item]) -> None:
        room.put(room.at("secret", "changed"), f"{CANARY}-new".encode())
        room.gateway.call("DELETE", f"/api/v1/secrets/{room.at('secret', 'deleted')}")
        real(carrier, items)

    monkeypatch.setattr(Carrier, "carry_new", late)
    told = {one["source"].rpartition("/")[2]: one for one in copied(room, "secret", "aws", code=1)["secrets"]}
    assert ("copied", "failed", "gone") == (
        told["changed"]["outcome"], told["deleted"]["outcome"], told["deleted"]["code"],
    )  # fmt: skip
    found = room.get(room.at("aws", "changed"))
    assert isinstance(found, tuple)
    assert f"{CANARY}-new".encode() == found[0]
    assert 404 == room.get(room.at("aws", "deleted"))


def test_ctrl_c_ends_it_with_a_report_and_the_same_again_goes_on(room: Room) -> None:
    """A real process, interrupted while it writes: nothing is written twice, and nothing is missing."""
    names = [f"s{number:04}" for number in range(1_000)]
    items = [{"path": room.at("secret", name), "text": CANARY} for name in names]
    assert 200 == room.gateway.call("POST", "/api/v1/batch/write", {"items": items}).status
    command = [*COMMAND, "copy", room.at("secret"), room.at("gcp"), "-r", "--json"]
    environment = {**os.environ, "WARDGATE_ADDR": room.gateway.address, "WARDGATE_TOKEN": room.gateway.token}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as copy:
        waiting.until(lambda: room.get(room.at("gcp", names[10])) != 404)
        copy.send_signal(signal.SIGINT)
        out, err = copy.communicate(timeout=60)
    room.said += [out, err]
    assert 1 == copy.returncode
    assert "Stopped. The same command once more goes on from here.\n" == err
    counts = json.loads(out)["counts"]
    assert {"copied", "not tried"} == counts.keys()
    told = copied(room, "secret", "gcp")["counts"]
    assert {"there already": counts["copied"], "copied": counts["not tried"]} == told
    assert {1} == {len(room.metadata(room.at("gcp", name))["versions"]) for name in names[::100]}


def test_the_mounts_of_the_start_page_work_as_written(
    world: World, openbao: OpenBao, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command, with no more than the address of an emulator added; and the copy after them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bao.token").write_text(openbao.token)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "identity.txt").write_text(f"{pyrage.x25519.Identity.generate()}\n")
    (tmp_path / "identity.txt").chmod(0o600)
    environment = {"WARDGATE_ADDR": world.gateway.address, "WARDGATE_TOKEN": world.gateway.token}
    world.gateway.call("PUT", "/api/v1/secrets/secret/payments/db", b"{}", content_type=JSON)
    kinds = []
    lines = [line for line in MOUNTS.splitlines() if line.startswith("$ wardgate ")]
    for line in lines:
        words = shlex.split(line.removeprefix("$ wardgate ").replace("$PWD", str(tmp_path)))
        if words[:2] == ["mount", "add"]:
            kinds.append(words[words.index("--type") + 1])
            words += [word for option in world.elsewhere[kinds[-1]] for word in ("--option", option)]
        ended = CliRunner().invoke(wardgate, words, env=environment)
        assert 0 == ended.exit_code, (line, ended.stderr)
    assert sorted(world.elsewhere) == sorted(kinds)
    assert "copy" in lines[-1]
    assert b"{}" == world.gateway.call("GET", "/api/v1/secrets/team/aws/payments/db").body
