"""A data folder of an earlier version: its rows hold after the migrations, and their codes with them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from wardgate.spi.errors import Unauthenticated
from wardgate.spi.operations.approle import Role
from wardgate.state import State, tables
from wardgate.state.codes import Codes
from wardgate.state.lives import Life

FIRST = {
    "installation", "namespaces", "keks", "mounts", "principals", "policy_sets", "policies", "roles", "secret_ids",
    "ledger", "grants",
}  # fmt: skip


def first_columns(table: str) -> str:
    return ", ".join(column.name for column in tables.metadata.tables[table].columns if not column.info.get("later"))


def test_rows_from_before_the_later_columns_hold(state: State, reopen: Callable[[], State]) -> None:
    """What has no value in a later column has the code it had before there was one."""
    issued = asyncio.run(state.principals.issue("root", "key", ("default",), Life()))
    with state._database.reading() as connection:
        row = dict(connection.exec_driver_sql(f"SELECT {first_columns('principals')} FROM principals").mappings().one())
    assert row == Codes(state.root).signed(tables.principals, row)
    assert reopen().principals.lookup(issued.token, "root")


def test_a_value_in_a_later_column_is_vouched_for(state: State, tmp_path: Path) -> None:
    """Set, changed, moved to another column or taken away by a foreign hand: the row is refused."""
    issued = asyncio.run(state.principals.issue("root", "key", ("default",), Life(uses=5, period=7)))
    for change in ("uses_left = 6", "uses_left = NULL", "period = 5, uses_left = 7", "networks = '[]'", "parent = ''"):
        file = sqlite3.connect(tmp_path / "data" / "gateway.db", isolation_level=None)
        before = file.execute("SELECT uses_left, period FROM principals").fetchone()
        file.execute(f"UPDATE principals SET {change}")
        with pytest.raises(Unauthenticated):
            state.principals.lookup(issued.token, "root")
        file.execute("UPDATE principals SET uses_left = ?, period = ?, networks = NULL, parent = NULL", before)
        file.close()
    assert state.principals.lookup(issued.token, "root")


def test_roles_move_to_the_table_with_other_constraints(state: State, reopen: Callable[[], State]) -> None:
    """Going back to the first schema and forward again, a role and its secret ids are the same."""
    asyncio.run(state.approle.write("root", Role("app", ("default",), secret_id_uses=3)))
    role_id = state.approle.role_id("root", "app")
    secret_id = asyncio.run(state.approle.new_secret_id("root", "app")).secret_id
    file = state._database.file
    state._database.close_and_wait()
    connection = sqlite3.connect(file, isolation_level=None)
    columns = first_columns("roles")
    connection.executescript(
        f"ALTER TABLE roles RENAME TO kept; CREATE TABLE roles AS SELECT {columns} FROM kept; DROP TABLE kept;"
        "DROP INDEX principals_by_parent; DROP INDEX principals_used_up;"
    )
    for table in ("principals", "secret_ids", "mounts"):
        for column in tables.metadata.tables[table].columns:
            if column.info.get("later"):
                connection.execute(f"ALTER TABLE {table} DROP COLUMN {column.name}")
    for name in tables.metadata.tables.keys() - FIRST:
        connection.execute(f"DROP TABLE IF EXISTS {name}")
    connection.execute("UPDATE gateway_version SET version_num = '0001'")
    connection.close()
    again = reopen()
    assert role_id == again.approle.role_id("root", "app")
    issued = asyncio.run(again.approle.login("root", role_id, secret_id))
    assert "approle" == issued.info.login
    assert ["approle", "token"] == list(again.methods.of("root"))
    with pytest.raises(Unauthenticated):
        asyncio.run(again.approle.login("root", role_id, secret_id, method="ci"))
    again._database.close_and_wait()
