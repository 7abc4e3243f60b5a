"""Tokens with parents, uses, periods and networks; AppRole roles with bounds."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, LargeBinary, Text, UniqueConstraint

revision = "0002"
down_revision = "0001"

_ROLES = (
    "id, namespace, name, role_id, policies, token_ttl, token_max_ttl, secret_id_ttl, secret_id_uses, bind_secret_id,"
    " mac"
)
"""The columns that roles had."""


def _text(name: str, *, key: bool = False, null: bool = False) -> Column[str]:
    return Column(name, Text, primary_key=key, nullable=null)


def _number(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=null)


def upgrade() -> None:
    """Add what tokens, roles and secret ids can say; a role id is from now on of its namespace alone."""
    for name in ("parent", "method", "attributes", "meta", "networks"):
        op.add_column("principals", _text(name, null=True))
    for name in ("period", "explicit_max_ttl", "uses_left", "renewed_at"):
        op.add_column("principals", _number(name, null=True))
    op.create_index("principals_by_parent", "principals", ["parent"])
    op.create_index("principals_used_up", "principals", ["uses_left"])
    for name in ("metadata", "networks", "token_networks"):
        op.add_column("secret_ids", _text(name, null=True))
    op.add_column("secret_ids", _number("used_at", null=True))
    _roles()


def _roles() -> None:
    # A constraint cannot be taken from a table of SQLite: the rows move to a new one.
    op.rename_table("roles", "roles_before")
    op.create_table(
        "roles",
        _text("id", key=True), _text("namespace"), _text("name"), _text("role_id"), _text("policies"),
        _number("token_ttl"), _number("token_max_ttl"), _number("secret_id_ttl"), _number("secret_id_uses"),
        _number("bind_secret_id"), Column("mac", LargeBinary, nullable=False),
        _number("token_period", null=True), _number("token_explicit_max_ttl", null=True),
        _number("token_uses", null=True), _text("token_networks", null=True), _text("secret_id_networks", null=True),
        _number("bind_to_source", null=True),
        UniqueConstraint("namespace", "name"), UniqueConstraint("namespace", "role_id"),
    )  # fmt: skip
    op.execute(f"INSERT INTO roles ({_ROLES}) SELECT {_ROLES} FROM roles_before")  # noqa: S608  # names of columns
    op.drop_table("roles_before")
