"""What the engines of a Vault or OpenBao server can do, and the reason of each thing that they cannot."""

from __future__ import annotations

from wardgate.spi.capabilities import Capabilities, Declaration

PAGE = 10_000
"""A folder comes whole, however large; each page of it is an operation of its own, with its audit record."""
MAX_VALUE_BYTES = 131_072
"""JSON can make six bytes of one, and a server keeps entries of 1 MiB."""
_ONE_VERSION = "the engine keeps one version of a secret"
_NOTHING_KNOWN = "the engine knows nothing of a secret but its value"
KV_ONE = Declaration(
    name="KV version 1",
    capabilities=Capabilities(write=True, list=True, delete=True, max_value_bytes=MAX_VALUE_BYTES, page_size=PAGE),
    notes={
        "compare_and_set": "the engine overwrites whatever is there",
        "describe": _NOTHING_KNOWN,
        "labels": _NOTHING_KNOWN,
        "empty_secrets": _NOTHING_KNOWN,
        "settings": "the engine has none",
        "mount_settings": "the engine has none",
        "versions": _ONE_VERSION,
        "ordinals": "the gateway's ledger numbers what it sees",
        "delete_versions": _ONE_VERSION,
        "undelete": "a delete is final in this engine",
        "destroy": "a delete is final in this engine",
        "destroy_versions": _ONE_VERSION,
        "stages": _ONE_VERSION,
        "move_current": _ONE_VERSION,
        "expiry": _NOTHING_KNOWN,
        "media_types": "the engine holds JSON objects alone",
    },
)
KV_TWO = Declaration(
    name="KV version 2",
    capabilities=Capabilities(
        write=True, compare_and_set=True, list=True, describe=True, labels=True, empty_secrets=True, settings=True,
        mount_settings=True,
        versions=True, ordinals=True, delete=True, delete_versions=True, undelete=True, destroy=True,
        destroy_versions=True, max_value_bytes=MAX_VALUE_BYTES, page_size=PAGE,
    ),
    notes={
        "stages": "the engine has no names for versions",
        "move_current": "the newest version is the current one",
        "expiry": "versions that end at a time are told as deleted then",
        "media_types": "the engine holds JSON objects alone",
    },
)  # fmt: skip
