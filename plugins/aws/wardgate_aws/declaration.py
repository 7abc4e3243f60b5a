"""What AWS Secrets Manager can do."""

from __future__ import annotations

from wardgate.spi.capabilities import Capabilities, Declaration

_WHOLE = "the store deletes and recovers secrets as a whole"
DECLARATION = Declaration(
    name="AWS Secrets Manager",
    capabilities=Capabilities(
        write=True, compare_and_set=True, list=True, describe=True, labels=True, empty_secrets=True, versions=True,
        delete=True,
        undelete=True, destroy=True, stages=True, move_current=True,
        min_value_bytes=1, max_value_bytes=65_536, max_path_bytes=512,
    ),
    notes={
        "compare_and_set": "the version is stored under a private staging label, and made current only if the expected "
        "one still is",
        "labels": "kept as tags: 50 at most, without the characters that tags cannot hold",
        "settings": "the store has none",
        "mount_settings": "the store has none",
        "ordinals": "the store's versions are UUIDs; the gateway's ledger numbers what it sees",
        "delete_versions": _WHOLE,
        "destroy_versions": _WHOLE,
        "expiry": "the store rotates secrets and lets none expire",
        "media_types": "the store tells text from bytes and keeps no more",
    },
)  # fmt: skip
