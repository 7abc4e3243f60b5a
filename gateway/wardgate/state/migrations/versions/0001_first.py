"""The first schema of the gateway's own state."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, LargeBinary, Text, UniqueConstraint

revision = "0001"
down_revision = None


def _text(name: str, *, key: bool = False, null: bool = False) -> Column[str]:
    return Column(name, Text, primary_key=key, nullable=null)


def _number(name: str, *, key: bool = False, null: bool = False) -> Column[int]:
    return Column(name, BigInteger, primary_key=key, nullable=null, autoincrement=False)


def _bytes(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False)


def upgrade() -> None:
    """Create every table."""
    _identity()
    _approle()
    _resources()
    op.create_table(
        "grants", _text("kind", key=True), _text("namespace", key=True), _number("sequence"),
    )  # fmt: skip
    op.create_index("grants_by_sequence", "grants", ["sequence"])


def _identity() -> None:
    op.create_table(
        "installation", _text("id", key=True), _bytes("root"), _number("created_at"), _bytes("mac"),
    )  # fmt: skip
    op.create_table(
        "namespaces",
        _text("id", key=True), _text("parent", null=True), _text("name"), _number("created_at"), _bytes("mac"),
        UniqueConstraint("parent", "name"),
    )  # fmt: skip
    op.create_table(
        "keks", _text("namespace", key=True), _number("version", key=True), _bytes("wrapped"),
    )  # fmt: skip
    op.create_table(
        "principals",
        _text("id", key=True), _text("namespace"), _text("kind"), _bytes("lookup"), _text("accessor"), _text("name"),
        _text("policies"), _number("created_at"), _number("expires_at", null=True), _number("ttl", null=True),
        _number("max_ttl", null=True), _number("renewable"), _text("role", null=True), _bytes("mac"),
        UniqueConstraint("lookup"), UniqueConstraint("accessor"),
    )  # fmt: skip
    op.create_index("principals_by_namespace", "principals", ["namespace", "kind"])
    op.create_index("principals_by_expiry", "principals", ["expires_at"])
    op.create_index("principals_by_role", "principals", ["role"])


def _approle() -> None:
    op.create_table(
        "roles",
        _text("id", key=True), _text("namespace"), _text("name"), _text("role_id"), _text("policies"),
        _number("token_ttl"), _number("token_max_ttl"), _number("secret_id_ttl"), _number("secret_id_uses"),
        _number("bind_secret_id"), _bytes("mac"),
        UniqueConstraint("namespace", "name"), UniqueConstraint("role_id"),
    )  # fmt: skip
    op.create_table(
        "secret_ids",
        _text("accessor", key=True), _text("namespace"), _text("role"), _bytes("lookup"), _number("created_at"),
        _number("expires_at", null=True), _number("uses_left", null=True), _bytes("mac"),
        UniqueConstraint("lookup"),
    )  # fmt: skip
    op.create_index("secret_ids_by_role", "secret_ids", ["role"])
    op.create_index("secret_ids_by_expiry", "secret_ids", ["expires_at"])


def _resources() -> None:
    op.create_table(
        "mounts",
        _text("id", key=True), _text("namespace"), _text("prefix"), _text("type"), _text("presentation"),
        _bytes("options_key"), _bytes("options"), _text("description"), _number("created_at"), _bytes("mac"),
        UniqueConstraint("namespace", "prefix"),
    )  # fmt: skip
    op.create_table(
        "policy_sets", _text("namespace", key=True), _number("generation"), _bytes("mac"),
    )  # fmt: skip
    op.create_table(
        "policies", _text("namespace", key=True), _text("name", key=True), _text("rules"),
    )  # fmt: skip
    op.create_table(
        "ledger",
        _text("mount", key=True), _text("path", key=True), _text("version", key=True), _number("ordinal"),
        UniqueConstraint("mount", "path", "ordinal"),
    )  # fmt: skip
