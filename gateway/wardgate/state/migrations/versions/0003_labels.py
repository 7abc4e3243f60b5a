"""Labels of paths, for conditions of policies."""

from __future__ import annotations

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Change nothing as yet."""
