"""Operations on the ways to log in, at ``sys/auth/<name>``; each answers below ``auth/<name>/``.

A namespace has ``token/`` always, and ``approle/`` until it is disabled.
"""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.spi.operations.base import Action, Operation
from wardgate.spi.path import Path

METHODS = Path(("sys", "auth"))
APPROLE = "approle"
"""A type of login methods, the name of that which every namespace begins with, and the kind of the tokens it brings."""
TOKEN = "token"  # noqa: S105  # not a password
"""So too of the method of tokens, which is one alone, and of the tokens that tokens make."""
TYPES = (APPROLE,)
"""Types of login methods that can be enabled."""
RESERVED = frozenset({TOKEN, "keys"})
"""Names below ``auth/`` that no method of another type can take, in any spelling of their case."""


@dataclass(frozen=True, slots=True)
class MethodInfo:
    """A way to log in. ``id`` is never another's; ``created_at`` in Unix nanoseconds, 0: with the namespace.

    The lease TTLs, in nanoseconds, are how long its tokens live where nobody says, and the longest they do whatever
    is said; 0: the gateway's own.
    """

    id: str
    name: str
    type: str
    description: str = ""
    default_lease_ttl: int = 0
    max_lease_ttl: int = 0
    created_at: int = 0


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


@dataclass(frozen=True, slots=True, kw_only=True)
class EnableMethod(Operation[MethodInfo]):
    """Let machines log in by the name that ``path`` (``sys/auth/<name>``) ends in; ``type`` is one of ``TYPES``."""

    action = Action.MANAGE
    mutates = True
    type: str
    description: str = ""
    default_lease_ttl: int = 0
    max_lease_ttl: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneMethod(Operation[MethodInfo]):
    """Change what can change of a method; None leaves it. Tokens that there are keep the lives they were given."""

    action = Action.MANAGE
    mutates = True
    description: str | None = None
    default_lease_ttl: int | None = None
    max_lease_ttl: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisableMethod(Operation[None]):
    """End a method, with its roles, their secret ids, the tokens they brought, and those that these made.

    Orphans and keys that such a token made live on.
    """

    action = Action.MANAGE
    mutates = True
