"""Operations on the ways to log in, at ``sys/auth/``: what there is. They are built in: none is made or removed."""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.spi.operations.base import Action, Operation
from wardgate.spi.path import Path

METHODS = Path(("sys", "auth"))


@dataclass(frozen=True, slots=True)
class MethodInfo:
    """A way to log in; it answers below ``auth/<name>/``. ``id`` is stable within this installation."""

    id: str
    name: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListMethods(Operation[tuple[MethodInfo, ...]]):
    """All of them."""

    action = Action.LIST
    folder = True
    path: Path = METHODS


@dataclass(frozen=True, slots=True, kw_only=True)
class ListVisibleMethods(Operation[tuple[MethodInfo, ...]]):
    """Those below which the principal may do anything at all."""

    action = Action.READ
    path: Path = Path(("sys", "internal", "mounts"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadMethod(Operation[MethodInfo]):
    """One; ``path`` is ``sys/auth/<name>``."""

    action = Action.READ
