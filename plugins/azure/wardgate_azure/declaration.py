"""What an Azure Key Vault can do."""

from __future__ import annotations

from wardgate.spi.capabilities import Capabilities, Declaration

from wardgate_azure.names import MAX_NAME
from wardgate_azure.values import MAX_TEXT_BYTES

MAX_VALUE_BYTES = 18_432
"""Bytes take a third more as text, and the media type's room beside them."""
_WHOLE = "a vault deletes, recovers and purges a secret with all its versions"
DECLARATION = Declaration(
    name="Azure Key Vault",
    capabilities=Capabilities(
        write=True, list=True, describe=True, labels=True, versions=True, delete=True, undelete=True, destroy=True,
        stages=True, media_types=True, min_value_bytes=1, max_value_bytes=MAX_VALUE_BYTES,
        max_text_bytes=MAX_TEXT_BYTES, max_path_bytes=MAX_NAME,
    ),
    emulated=frozenset({"list", "labels", "stages"}),
    notes={
        "compare_and_set": "a vault has no conditional write",
        "list": "folders are derived from the flat names of the store, which are listed whole",
        "labels": "kept as tags of the newest version and carried over by a write, which reads them first: a change of "
        "labels between the two is lost",
        "empty_secrets": "a vault has no secret without a version",
        "settings": "a vault has none for a secret",
        "mount_settings": "a vault's own settings are not in reach of this interface",
        "ordinals": "version ids are random; the gateway's ledger numbers what it sees",
        "delete_versions": _WHOLE,
        "destroy_versions": _WHOLE,
        "stages": "kept as tags on versions; current and previous follow from the order of the versions",
        "move_current": "the newest version is current in a vault",
        "expiry": "a vault tells a version's expiry and serves it all the same",
    },
)  # fmt: skip
