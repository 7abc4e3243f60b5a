"""What a folder of age files can do, and the reason of each thing that it cannot."""

from __future__ import annotations

from wardgate.spi.capabilities import Capabilities, Declaration

_ONE = "a file holds the one version there is"
_NOTHING = "a file holds the value alone"
DECLARATION = Declaration(
    name="age files",
    # With the ending it is at most the 255 bytes of a file's name, however few segments it has.
    capabilities=Capabilities(write=True, list=True, delete=True, max_path_bytes=251),
    notes={
        "compare_and_set": "a file is replaced whatever it holds",
        "describe": _NOTHING,
        "labels": _NOTHING,
        "empty_secrets": _NOTHING,
        "settings": "there are none",
        "mount_settings": "there are none",
        "versions": _ONE,
        "ordinals": "a version's id is the SHA-256 of its file; the gateway's ledger numbers what it sees",
        "delete_versions": _ONE,
        "undelete": "a file that is deleted is gone",
        "destroy": "a delete is final already",
        "destroy_versions": _ONE,
        "stages": _ONE,
        "move_current": _ONE,
        "expiry": _NOTHING,
        "media_types": "told from the bytes: a JSON object, text, or neither",
    },
)
