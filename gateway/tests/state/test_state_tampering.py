"""Whoever can write gateway.db can grant himself nothing: every column, copies between namespaces, inserts."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table
from wardgate.spi.errors import Sealed, SecretNotFound, Unauthenticated, Unavailable
from wardgate.spi.operations.approle import Role
from wardgate.spi.operations.methods import MethodInfo
from wardgate.spi.operations.policies import Effect, Policy, Rule
from wardgate.spi.path import Path as SecretPath
from wardgate.state import State, tables
from wardgate.state.lives import Life
from wardgate.state.tokens import new_id

SECRET = SecretPath(("secret",))
READ = Policy("read", (Rule(Effect.ALLOW, ("read",), ("secret/**",)),))
DENY = Policy("deny", (Rule(Effect.DENY, ("*",), ("secret/private/**",)),))


class House:
    """A state with one of everything in the root and in the namespace ``team``."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.team = new_id()
        self.tokens: dict[str, str] = {}
        self.logins: dict[str, tuple[str, str]] = {}
        asyncio.run(self._fill())

    async def _fill(self) -> None:
        state = self.state
        await state.namespaces.create("root", "team", namespace=self.team, along=lambda _: None)
        for namespace in ("root", self.team):
            issued = await state.principals.issue(namespace, "key", ("read",), Life(ttl=10**12))
            self.tokens[namespace] = issued.token
            for policy in (READ, DENY):
                await state.policies.write(namespace, policy)
            await state.labels.change(namespace, SECRET, {"env": "prod"})
            await state.methods.enable(namespace, MethodInfo(new_id(), "ci", "approle", max_lease_ttl=10**12))
            await state.approle.write(namespace, Role("app", ("read",), secret_id_uses=3), method="ci")
            secret_id = await state.approle.new_secret_id(namespace, "app", method="ci")
            self.logins[namespace] = (state.approle.role_id(namespace, "app", method="ci"), secret_id.secret_id)
            row = state.mounts.draft(namespace, SECRET, "native", options={"a": "b"}, presentation={}, description="")
            await state.mounts.add(row)

    def grants(self, state: State) -> list[str]:
        """Everything that this state gives, by name; an untouched one gives all of it."""
        return [
            f"{what} {where}"
            for where, namespace in (("root", "root"), ("team", self.team))
            for what, ask in self._asks(state, namespace)
            if gives(ask)
        ]

    def _asks(self, state: State, namespace: str) -> tuple[tuple[str, Callable[[], object]], ...]:
        return (
            ("token", lambda: state.principals.lookup(self.tokens[namespace], namespace)),
            ("policies", lambda: state.policies.of(namespace)),
            ("login", lambda: self.logged_in(state, namespace)),
            ("mount", lambda: self.opened(state, namespace)),
            ("keys", lambda: state.keyring(namespace)),
            ("labels", lambda: state.labels.of(namespace)),
        )

    def logged_in(self, state: State, namespace: str) -> None:
        asyncio.run(state.approle.login(namespace, *self.logins[namespace], method="ci"))

    @staticmethod
    def opened(state: State, namespace: str) -> None:
        (row,) = state.mounts.of(namespace)
        if row.fault:
            raise Unavailable(row.fault)


def gives(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except (Unauthenticated, Unavailable, SecretNotFound, Sealed, ValueError):
        return False
    return True


NO_TEXT = b"\xff\xfe"
WHAT = ("token", "policies", "login", "mount", "keys", "labels")
ALL = [f"{what} {where}" for where in ("root", "team") for what in WHAT]


@pytest.fixture
def house(state: State) -> House:
    return House(state)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "gateway.db"


def attack(file: Path, statement: str, *parameters: object) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute(statement, parameters)
    connection.close()


def edited(value: Any) -> list[tuple[str, Any]]:
    """What an attacker may put in the place of this value, and how SQL says it: a text that is none, too."""
    if value is None:
        others: list[Any] = [1, "x"]
    elif isinstance(value, bytes):
        others = [value[:-1] + bytes([value[-1] ^ 1]), b"", value.hex()]
    elif isinstance(value, int):
        others = [value + 1, 0 if value else 2, str(value) + "x"]
    else:
        others = [value + "x", value.encode()]
    return [("?", other) for other in others] + [("CAST(? AS TEXT)", NO_TEXT)]


def test_an_untouched_state_gives_everything(house: House, reopen: Callable[[], State]) -> None:
    """The control: what the attacks below take away is there without them."""
    assert ALL == house.grants(reopen())
    assert [] == list(reopen().forged())


LOSES = {
    "installation": set(ALL),
    "namespaces": {"keys team", "mount team"},
    "keks": {"keys team", "mount team"},
    "mounts": {"mount team"},
    "principals": {"token team"},
    "roles": {"login team"},
    "secret_ids": {"login team"},
    "policies": {"policies team"},
    "policy_sets": {"policies team"},
    "auth_method_sets": {"login team"},
    "auth_methods": {"login team"},
    "labels": {"labels team"},
    "label_sets": {"labels team"},
}
"""By table: what the team must lose when any column of its row is edited. Nobody may gain anything."""


@pytest.mark.parametrize("table", [tables.metadata.tables[name] for name in LOSES], ids=lambda table: table.name)
def test_an_edited_column_grants_nothing(
    table: Table, house: House, file: Path, tmp_path: Path, reopen: Callable[[], State]
) -> None:
    """Each column of each row, set to several other values: that object is refused, and found by who looks for it."""
    shutil.copy(file, tmp_path / "kept.db")
    _checkpoint(file)
    shutil.copy(file, tmp_path / "kept.db")
    condition = "1" if table.name == "installation" else f"{'id' if table.name == 'namespaces' else 'namespace'} = ?"
    parameters = () if table.name == "installation" else (house.team,)
    names = [column.name for column in table.columns]
    before = sqlite3.connect(file).execute(f"SELECT * FROM {table.name} WHERE {condition}", parameters).fetchone()
    tried = 0
    for name, value in zip(names, before, strict=True):
        for to, other in edited(value):
            try:
                attack(file, f"UPDATE {table.name} SET {name} = {to} WHERE {condition}", other, *parameters)
            except sqlite3.IntegrityError:
                continue
            tried += 1
            _assert_lost(house, LOSES[table.name], reopen, f"{table.name}.{name} = {other!r}")
            with sqlite3.connect(tmp_path / "kept.db") as kept, sqlite3.connect(file) as target:
                kept.backup(target)
    assert tried >= len(names)


def _assert_lost(house: House, loses: set[str], reopen: Callable[[], State], attack_name: str) -> None:
    try:
        opened = reopen()
    except (Sealed, Unavailable):
        assert loses == set(ALL), attack_name
        return
    # Looked for first: a token whose end was moved to the past is swept by the next login.
    found = {one.namespace for one in opened.forged()}
    assert found, attack_name
    assert found == {house.team} or ".namespace = " in attack_name or ".id = " in attack_name, attack_name
    given = set(house.grants(opened))
    assert loses & given == set(), attack_name
    assert given >= {each for each in ALL if each.endswith("root")}, attack_name


def _checkpoint(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()


def test_a_token_copied_to_another_namespace_is_refused(house: House, file: Path, reopen: Callable[[], State]) -> None:
    """The root's token moved to the team, or the team's to the root, opens neither."""
    attack(file, "UPDATE principals SET namespace = ? WHERE namespace = 'root'", house.team)
    again = reopen()
    assert not gives(lambda: again.principals.lookup(house.tokens["root"], house.team))
    assert not gives(lambda: again.principals.lookup(house.tokens["root"], "root"))


def test_an_inserted_token_is_refused(house: House, file: Path, reopen: Callable[[], State]) -> None:
    """A copy of a genuine row under another lookup, with more policies and no expiry."""
    lookup = house.state.principals._lookup("wg_forged")
    attack(
        file,
        "INSERT INTO principals (id, namespace, kind, lookup, accessor, name, policies, created_at, ttl, max_ttl,"
        " renewable, role, mac) SELECT 'new', namespace, kind, ?, 'acc', name, '[\"administrator\"]', created_at,"
        " ttl, max_ttl, renewable, role, mac FROM principals WHERE namespace = 'root'",
        lookup,
    )
    again = reopen()
    assert not gives(lambda: again.principals.lookup("wg_forged", "root"))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM policies WHERE namespace = ? AND name = 'deny'",
        "DELETE FROM policy_sets WHERE namespace = ?",
        "INSERT INTO policies SELECT namespace, 'more', rules FROM policies WHERE namespace = ? AND name = 'read'",
        "UPDATE policies SET rules = (SELECT rules FROM policies WHERE name = 'read' LIMIT 1) WHERE namespace = ?",
        "UPDATE policies SET name = 'x' WHERE namespace = ? AND name = 'deny'",
    ],
)
def test_a_set_of_policies_stands_or_falls_as_a_whole(
    statement: str, house: House, file: Path, reopen: Callable[[], State]
) -> None:
    """A rule taken away (a deny!), added, renamed or replaced refuses the namespace's whole set, and no other."""
    attack(file, statement, house.team)
    again = reopen()
    with pytest.raises(Unavailable):
        again.policies.of(house.team)
    assert 2 == len(again.policies.of("root").policies)
    with pytest.raises(Unavailable):
        asyncio.run(again.policies.write(house.team, READ))


def test_a_set_of_policies_copied_from_another_namespace_is_refused(
    house: House, file: Path, reopen: Callable[[], State]
) -> None:
    """The code binds the namespace."""
    attack(file, "DELETE FROM policies WHERE namespace = ?", house.team)
    attack(file, "INSERT INTO policies SELECT ?, name, rules FROM policies WHERE namespace = 'root'", house.team)
    attack(
        file,
        "UPDATE policy_sets SET (generation, mac) = (SELECT generation, mac FROM policy_sets WHERE namespace = 'root')"
        " WHERE namespace = ?",
        house.team,
    )
    with pytest.raises(Unavailable):
        reopen().policies.of(house.team)


def test_an_older_set_of_policies_is_refused_by_whoever_saw_the_newer(house: House, file: Path) -> None:
    """A complete set, genuine in its time, put back while the gateway runs."""
    team = house.team
    connection = sqlite3.connect(file, isolation_level=None)
    old_rows = connection.execute("SELECT * FROM policies WHERE namespace = ?", (team,)).fetchall()
    old_set = connection.execute("SELECT * FROM policy_sets WHERE namespace = ?", (team,)).fetchone()
    asyncio.run(house.state.policies.write(team, Policy("more", DENY.rules)))
    assert 3 == len(house.state.policies.of(team).policies)
    connection.execute("DELETE FROM policies WHERE namespace = ?", (team,))
    connection.executemany("INSERT INTO policies VALUES (?, ?, ?)", old_rows)
    connection.execute("UPDATE policy_sets SET generation = ?, mac = ? WHERE namespace = ?", (*old_set[1:], team))
    connection.close()
    house.state._grants.bump(("policies", team))
    with pytest.raises(Unavailable):
        house.state.policies.of(team)


def test_a_secret_id_copied_to_another_role_logs_nobody_in(
    house: House, file: Path, reopen: Callable[[], State]
) -> None:
    """A secret id of the team, pointed at the root's role."""
    attack(
        file,
        "UPDATE secret_ids SET namespace = 'root', role = (SELECT id FROM roles WHERE namespace = 'root')"
        " WHERE namespace = ?",
        house.team,
    )
    again = reopen()
    with pytest.raises(Unauthenticated):
        asyncio.run(again.approle.login("root", house.logins["root"][0], house.logins[house.team][1], method="ci"))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM auth_methods WHERE namespace = ?",
        "DELETE FROM auth_method_sets WHERE namespace = ?",
        "UPDATE auth_methods SET name = 'approle' WHERE namespace = ?",
        "UPDATE auth_methods SET method = 'null' WHERE namespace = ?",
        "UPDATE auth_methods SET method = replace(method, '1000000000000', '0') WHERE namespace = ?",
        "INSERT INTO auth_methods SELECT namespace, 'token', method FROM auth_methods WHERE namespace = ?",
    ],
)
def test_a_set_of_login_methods_stands_or_falls_as_a_whole(
    statement: str, house: House, file: Path, reopen: Callable[[], State]
) -> None:
    """A method taken away, added, renamed or with its bound lifted: nobody logs in, and the set is not blessed."""
    attack(file, statement, house.team)
    again = reopen()
    with pytest.raises(Unavailable):
        house.logged_in(again, house.team)
    with pytest.raises(Unavailable):
        asyncio.run(again.methods.disable(house.team, "ci"))
    house.logged_in(again, "root")


def test_a_role_moved_to_another_login_method_proves_nothing(
    house: House, file: Path, reopen: Callable[[], State]
) -> None:
    """Neither at the method that every namespace begins with, nor at its own."""
    attack(file, "UPDATE roles SET login_method_id = '' WHERE namespace = 'root'")
    again = reopen()
    for method in ("approle", "ci"):
        with pytest.raises(Unauthenticated):
            asyncio.run(again.approle.login("root", *house.logins["root"], method=method))


def test_a_copied_mount_has_no_id_a_store_knows(house: House, file: Path, reopen: Callable[[], State]) -> None:
    """A second prefix for the same mount would dodge its policies: it shows, but cannot be opened."""
    genuine = house.state.mounts.of("root")[0]
    attack(file, "UPDATE mounts SET id = 'elsewhere' WHERE namespace = ?", house.team)
    attack(
        file,
        "INSERT INTO mounts SELECT 'copy', namespace, 'public', type, presentation, options_key, options, description,"
        " created_at, mac, NULL, NULL, NULL FROM mounts WHERE namespace = 'root'",
    )
    kept, copied = reopen().mounts.of("root")
    assert genuine == kept
    assert copied.fault
    assert copied.id.startswith("refused-")
    assert {} == copied.options


def test_a_namespace_moved_below_another_is_unreachable(house: House, file: Path, reopen: Callable[[], State]) -> None:
    """An inserted or moved namespace is known under no path."""
    attack(file, "INSERT INTO namespaces SELECT 'forged', 'root', 'forged', created_at, mac FROM namespaces LIMIT 1")
    attack(file, "UPDATE namespaces SET name = 'other' WHERE id = ?", house.team)
    again = reopen()
    assert ["", "", ""] == [again.namespaces.resolve(path) for path in ("forged", "other", "team")]
    assert "root" == again.namespaces.resolve("")


def test_no_token_stands_in_the_file(house: House, tmp_path: Path) -> None:
    """Tokens, secret ids and options are nowhere in the data folder, in any file."""
    house.state._database.close_and_wait()
    stored = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    secrets = [*house.tokens.values(), *(login[1] for login in house.logins.values())]
    assert [] == [secret for secret in secrets if secret.encode() in stored]
    assert b'{"a":"b"}' not in stored


def test_a_namespace_that_was_deleted_meanwhile_was_not_tampered_with(
    state: State, caplog: pytest.LogCaptureFixture
) -> None:
    """A request still under way is refused, and nobody is told that somebody wrote the file."""
    house = House(state)
    asyncio.run(state.mounts.remove(house.team, SECRET))
    known = (state.labels.of, state.methods.of, state.policies.of)
    for of in known:
        of(house.team)
    asyncio.run(state.namespaces.delete(house.team))
    for of in known:
        with pytest.raises(Unavailable, match="deleted"):
            of(house.team)
    assert "state_tampered" not in [getattr(record, "event", "") for record in caplog.records]
