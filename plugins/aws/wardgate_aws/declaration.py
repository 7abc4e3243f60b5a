"""What the stores of AWS can do."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType

from wardgate.spi.capabilities import Capabilities, Declaration

MAX_PARAMETER_NAME = 950
"""The store takes 1,011 characters, of which the ARN before the name takes 45 to 56."""
MAX_PREFIX = 110
MAX_TEXT_BYTES = {"Standard": 4_096, "Advanced": 8_192}
"""What a tier holds. Bytes take a third more as text, so that what is declared is less."""
_WHOLE = "the store deletes and recovers secrets as a whole"
_PARAMETER = "a parameter is deleted as a whole"
SECRETS_MANAGER = Declaration(
    name="AWS Secrets Manager",
    capabilities=Capabilities(
        write=True, compare_and_set=True, list=True, describe=True, labels=True, empty_secrets=True, versions=True,
        delete=True, undelete=True, destroy=True, stages=True, move_current=True,
        min_value_bytes=1, max_value_bytes=65_536, max_path_bytes=512,
    ),
    emulated=frozenset({"compare_and_set", "list"}),
    notes=MappingProxyType({
        "compare_and_set": "the version is stored under a private staging label, and made current only if the expected "
        "one still is",
        "list": "folders are derived from the flat names of the store, which are listed whole",
        "labels": "kept as tags: 50 at most, without the characters that tags cannot hold",
        "settings": "the store has none",
        "mount_settings": "the store has none",
        "ordinals": "the store's versions are UUIDs; the gateway's ledger numbers what it sees",
        "delete_versions": _WHOLE,
        "destroy_versions": _WHOLE,
        "expiry": "the store rotates secrets and lets none expire",
        "media_types": "the store tells text from bytes and keeps no more",
    }),
)  # fmt: skip
STANDARD_PARAMETERS = Declaration(
    name="Standard tier",
    capabilities=Capabilities(
        write=True, list=True, describe=True, labels=True, versions=True, ordinals=True, delete=True, stages=True,
        min_value_bytes=1, max_value_bytes=3_000, max_text_bytes=MAX_TEXT_BYTES["Standard"],
        max_path_bytes=MAX_PARAMETER_NAME - MAX_PREFIX,
    ),
    emulated=frozenset({"list"}),
    notes=MappingProxyType({
        "compare_and_set": "a parameter is overwritten whatever version it has",
        "list": "folders are derived from the flat names of the store, which are listed whole",
        "labels": "they are the parameter's tags",
        "empty_secrets": "a tag needs a parameter, and a parameter has a value",
        "settings": "a parameter keeps its last 100 versions, and that cannot be set",
        "mount_settings": "the store has none",
        "ordinals": "a secret that is written again after a delete counts from 1 again",
        "delete_versions": _PARAMETER,
        "undelete": "a delete is final in this store",
        "destroy": "a delete is final in this store",
        "destroy_versions": _PARAMETER,
        "stages": "they are the labels of a parameter's versions; current and previous follow the versions' order",
        "move_current": "the newest version is always the current one",
        "expiry": "policies end whole parameters, not versions",
        "media_types": "the store holds text alone; bytes travel as JSON that holds them as base64, a third longer",
    }),
)  # fmt: skip
ADVANCED_PARAMETERS = dataclasses.replace(
    STANDARD_PARAMETERS,
    name="Advanced tier",
    capabilities=dataclasses.replace(
        STANDARD_PARAMETERS.capabilities, max_value_bytes=6_000, max_text_bytes=MAX_TEXT_BYTES["Advanced"]
    ),
)
