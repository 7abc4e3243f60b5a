"""The tables of ``gateway.db``.

Times and durations are nanoseconds; ``mac`` vouches for all other columns of its row.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, Table, Text, UniqueConstraint

metadata = MetaData()


def _text(name: str, *, key: bool = False, null: bool = False) -> Column[str]:
    return Column(name, Text, primary_key=key, nullable=null)


def _number(name: str, *, key: bool = False, null: bool = False) -> Column[int]:
    return Column(name, BigInteger, primary_key=key, nullable=null, autoincrement=False)


def _bytes(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False)


installation = Table(
    "installation", metadata,
    _text("id", key=True), _bytes("root"), _number("created_at"), _bytes("mac"),
)  # fmt: skip
"""One row: who this is, and its root key wrapped by the seal."""

namespaces = Table(
    "namespaces", metadata,
    _text("id", key=True), _text("parent", null=True), _text("name"), _number("created_at"), _bytes("mac"),
    UniqueConstraint("parent", "name"),
)  # fmt: skip

keks = Table(
    "keks", metadata,
    _text("namespace", key=True), _number("version", key=True), _bytes("wrapped"),
)  # fmt: skip
"""Each namespace's keys, wrapped by the root key and bound to namespace and version; the highest version is current."""

mounts = Table(
    "mounts", metadata,
    _text("id", key=True), _text("namespace"), _text("prefix"), _text("type"), _text("presentation"),
    _bytes("options_key"), _bytes("options"), _text("description"), _number("created_at"), _bytes("mac"),
    UniqueConstraint("namespace", "prefix"),
)  # fmt: skip
"""``options`` are sealed whole under the namespace's keyring; ``options_key`` is their wrapped data key."""

principals = Table(
    "principals", metadata,
    _text("id", key=True), _text("namespace"), _text("kind"), _bytes("lookup"), _text("accessor"), _text("name"),
    _text("policies"), _number("created_at"), _number("expires_at", null=True), _number("ttl", null=True),
    _number("max_ttl", null=True), _number("renewable"), _text("role", null=True), _bytes("mac"),
    UniqueConstraint("lookup"), UniqueConstraint("accessor"),
    Index("principals_by_namespace", "namespace", "kind"), Index("principals_by_expiry", "expires_at"),
    Index("principals_by_role", "role"),
)  # fmt: skip
"""Tokens: API keys and those logins brought. ``lookup`` is the token's keyed hash; ``role`` the AppRole role's id."""

policy_sets = Table(
    "policy_sets", metadata,
    _text("namespace", key=True), _number("generation"), _bytes("mac"),
)  # fmt: skip
"""One row a namespace: ``mac`` vouches for the whole set of its policies, and ``generation`` only grows."""

policies = Table(
    "policies", metadata,
    _text("namespace", key=True), _text("name", key=True), _text("rules"),
)  # fmt: skip

roles = Table(
    "roles", metadata,
    _text("id", key=True), _text("namespace"), _text("name"), _text("role_id"), _text("policies"),
    _number("token_ttl"), _number("token_max_ttl"), _number("secret_id_ttl"), _number("secret_id_uses"),
    _number("bind_secret_id"), _bytes("mac"),
    UniqueConstraint("namespace", "name"), UniqueConstraint("role_id"),
)  # fmt: skip

secret_ids = Table(
    "secret_ids", metadata,
    _text("accessor", key=True), _text("namespace"), _text("role"), _bytes("lookup"), _number("created_at"),
    _number("expires_at", null=True), _number("uses_left", null=True), _bytes("mac"),
    UniqueConstraint("lookup"), Index("secret_ids_by_role", "role"), Index("secret_ids_by_expiry", "expires_at"),
)  # fmt: skip
"""``uses_left`` NULL: without limit."""

ledger = Table(
    "ledger", metadata,
    _text("mount", key=True), _text("path", key=True), _text("version", key=True), _number("ordinal"),
    UniqueConstraint("mount", "path", "ordinal"),
)  # fmt: skip
"""Ordinals of versions in stores that do not number them, each assigned once."""

grants = Table(
    "grants", metadata,
    _text("kind", key=True), _text("namespace", key=True), _number("sequence"),
    Index("grants_by_sequence", "sequence"),
)  # fmt: skip
"""When what a worker may remember last changed: ``sequence`` counts over all rows."""
