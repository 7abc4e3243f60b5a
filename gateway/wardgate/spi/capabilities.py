"""What a backend can do, declared once and held to the truth by the conformance suite."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """A frozen declaration of booleans and limits. What is not declared is not done.

    ``ordinals``: version ids are decimal numbers that only grow, so the id is the ordinal and no ledger is kept.
    ``versions``: older versions can be read. ``delete`` without ``undelete`` is final.
    ``mount_settings``: ``describe`` and ``annotate`` take the mount's own root, for settings that hold for all secrets.
    ``media_types``: the media type of a value is kept. Limits are bytes, except ``page_size`` (names).
    """

    write: bool = False
    compare_and_set: bool = False
    list: bool = False
    describe: bool = False
    labels: bool = False
    settings: bool = False
    mount_settings: bool = False
    versions: bool = False
    ordinals: bool = False
    delete: bool = False
    delete_versions: bool = False
    undelete: bool = False
    destroy: bool = False
    stages: bool = False
    expiry: bool = False
    media_types: bool = False
    max_value_bytes: int = 65_536
    max_path_bytes: int = 1_024
    page_size: int = 1_000
