"""Mounts that can be tuned; idempotency keys."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, LargeBinary, Text

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add what mounts can be tuned by, and the table of keys."""
    for name in ("cache_ttl", "default_lease_ttl", "max_lease_ttl"):
        op.add_column("mounts", Column(name, BigInteger, nullable=True))
    op.create_table(
        "idempotency_keys",
        Column("lookup", LargeBinary, primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("namespace", "principal")),
        *(Column(name, LargeBinary, nullable=False) for name in ("request", "mac")),
        *(Column(name, BigInteger, nullable=False) for name in ("busy_until", "expires_at", "size")),
        Column("answer", LargeBinary, nullable=True),
    )
    by_principal = ["namespace", "principal", "expires_at", "size"]
    op.create_index("idempotency_keys_by_principal", "idempotency_keys", by_principal)
    op.create_index("idempotency_keys_by_expiry", "idempotency_keys", ["expires_at"])
