"""Login methods that are made, tuned and removed; roles are of one of them."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, LargeBinary, Text, UniqueConstraint

revision = "0008"
down_revision = "0007"

_TEXTS = ("id", "namespace", "name", "role_id", "policies")
_NUMBERS = ("token_ttl", "token_max_ttl", "secret_id_ttl", "secret_id_uses", "bind_secret_id")
_LATER_NUMBERS = ("token_period", "token_explicit_max_ttl", "token_uses", "bind_to_source")
_LATER_TEXTS = ("token_networks", "secret_id_networks", "token_method", "token_attributes")
_BEFORE = ", ".join((*_TEXTS, *_NUMBERS, "mac", *_LATER_NUMBERS, *_LATER_TEXTS))
"""The columns that roles had."""


def upgrade() -> None:
    """Create the tables of methods, and say of each role and token which it is of; those there are: the first."""
    op.create_table(
        "auth_method_sets",
        Column("namespace", Text, primary_key=True),
        Column("generation", BigInteger, nullable=False),
        Column("mac", LargeBinary, nullable=False),
    )
    op.create_table(
        "auth_methods",
        Column("namespace", Text, primary_key=True),
        Column("name", Text, primary_key=True),
        Column("method", Text, nullable=False),
    )
    for column in ("login_method_id", "login_method_name"):
        op.add_column("principals", Column(column, Text, nullable=True))
    _roles()


def _roles() -> None:
    # A constraint cannot be taken from a table of SQLite: the rows move to a new one.
    op.rename_table("roles", "roles_before")
    op.create_table(
        "roles",
        *(Column(name, Text, primary_key=name == "id", nullable=False) for name in _TEXTS),
        *(Column(name, BigInteger, nullable=False) for name in _NUMBERS),
        Column("mac", LargeBinary, nullable=False),
        *(Column(name, BigInteger, nullable=True) for name in _LATER_NUMBERS),
        *(Column(name, Text, nullable=True) for name in _LATER_TEXTS),
        Column("login_method_id", Text, nullable=False, server_default=""),
        UniqueConstraint("namespace", "login_method_id", "name"),
        UniqueConstraint("namespace", "login_method_id", "role_id"),
    )
    op.execute(f"INSERT INTO roles ({_BEFORE}) SELECT {_BEFORE} FROM roles_before")  # noqa: S608  # names of columns
    op.drop_table("roles_before")
