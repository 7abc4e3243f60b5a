"""Operations on child namespaces, at ``sys/namespaces/<name>``."""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.spi.operations.base import Action, Operation
from wardgate.spi.operations.tokens import TokenIssued
from wardgate.spi.path import Path

NAMESPACES = Path(("sys", "namespaces"))


@dataclass(frozen=True, slots=True)
class NamespaceInfo:
    """A namespace. ``id`` is never reused; ``path`` is from the root namespace."""

    id: str
    path: Path
    created_at: int


@dataclass(frozen=True, slots=True)
class NamespaceCreated:
    """A new namespace and its first administrator's key, which expires; shown once."""

    namespace: NamespaceInfo
    administrator: TokenIssued


@dataclass(frozen=True, slots=True, kw_only=True)
class ListNamespaces(Operation[tuple[NamespaceInfo, ...]]):
    """The direct children."""

    action = Action.LIST
    folder = True
    path: Path = NAMESPACES


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateNamespace(Operation[NamespaceCreated]):
    """Create a child; ``path`` is ``sys/namespaces/<name>``."""

    action = Action.MANAGE
    mutates = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteNamespace(Operation[None]):
    """Delete an empty child: no mounts and no children of its own. Its principals and keys end with it."""

    action = Action.MANAGE
    mutates = True
