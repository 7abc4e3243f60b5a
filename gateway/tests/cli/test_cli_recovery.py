"""``key recover``, and what ``key revoke`` says before it takes the last way in."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from wardgate.cli import founding, keys, terminal
from wardgate.cli.root import wardgate
from wardgate.config import MOST_WORKERS, load
from wardgate.pipeline.audit.verify import verify
from wardgate.spi.errors import PermissionDenied, Unauthenticated
from wardgate.spi.identity import Principal
from wardgate.spi.operations.keys import ListKeys, RevokeKey
from wardgate.spi.operations.tokens import LookupSelf, TokenInfo
from wardgate.spi.path import Path as SecretPath
from wardgate.state import State
from wardgate.state.namespaces import ROOT_NAMESPACE
from wardgate.state.tokens import new_id

from tests.support.scripted import Scripted

Run = Callable[..., Result]
DAY = 86_400 * 10**9


def local(*arguments: str, **environment: str) -> Result:
    """One command that needs no gateway."""
    return CliRunner().invoke(wardgate, list(arguments), env=environment)


def opened(made: Path) -> State:
    """The state of that installation."""
    config = load(made)
    return founding.reopen(config.data, config.key_file)


def keys_of(made: Path, namespace: str = ROOT_NAMESPACE) -> tuple[TokenInfo, ...]:
    """All keys of a namespace."""
    state = opened(made)
    try:
        return state.principals.keys(namespace)
    finally:
        asyncio.run(state.close())


def child(made: Path, name: str) -> str:
    """The id of a new namespace below the root, without any key."""

    async def create() -> str:
        state = opened(made)
        try:
            info = await state.namespaces.create(ROOT_NAMESPACE, name, namespace=new_id(), along=lambda _: None)
            return info.id
        finally:
            await state.close()

    return asyncio.run(create())


def test_a_recovered_key_is_like_the_first_one(made: Path) -> None:
    """The same policy, life and kind; only its name says where it comes from, and it stands alone on stdout."""
    result = local("key", "recover", "--config", str(made))
    assert 0 == result.exit_code, result.stderr
    first, recovered = keys_of(made)
    assert re.fullmatch(r"recovered-\d{4}-\d\d-\d\d", recovered.principal.name)
    assert (first.kind, first.principal.policies, first.creation_ttl, first.orphan, first.renewable) == (
        recovered.kind, recovered.principal.policies, recovered.creation_ttl, recovered.orphan, recovered.renewable
    )  # fmt: skip
    state = opened(made)
    token = result.stdout.removesuffix("\n")
    assert recovered.principal == state.principals.authenticated(token, ROOT_NAMESPACE)
    assert [] == list(state.forged())
    asyncio.run(state.close())
    assert f"wardgate key revoke {recovered.principal.id}" in result.stderr
    assert "of the root namespace" in result.stderr
    assert token not in result.stderr


def test_a_recovered_key_is_in_no_file(made: Path) -> None:
    """Neither in the data folder nor beside it."""
    token = local("key", "recover", "--config", str(made)).stdout.strip().encode()
    assert [] == [file for file in made.parent.rglob("*") if file.is_file() and token in file.read_bytes()]


def records(made: Path) -> list[dict[str, Any]]:
    """What the audit has of changes; its chains hold."""
    folder = load(made).audit.folder
    assert verify(folder).ok
    lines = [json.loads(line) for file in sorted(folder.glob("*.jsonl")) for line in file.read_text().splitlines()]
    return [line for line in lines if line["kind"] in {"request", "closing"}]


def test_a_recovery_is_audited(made: Path) -> None:
    """Before it is made and after, as nobody's; a second one goes on in the same shard, which no worker has."""
    for _ in range(2):
        local("key", "recover", "--config", str(made))
    found = records(made)
    assert ["request", "closing"] * 2 == [one["kind"] for one in found]
    assert [{"key_name": keys_of(made)[1].principal.name, "policies": "administrator"}] * 4 == [
        one["details"] for one in found
    ]
    assert {("CreateKey", MOST_WORKERS, "root")} == {
        (one["operation"], one["shard"], one["namespace"]) for one in found
    }
    assert [None, "ok"] * 2 == [one.get("code") for one in found]
    assert not {"principal", "source", "token"} & {name for one in found for name in one}


def test_what_cannot_be_audited_is_not_recovered(made: Path) -> None:
    """No record, no key."""
    load(made).audit.folder.write_text("in the way")
    result = local("key", "recover", "--config", str(made))
    assert (6, "", 1) == (result.exit_code, result.stdout, len(keys_of(made)))
    assert "audit" in result.stderr


def test_another_user_s_audit_is_left_alone(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may lie elsewhere than the data, and would be shut to the gateway with a stranger's file in it."""
    folder = load(made).audit.folder
    folder.mkdir()
    real = Path.stat

    def stat(file: Path, **how: Any) -> os.stat_result:
        found = real(file, **how)
        return os.stat_result((*found[:4], found.st_uid + 1, *found[5:])) if file == folder else found

    monkeypatch.setattr(Path, "stat", stat)
    result = local("key", "recover", "--config", str(made))
    assert (2, "", []) == (result.exit_code, result.stdout, list(folder.iterdir()))
    assert f"the folder {folder} belongs to another user" in result.stderr


def test_a_recovered_key_as_json(made: Path) -> None:
    """One document, and nothing beside it."""
    result = local("key", "recover", "--config", str(made), "--json")
    answer = json.loads(result.stdout)
    assert {"id", "name", "namespace", "token", "expires_at"} == set(answer)
    assert ("", "", keys_of(made)[1].principal.id) == (result.stderr, answer["namespace"], answer["id"])


@pytest.mark.parametrize("by", ["option", "environment"])
def test_a_key_is_recovered_in_the_namespace_named_and_no_other(made: Path, by: str) -> None:
    """A namespace's administrator is not the root's."""
    team = child(made, "team")
    if by == "option":
        result = local("key", "recover", "--config", str(made), "--namespace", "team/")
    else:
        result = local("key", "recover", "--config", str(made), WARDGATE_NAMESPACE="team")
    assert "of namespace 'team'" in result.stderr
    assert (1, 1) == (len(keys_of(made)), len(keys_of(made, team)))
    state = opened(made)
    with pytest.raises(Unauthenticated):
        state.principals.authenticated(result.stdout.strip(), ROOT_NAMESPACE)
    asyncio.run(state.close())


def test_a_namespace_that_is_not_there_gets_no_key(made: Path) -> None:
    """And the root gets none in its place."""
    result = local("key", "recover", "--config", str(made), "--namespace", "nobody")
    assert (3, "", 1) == (result.exit_code, result.stdout, len(keys_of(made)))
    assert "there is no namespace 'nobody'" in result.stderr


def test_another_installation_s_key_file_recovers_nothing(made: Path, tmp_path: Path) -> None:
    """The folder alone is not enough."""
    other = tmp_path / "other"
    local("init", "--data", str(other / "data"), "--key-file", str(tmp_path / "other-key"))
    kept = (tmp_path / "key").read_bytes()
    (tmp_path / "key").write_bytes((tmp_path / "other-key").read_bytes())
    result = local("key", "recover", "--config", str(made))
    assert (2, "", 1) == (result.exit_code, result.stdout, len(result.stderr.splitlines()))
    (tmp_path / "key").write_bytes(kept)
    assert 1 == len(keys_of(made))


def test_no_key_file_and_no_folder_are_told(made: Path, tmp_path: Path) -> None:
    """Which one it is."""
    (tmp_path / "key").rename(tmp_path / "away")
    lost = local("key", "recover", "--config", str(made))
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    gone = local("key", "recover", "--config", str(made))
    assert (2, 2, "", "") == (lost.exit_code, gone.exit_code, lost.stdout, gone.stdout)
    assert str(tmp_path / "key") in lost.stderr
    assert str(tmp_path / "data") in gone.stderr


def test_another_user_s_folder_is_left_alone(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root's hand could leave files there that shut the gateway out."""
    before = {file: file.read_bytes() for file in made.parent.rglob("*") if file.is_file()}
    stranger = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: stranger)
    result = local("key", "recover", "--config", str(made))
    assert (2, "") == (result.exit_code, result.stdout)
    assert "belongs to another user" in result.stderr
    assert before == {file: file.read_bytes() for file in made.parent.rglob("*") if file.is_file()}


def test_a_recovered_key_ends_after_a_day(made: Path) -> None:
    """It is no back door that stays open."""
    local("key", "recover", "--config", str(made))
    ends = keys_of(made)[1].principal.expires_at
    assert ends is not None
    assert 0 < time.time_ns() + DAY - ends < 120 * 10**9


def info(known: str, *policies: str) -> TokenInfo:
    """A key of that id."""
    return TokenInfo(
        Principal(known, "root", "a name", "key", policies, f"accessor of {known}"), 0, 0, 0, renewable=False
    )


ADMINISTRATORS = (info("k1", "administrator"), info("k2", "administrator"), info("k3", "app"))
ASKED = [LookupSelf(), ListKeys(), RevokeKey(path=SecretPath(("auth", "keys", "k1")))]


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stderr is a screen."""
    monkeypatch.setattr(terminal, "somebody_watches", lambda: True)


@pytest.mark.parametrize(
    ("own", "listed", "said"),
    [
        ("k2", ADMINISTRATORS, []),
        ("k1", ADMINISTRATORS, [keys.OWN]),
        ("k2", ADMINISTRATORS[::2], [keys.LAST]),
        ("k1", ADMINISTRATORS[::2], [keys.OWN, keys.LAST]),
        ("k9", ADMINISTRATORS[1:2], []),
        ("k9", (info("k1", "app"),), []),
    ],
)
@pytest.mark.parametrize("yes", [True, False])
@pytest.mark.usefixtures("watched", "somebody")
def test_revoke_says_what_else_ends(
    gateway: Scripted, run: Run, own: str, listed: tuple[TokenInfo, ...], said: list[str], *, yes: bool
) -> None:
    """Before it asks, and with ``--yes`` before it does it."""
    gateway.answers.update({LookupSelf: info(own, "administrator"), ListKeys: listed, RevokeKey: None})
    result = run("key", "revoke", "k1", *(["--yes"] if yes else []), input=b"y\n")
    assert (0, "", ASKED) == (result.exit_code, result.stdout, gateway.asked)
    assert said == [sentence for sentence in (keys.OWN, keys.LAST) if f"{sentence}\n" in result.stderr]
    assert yes is ("Revoke the key k1?" not in result.stderr)


@pytest.mark.usefixtures("watched", "somebody")
def test_a_no_revokes_nothing(gateway: Scripted, run: Run) -> None:
    """Whoever is warned can turn back."""
    gateway.answers.update({LookupSelf: info("k1"), ListKeys: ADMINISTRATORS, RevokeKey: None})
    result = run("key", "revoke", "k1", input=b"n\n")
    assert (1, ASKED[:2]) == (result.exit_code, gateway.asked)
    assert keys.OWN in result.stderr


@pytest.mark.usefixtures("watched")
def test_who_may_not_look_can_revoke(gateway: Scripted, run: Run) -> None:
    """What policy hides is not said, and stops nothing."""
    denied = PermissionDenied("no policy allows it")
    gateway.answers.update({LookupSelf: denied, ListKeys: denied, RevokeKey: None})
    result = run("key", "revoke", "k1", "--yes")
    assert (0, "Revoked the key k1.\n", ASKED) == (result.exit_code, result.stderr, gateway.asked)


def test_a_script_s_revoke_is_one_request(gateway: Scripted, run: Run) -> None:
    """Nobody reads a warning there, and a counted token has no use to spare for it."""
    gateway.answers[RevokeKey] = None
    result = run("key", "revoke", "k1", "--yes")
    assert (0, ASKED[2:]) == (result.exit_code, gateway.asked)


def test_without_anybody_to_ask_nothing_is_asked_of_the_gateway(gateway: Scripted, run: Run) -> None:
    """The wrong usage is told first."""
    result = run("key", "revoke", "k1")
    assert (2, []) == (result.exit_code, gateway.asked)
