"""Wrapped answers."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, LargeBinary, Text, UniqueConstraint

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create their table."""
    op.create_table(
        "wrapped",
        Column("accessor", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("namespace", "creation_path", "wrapped_accessor")),
        *(Column(name, BigInteger, nullable=False) for name in ("created_at", "expires_at", "size")),
        *(Column(name, LargeBinary, nullable=False) for name in ("lookup", "payload_key", "payload", "mac")),
        UniqueConstraint("lookup"),
    )
    op.create_index("wrapped_by_namespace", "wrapped", ["namespace", "expires_at", "size"])
    op.create_index("wrapped_by_expiry", "wrapped", ["expires_at"])
