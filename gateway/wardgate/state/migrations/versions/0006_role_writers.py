"""What conditions read of a role's tokens, where no administrator wrote the role."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add what its tokens have from its writer."""
    for name in ("token_method", "token_attributes"):
        op.add_column("roles", Column(name, Text, nullable=True))
