"""The tables of a namespace's native stores; several mounts share a file, so every row is some ``store``'s."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint

metadata = MetaData()

secrets = Table(
    "native_secrets",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("store", Text, nullable=False),
    Column("place", LargeBinary, nullable=False),
    Column("current", BigInteger, nullable=False),
    Column("head", LargeBinary, nullable=False),
    Column("mac", LargeBinary, nullable=False),
    UniqueConstraint("store", "place", name="native_secrets_by_place"),
)
"""One row a secret. ``place``: its segments in UTF-8 with a NUL between, so that the index has the order of a listing.

``head`` is a document (see ``head``) under ``mac``; ``current`` repeats its current version (0: none) for the join.
"""

versions = Table(
    "native_versions",
    metadata,
    Column("secret", Integer, ForeignKey("native_secrets.number", ondelete="CASCADE"), primary_key=True),
    Column("ordinal", BigInteger, primary_key=True, autoincrement=False),
    Column("media_type", Text, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
)
"""One row a version whose value still exists. Destroying one deletes the row, and its wrapped key with it."""
