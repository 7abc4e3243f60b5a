"""What a backend can do, declared once and held to the truth by the conformance suite."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """A frozen declaration of booleans and limits. What is not declared is not done.

    ``ordinals``: version ids are decimal numbers that only grow while the secret lives, so the id is the ordinal and
    no ledger is kept. After a final delete or a destroy they may begin again.
    ``versions``: older versions can be read. ``delete`` without ``undelete`` is final.
    ``delete_versions``: single versions are deleted and recovered; without it the secret is, as a whole.
    ``destroy_versions``: single versions are destroyed; without it the secret is, as a whole.
    ``stages``: movable names on versions. ``move_current``: ``current`` moves too, and ``previous`` with it; without
    it they follow from the order of the versions, and only other stages move.
    ``empty_secrets``: a secret can be there before its first version, with labels or settings alone.
    ``mount_settings``: ``describe`` and ``annotate`` take the mount's own root, for settings that hold for all secrets.
    ``expiry``: a version past its end is Gone with the state EXPIRED; without it, ends are told as deletes.
    ``media_types``: the media type of a value is kept. Limits are bytes, except ``page_size`` (names).
    ``max_value_bytes``: a value of any form fits. ``max_text_bytes``: text does up to here, where that is more.
    """

    write: bool = False
    compare_and_set: bool = False
    list: bool = False
    describe: bool = False
    labels: bool = False
    empty_secrets: bool = False
    settings: bool = False
    mount_settings: bool = False
    versions: bool = False
    ordinals: bool = False
    delete: bool = False
    delete_versions: bool = False
    undelete: bool = False
    destroy: bool = False
    destroy_versions: bool = False
    stages: bool = False
    move_current: bool = False
    expiry: bool = False
    media_types: bool = False
    min_value_bytes: int = 0
    max_value_bytes: int = 65_536
    max_text_bytes: int = 0
    max_path_bytes: int = 1_024
    page_size: int = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What one kind of store can do, in the form that documentation, messages and tests share.

    ``name``: how a table calls it, such as ``KV version 2``.
    ``emulated``: declared capabilities that the store itself has nothing like; the backend does them with what it has.
    ``notes``: a sentence by the name of a capability: of an emulated one, how it is done; of any other that is
    declared, what to know of it; of one that is not, why the store cannot.
    """

    name: str
    capabilities: Capabilities
    emulated: frozenset[str] = frozenset()
    notes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
