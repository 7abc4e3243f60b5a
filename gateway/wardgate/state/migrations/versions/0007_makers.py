"""Whose share of a namespace's room a wrapped answer takes."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the maker."""
    op.add_column("wrapped", Column("maker", Text, nullable=True))
    op.create_index("wrapped_by_maker", "wrapped", ["namespace", "maker", "expires_at", "size"])
