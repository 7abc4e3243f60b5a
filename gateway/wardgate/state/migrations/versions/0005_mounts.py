"""Mounts that can be tuned; idempotency keys."""

from __future__ import annotations

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Change nothing as yet."""
