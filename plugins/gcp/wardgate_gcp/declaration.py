"""What Google Secret Manager can do."""

from __future__ import annotations

from wardgate.spi.capabilities import Capabilities, Declaration

from wardgate_gcp.names import MAX_NAME

_ORDER = "the newest version is the current one in this store"
DECLARATION = Declaration(
    name="Google Secret Manager",
    capabilities=Capabilities(
        write=True, list=True, describe=True, labels=True, empty_secrets=True, versions=True,
        ordinals=True, delete=True,
        delete_versions=True, undelete=True, destroy=True, destroy_versions=True, stages=True,
        min_value_bytes=1, max_value_bytes=65_536, max_path_bytes=MAX_NAME, page_size=10_000,
    ),
    emulated=frozenset({"list", "delete", "delete_versions", "undelete"}),
    notes={
        "compare_and_set": "the call that adds a version takes no etag, so nothing can be expected of the one before",
        "list": "folders are derived from the flat names of the store, which are listed whole",
        "labels": "kept as annotations, which hold any text; the store's own labels have a narrow alphabet",
        "settings": "the store keeps every version until it is destroyed",
        "mount_settings": "the store has none",
        "delete": "by disabling the version; whoever may enable versions can bring it back, and no time is kept",
        "delete_versions": "by disabling the versions",
        "undelete": "by enabling the versions",
        "stages": "version aliases of the secret; current and previous follow from the order of the versions",
        "move_current": _ORDER,
        "expiry": "the store lets whole secrets expire, not versions",
        "media_types": "the store holds bytes alone",
    },
)  # fmt: skip
