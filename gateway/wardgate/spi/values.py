"""What travels the road: values, versions, what is known of a secret, pages of names."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from wardgate.spi import strict_json
from wardgate.spi.errors import Malformed

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
BYTES = "application/octet-stream"
CURRENT, PREVIOUS = "current", "previous"
"""Stages that every store with versions has: the version that is served, and the one that was before."""


@dataclass(frozen=True, slots=True)
class Value:
    """The bytes of one version and their media type (``JSON``, ``TEXT``, ``BYTES`` or any other).

    A JSON object is kept as the text received. Never shown by ``repr``.
    """

    data: bytes = field(repr=False)
    media_type: str = BYTES

    def fields(self) -> dict[str, object] | None:
        """The fields of a JSON object, else None. The media type is not asked: many stores do not keep one."""
        if not self.data.lstrip(b" \t\r\n").startswith(b"{"):
            return None
        try:
            decoded = strict_json.loads(self.data)
        except Malformed:
            return None
        return decoded if isinstance(decoded, dict) else None

    def text(self) -> str | None:
        """The value as text when it is UTF-8 (NUL included), else None."""
        try:
            return self.data.decode()
        except UnicodeDecodeError:
            return None


class VersionState(enum.Enum):
    """What can be done with a version: read it, recover it, or nothing."""

    LIVE = "live"
    DELETED = "deleted"
    DESTROYED = "destroyed"
    DISABLED = "disabled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """What is known of a version without its value.

    ``id`` is the store's own. ``ordinal`` counts from 1 and is assigned once; a backend that does not
    declare ``ordinals`` leaves it 0 and the gateway's ledger fills it. Its ids are opaque, and each is one value's for
    ever; with ``ordinals`` the id is the number. Times are Unix nanoseconds, UTC; ``created_at`` 0: not told.
    ``labels`` are the secret's, where the store tells them along with a version.
    ``digest`` is the gateway's own, filled as the ledger's number is.
    """

    id: str
    ordinal: int = 0
    created_at: int = 0
    state: VersionState = VersionState.LIVE
    deleted_at: int | None = None
    expires_at: int | None = None
    stages: frozenset[str] = frozenset()
    labels: Mapping[str, str] | None = field(default=None, repr=False, compare=False)
    digest: Callable[[], str] | None = field(default=None, repr=False, compare=False)

    def mark(self) -> str:
        """What tells the value from any other under the same id: nothing where none can be.

        The time, where the gateway's own storage tells it to writers and readers alike; else a keyed digest.
        """
        if self.digest is not None:
            return self.digest()
        return f"{self.created_at:x}" if self.created_at else ""


@dataclass(frozen=True, slots=True)
class SecretVersion:
    """One version with its value, and the secret's labels where the store keeps them."""

    info: VersionInfo
    value: Value = field(repr=False)
    labels: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class SecretSettings:
    """How a store treats one secret. ``None`` leaves a setting as it is (in a change) or unset (in an answer).

    ``max_versions``: versions kept, oldest dropped first; 0 means the store's default.
    ``compare_and_set_required``: writes must state what they expect.
    ``delete_after``: nanoseconds after which a new version is deleted by itself; 0 means never.

    Of a whole mount (``mount_settings``) they hold for each of its secrets beside the secret's own: the larger
    ``max_versions``, the shorter ``delete_after``, ``compare_and_set_required`` where either says so. A negative
    ``delete_after`` of a mount means never, whatever its secrets say.
    """

    max_versions: int | None = None
    compare_and_set_required: bool | None = None
    delete_after: int | None = None


@dataclass(frozen=True, slots=True)
class SecretInfo:
    """What is known of a secret without any value. ``current`` is None when no version was ever written."""

    current: VersionInfo | None
    versions: tuple[VersionInfo, ...]
    created_at: int
    updated_at: int
    labels: Mapping[str, str] = field(default_factory=dict, repr=False)
    settings: SecretSettings = SecretSettings()


class Entry(NamedTuple):
    """One name in a folder. A name can stand twice: as a secret and as a folder.

    Entries compare as pages order them: by their names' UTF-8 bytes, a secret before the folder of its name.
    """

    name: str
    folder: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Names of one folder in order of their UTF-8 bytes, and where the next page begins.

    ``cursor`` is opaque, and None on the last page.
    """

    entries: tuple[Entry, ...]
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Expect:
    """A compare-and-set: the current version must have this id; ``None``: there must be no version at all."""

    version: str | None
