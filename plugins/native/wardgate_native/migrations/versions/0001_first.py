"""The first schema: secrets with their heads, and sealed versions."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, Text, UniqueConstraint

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "native_secrets",
        Column("number", Integer, primary_key=True),
        Column("store", Text, nullable=False),
        Column("place", LargeBinary, nullable=False),
        Column("current", BigInteger, nullable=False),
        Column("head", LargeBinary, nullable=False),
        Column("mac", LargeBinary, nullable=False),
        UniqueConstraint("store", "place", name="native_secrets_by_place"),
    )
    op.create_table(
        "native_versions",
        Column("secret", Integer, ForeignKey("native_secrets.number", ondelete="CASCADE"), primary_key=True),
        Column("ordinal", BigInteger, primary_key=True, autoincrement=False),
        Column("media_type", Text, nullable=False),
        Column("wrapped_key", LargeBinary, nullable=False),
        Column("ciphertext", LargeBinary, nullable=False),
    )
