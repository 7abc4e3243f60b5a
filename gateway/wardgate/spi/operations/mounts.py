"""Operations on mounts, at ``sys/mounts/<prefix>``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wardgate.spi.capabilities import Capabilities
from wardgate.spi.operations.base import Action, Operation
from wardgate.spi.path import Path

MOUNTS = Path(("sys", "mounts"))
ALL = "all"
READING = "reading"
NONE = "none"
CHECKS = (ALL, READING, NONE)
"""What a new mount's store is asked before it is kept: every permission that what is declared needs, those that
reading needs, or nothing at all.
"""


@dataclass(frozen=True, slots=True)
class MountInfo:
    """A mount as shown to people: secret options are redacted. ``created_at`` in Unix nanoseconds.

    ``presentation`` says how front-ends show it, such as ``{"vault.kv": "2"}``. ``cache_ttl``: nanoseconds that what
    was read is remembered; None: the gateway's default, 0: never. The lease TTLs, in nanoseconds, are kept for clients
    that set them and read them back; nothing here is leased. 0: the gateway's own.
    ``capabilities`` are told by ListVisibleMounts alone, of a mount that is open.
    """

    id: str
    prefix: Path
    type: str
    presentation: Mapping[str, str]
    options: Mapping[str, object]
    created_at: int
    description: str = ""
    fault: str = ""
    cache_ttl: int | None = None
    default_lease_ttl: int = 0
    max_lease_ttl: int = 0
    capabilities: Capabilities | None = None


@dataclass(frozen=True, slots=True)
class CacheTtl:
    """Nanoseconds that what was read of a mount is remembered; None: the gateway's default, 0: never."""

    duration: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListMounts(Operation[tuple[MountInfo, ...]]):
    """All mounts of the namespace."""

    action = Action.LIST
    folder = True
    path: Path = MOUNTS


@dataclass(frozen=True, slots=True, kw_only=True)
class ListVisibleMounts(Operation[tuple[MountInfo, ...]]):
    """The mounts below which the principal may do anything at all; what their stores can do is told, and no option."""

    action = Action.READ
    path: Path = Path(("sys", "internal", "mounts"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadMount(Operation[MountInfo]):
    """One mount; ``path`` is ``sys/mounts/<prefix>``."""

    action = Action.READ


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateMount(Operation[MountInfo]):
    """Open a backend of ``type`` at the prefix that ``path`` (``sys/mounts/<prefix>``) ends in, and keep it.

    ``check``: one of CHECKS.
    """

    action = Action.MANAGE
    mutates = True
    type: str
    options: Mapping[str, object] = field(default_factory=dict, repr=False)
    presentation: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    cache_ttl: int | None = None
    default_lease_ttl: int = 0
    max_lease_ttl: int = 0
    check: str = ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneMount(Operation[MountInfo]):
    """Change what can change of a mount; None leaves it. ``presentation`` replaces the keys it names."""

    action = Action.MANAGE
    mutates = True
    description: str | None = None
    presentation: Mapping[str, str] = field(default_factory=dict)
    cache_ttl: CacheTtl | None = None
    default_lease_ttl: int | None = None
    max_lease_ttl: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteMount(Operation[None]):
    """Forget the mount; what its store holds stays there."""

    action = Action.MANAGE
    mutates = True
