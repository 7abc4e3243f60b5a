"""Operations on the gateway itself: its health and its seal."""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.spi.operations.base import Action, Operation
from wardgate.spi.path import Path


@dataclass(frozen=True, slots=True)
class Status:
    """The state of this gateway. ``cluster_id`` is the installation's id, made by ``init``."""

    initialized: bool
    sealed: bool
    version: str
    cluster_id: str
    cluster_name: str
    seal_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadHealth(Operation[Status]):
    """Is it up? The one operation that is not audited."""

    action = Action.READ
    anonymous = True
    audited = False
    path: Path = Path(("sys", "health"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadMetrics(Operation[bytes]):
    """The metrics of this host in Prometheus's text format; of the root namespace, where a policy allows it."""

    action = Action.READ
    path: Path = Path(("sys", "metrics"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSealStatus(Operation[Status]):
    """Has it its keys at hand?"""

    action = Action.READ
    anonymous = True
    path: Path = Path(("sys", "seal-status"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLeader(Operation[Status]):
    """Which node leads? Every node of this gateway serves; it answers for itself."""

    action = Action.READ
    anonymous = True
    path: Path = Path(("sys", "leader"))
