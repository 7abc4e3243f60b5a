"""What the native store can do: everything."""

from __future__ import annotations

from wardgate.spi.capabilities import Capabilities, Declaration

MAX_VALUE_BYTES = 1_048_576
DECLARATION = Declaration(
    name="native",
    capabilities=Capabilities(
        write=True, compare_and_set=True, list=True, describe=True, labels=True, empty_secrets=True, settings=True,
        mount_settings=True,
        versions=True, ordinals=True, delete=True, delete_versions=True, undelete=True, destroy=True,
        destroy_versions=True, stages=True, move_current=True, expiry=True, media_types=True,
        max_value_bytes=MAX_VALUE_BYTES, max_path_bytes=2_048, page_size=1_000,
    ),
)  # fmt: skip
