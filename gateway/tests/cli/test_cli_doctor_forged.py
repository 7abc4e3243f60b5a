"""``doctor`` finds what other hands changed in the data folder, before a request runs into it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from wardgate.cli import founding
from wardgate.cli.root import wardgate
from wardgate.clock import SystemClock
from wardgate.mounts.opener import Opener
from wardgate.registry import Registry
from wardgate.spi.operations.methods import MethodInfo
from wardgate.spi.operations.policies import Effect, Policy, Rule
from wardgate.spi.path import Path as SecretPath
from wardgate.spi.values import TEXT, Value
from wardgate.state import State
from wardgate.state.lives import Life
from wardgate.state.namespaces import ROOT_NAMESPACE
from wardgate.state.tokens import new_id

NO_TEXT = "CAST(x'fffe' AS TEXT)"
CANARY = "canary-of-a-value"
READ = Policy("read", (Rule(Effect.ALLOW, ("read",), ("team-*/**",)),))


@pytest.fixture
def made(made: Path, tmp_path: Path) -> Path:
    """The configuration file of an installation with a namespace that has one of everything."""
    asyncio.run(_filled(founding.reopen(tmp_path / "data", tmp_path / "key")))
    return made


async def _filled(state: State) -> None:
    team = new_id()
    await state.namespaces.create(ROOT_NAMESPACE, "team", namespace=team, along=lambda _: None)
    await state.policies.write(team, READ)
    await state.methods.enable(team, MethodInfo(new_id(), "ci", "approle"))
    await state.labels.change(team, SecretPath(("secret",)), {"env": "prod"})
    await state.principals.issue(team, "key", ("read",), Life())
    row = state.mounts.draft(team, SecretPath(("secret",)), "native", options={}, presentation={}, description="")
    await state.mounts.add(row)
    backend = Opener(Registry.load(["native"]).backend_types, state, SystemClock()).of_row(team, row)
    for name in ("first", "folder/second"):
        await backend.write(SecretPath.parse(name), Value(CANARY.encode(), TEXT))
    await backend.close()
    await state.close()


def attack(made: Path, statement: str, *, file: str = "gateway.db") -> None:
    (found,) = (made.parent / "data").glob(file)
    connection = sqlite3.connect(found, isolation_level=None)
    assert connection.execute(statement).rowcount
    connection.close()


def looked(made: Path) -> tuple[Result, dict[str, dict[str, str]]]:
    """What it says, and of that what is wrong."""
    result = CliRunner().invoke(wardgate, ["doctor", "--config", str(made), "--json"])
    assert CANARY not in result.output
    checks = json.loads(result.stdout)["checks"]
    return result, {one["check"]: one for one in checks if not one["ok"] and one["check"] != "port"}


def test_nothing_is_found_where_nothing_was_changed(made: Path) -> None:
    """The control."""
    assert {} == looked(made)[1]


@pytest.mark.parametrize(
    ("statement", "namespace", "told"),
    [
        ("UPDATE policies SET rules = replace(rules, 'team-*/', '')", "team", "the policies of this namespace were"),
        ("DELETE FROM policy_sets WHERE namespace = 'root'", "root", "the policies of this namespace were changed"),
        ("UPDATE auth_methods SET method = 'null'", "team", "the auth methods of this namespace were changed"),
        ("UPDATE labels SET labels = '{}'", "team", "the labels of this namespace were changed"),
        ("UPDATE principals SET policies = '[]' WHERE namespace != 'root'", "team", "the row '"),
        (f"UPDATE policies SET name = {NO_TEXT} WHERE name = 'read'", "team", "the policies of this namespace were"),
        (f"UPDATE labels SET labels = {NO_TEXT}", "team", "the labels of this namespace were changed"),
        (
            f"UPDATE principals SET id = {NO_TEXT} WHERE namespace != 'root'",
            "team",
            "the row '\ufffd\ufffd' of principals",
        ),
        (f"UPDATE mounts SET prefix = {NO_TEXT}", "team", "the row '"),
        ("UPDATE mounts SET namespace = 'nobody'", "nobody", "the row '"),
        ("UPDATE keks SET wrapped = zeroblob(118) WHERE namespace != 'root'", "team", "the keys of this namespace"),
    ],
)
def test_what_was_changed_is_named(made: Path, statement: str, namespace: str, told: str) -> None:
    """With its namespace and what to do; once, and with nothing raw beside it."""
    attack(made, statement)
    result, wrong = looked(made)
    found = wrong.pop(f"state of namespace {namespace}")
    assert found["detail"].startswith(told)
    assert "restore a backup" in found["cure"]
    assert (1, "") == (result.exit_code, result.stderr)
    assert all(one.startswith("mount secret/") for one in wrong)


def test_a_changed_mount_is_told_once(made: Path) -> None:
    """By its place, beside the mounts that are well."""
    attack(made, "UPDATE mounts SET type = 'vault'")
    result, wrong = looked(made)
    assert ["mount secret/ of namespace team"] == list(wrong)
    assert "changed outside the gateway" in wrong["mount secret/ of namespace team"]["detail"]
    assert result.stderr == ""


def test_many_changed_rows_are_counted(made: Path) -> None:
    """A page of them helps nobody."""
    copied = (
        "SELECT 'x' || value, namespace, kind, 'x' || value, 'x' || value, name, policies, created_at, renewable, mac"
    )
    columns = "id, namespace, kind, lookup, accessor, name, policies, created_at, renewable, mac"
    numbers = (
        "(WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 9) SELECT value FROM n)"
    )
    attack(made, f"INSERT INTO principals ({columns}) {copied} FROM principals, {numbers} WHERE namespace = 'root'")
    found = looked(made)[1]["state of namespace root"]
    assert found["detail"].endswith("; and 4 more")


@pytest.mark.parametrize("place", ["first", "folder\\0second"])
def test_a_damaged_secret_is_named(made: Path, place: str) -> None:
    """The first few of an embedded store are looked at, and no value is opened for that."""
    written = place.replace("\\0", "' || char(0) || '")
    statement = f"UPDATE native_secrets SET head = zeroblob(length(head)) WHERE place = CAST('{written}' AS BLOB)"
    attack(made, statement, file="namespaces/[!r]*.db")
    result, wrong = looked(made)
    path = place.replace("\\0", "/")
    told = f"{path}: this secret was changed outside the gateway, or is damaged; restore it from a backup"
    assert told == wrong["mount secret/ of namespace team"]["detail"]
    assert (1, "") == (result.exit_code, result.stderr)
