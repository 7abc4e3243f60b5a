"""Mounts that can be tuned; idempotency keys."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add what mounts can be tuned by."""
    for name in ("cache_ttl", "default_lease_ttl", "max_lease_ttl"):
        op.add_column("mounts", Column(name, BigInteger, nullable=True))
