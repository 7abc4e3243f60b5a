"""Tokens with parents, uses, periods and networks; AppRole roles with bounds."""

from __future__ import annotations

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Change nothing as yet."""
