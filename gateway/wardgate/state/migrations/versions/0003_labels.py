"""Labels of paths, for conditions of policies."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, LargeBinary, Text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables of labels; a namespace without a row in ``label_sets`` has none."""
    op.create_table(
        "label_sets",
        Column("namespace", Text, primary_key=True),
        Column("generation", BigInteger, nullable=False),
        Column("mac", LargeBinary, nullable=False),
    )
    op.create_table(
        "labels",
        Column("namespace", Text, primary_key=True),
        Column("path", Text, primary_key=True),
        Column("labels", Text, nullable=False),
    )
