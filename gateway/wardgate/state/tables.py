"""The tables of ``gateway.db``.

Times and durations are nanoseconds; ``mac`` vouches for all other columns of its row. A column that came after the
table's first schema is ``later``: NULL in the rows that were there before it (or the text said ``before``), whose codes
stay as they were.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, Table, Text, UniqueConstraint

metadata = MetaData()
LATER = "later"
"""Marks, in a column's ``info``, one that came after its table."""
BEFORE = "before"
"""In the ``info`` of such a column: what it holds in the rows that were there before it."""


def _text(
    name: str, *, key: bool = False, null: bool = False, later: bool = False, before: str | None = None
) -> Column[str]:
    nullable = null or (later and before is None)
    told = {LATER: later, BEFORE: before}
    return Column(name, Text, primary_key=key, nullable=nullable, server_default=before, info=told)


def _number(name: str, *, key: bool = False, null: bool = False, later: bool = False) -> Column[int]:
    column = Column(name, BigInteger, primary_key=key, nullable=null or later, autoincrement=False)
    column.info[LATER] = later
    return column


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
    _bytes("options_key"), _bytes("options"), _text("description"), _number("created_at"),
    _number("cache_ttl", later=True), _number("default_lease_ttl", later=True), _number("max_lease_ttl", later=True),
    _bytes("mac"),
    UniqueConstraint("namespace", "prefix"),
)  # fmt: skip
"""``options`` are sealed whole under the namespace's keyring; ``options_key`` is their wrapped data key."""

principals = Table(
    "principals", metadata,
    _text("id", key=True), _text("namespace"), _text("kind"), _bytes("lookup"), _text("accessor"), _text("name"),
    _text("policies"), _number("created_at"), _number("expires_at", null=True), _number("ttl", null=True),
    _number("max_ttl", null=True), _number("renewable"), _text("role", null=True), _bytes("mac"),
    _text("parent", later=True), _text("method", later=True), _text("attributes", later=True),
    _text("meta", later=True), _text("networks", later=True), _number("period", later=True),
    _number("explicit_max_ttl", later=True), _number("uses_left", later=True), _number("renewed_at", later=True),
    _text("login_method_id", later=True), _text("login_method_name", later=True),
    UniqueConstraint("lookup"), UniqueConstraint("accessor"),
    Index("principals_by_namespace", "namespace", "kind"), Index("principals_by_expiry", "expires_at"),
    Index("principals_by_role", "role"), Index("principals_by_parent", "parent"),
    Index("principals_used_up", "uses_left"),
)  # fmt: skip
"""Tokens: API keys, those logins brought, and those that tokens made. ``lookup`` is the token's keyed hash; ``role``
the AppRole role's id; ``parent`` the id of the token it ends with, NULL of an orphan. ``method`` and ``attributes``
are the giver's, NULL where they follow from ``kind`` and ``role``. ``meta`` and ``networks`` are JSON. ``uses_left``
NULL: without limit; 0: used up, and about to be swept. ``login_method_id`` and its
name: of the login method that brought it; NULL where none did, and in rows with a ``role`` that are older than they."""

policy_sets = Table(
    "policy_sets", metadata,
    _text("namespace", key=True), _number("generation"), _bytes("mac"),
)  # fmt: skip
"""One row a namespace: ``mac`` vouches for the whole set of its policies, and ``generation`` only grows."""

policies = Table(
    "policies", metadata,
    _text("namespace", key=True), _text("name", key=True), _text("rules"),
)  # fmt: skip

label_sets = Table(
    "label_sets", metadata,
    _text("namespace", key=True), _number("generation"), _bytes("mac"),
)  # fmt: skip
"""One row a namespace that ever had labels: ``mac`` vouches for all of them, and ``generation`` only grows."""

labels = Table(
    "labels", metadata,
    _text("namespace", key=True), _text("path", key=True), _text("labels"),
)  # fmt: skip
"""The labels set at a path, as a JSON object."""

auth_method_sets = Table(
    "auth_method_sets", metadata,
    _text("namespace", key=True), _number("generation"), _bytes("mac"),
)  # fmt: skip
"""One row a namespace whose ways to log in ever changed: ``mac`` vouches for all of them, ``generation`` only grows."""

auth_methods = Table(
    "auth_methods", metadata,
    _text("namespace", key=True), _text("name", key=True), _text("method"),
)  # fmt: skip
"""What differs from the methods that a namespace begins with: a JSON object, or ``null`` of one that was disabled."""

roles = Table(
    "roles", metadata,
    _text("id", key=True), _text("namespace"), _text("name"), _text("role_id"), _text("policies"),
    _number("token_ttl"), _number("token_max_ttl"), _number("secret_id_ttl"), _number("secret_id_uses"),
    _number("bind_secret_id"), _bytes("mac"),
    _number("token_period", later=True), _number("token_explicit_max_ttl", later=True),
    _number("token_uses", later=True), _text("token_networks", later=True), _text("secret_id_networks", later=True),
    _number("bind_to_source", later=True), _text("token_method", later=True), _text("token_attributes", later=True),
    _text("login_method_id", later=True, before=""),
    UniqueConstraint("namespace", "login_method_id", "name"),
    UniqueConstraint("namespace", "login_method_id", "role_id"),
)  # fmt: skip
"""``token_method`` and ``token_attributes`` are those of whoever wrote the role, NULL of an administrator's.
``login_method_id``: of the login method it is of, empty of the one its namespace began with. ``role_id`` can be chosen,
so it is of its method alone: none learns what stands in another."""

secret_ids = Table(
    "secret_ids", metadata,
    _text("accessor", key=True), _text("namespace"), _text("role"), _bytes("lookup"), _number("created_at"),
    _number("expires_at", null=True), _number("uses_left", null=True), _bytes("mac"),
    _text("metadata", later=True), _text("networks", later=True), _text("token_networks", later=True),
    _number("used_at", later=True),
    UniqueConstraint("lookup"), Index("secret_ids_by_role", "role"), Index("secret_ids_by_expiry", "expires_at"),
)  # fmt: skip
"""``uses_left`` NULL: without limit."""

wrapped = Table(
    "wrapped", metadata,
    _text("accessor", key=True), _text("namespace"), _bytes("lookup"), _number("created_at"), _number("expires_at"),
    _text("creation_path"), _text("wrapped_accessor"), _bytes("payload_key"), _bytes("payload"), _number("size"),
    _bytes("mac"), _text("maker", later=True),
    UniqueConstraint("lookup"), Index("wrapped_by_namespace", "namespace", "expires_at", "size"),
    Index("wrapped_by_expiry", "expires_at"), Index("wrapped_by_maker", "namespace", "maker", "expires_at", "size"),
)  # fmt: skip
"""Answers kept for whoever shows their wrapping token, of which ``lookup`` is the keyed hash. ``payload`` is sealed
under a key made from the token, and that under the namespace's; ``size`` is its length in bytes; ``maker`` whose share
of the room it takes."""

idempotency_keys = Table(
    "idempotency_keys", metadata,
    Column("lookup", LargeBinary, primary_key=True), _text("namespace"), _text("principal"), _bytes("request"),
    _number("busy_until"), _number("expires_at"), Column("answer", LargeBinary, nullable=True), _number("size"),
    _bytes("mac"),
    Index("idempotency_keys_by_principal", "namespace", "principal", "expires_at", "size"),
    Index("idempotency_keys_by_expiry", "expires_at"),
)  # fmt: skip
"""Changes asked for under a key, of which ``lookup`` is the keyed hash, as ``request`` is of what was asked for.
``answer`` NULL: it is under way, or since ``busy_until`` nobody knows how it ended."""

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
