"""Operations on API keys, at ``auth/keys/<id>``: long-lived tokens an administrator hands out."""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.spi.operations.base import Action, Operation
from wardgate.spi.operations.tokens import TokenInfo, TokenIssued
from wardgate.spi.path import Path

KEYS = Path(("auth", "keys"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ListKeys(Operation[tuple[TokenInfo, ...]]):
    """All API keys of the namespace, without any token."""

    action = Action.LIST
    folder = True
    path: Path = KEYS


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadKey(Operation[TokenInfo]):
    """One API key by its id."""

    action = Action.READ


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateKey(Operation[TokenIssued]):
    """Issue an API key. ``ttl`` in nanoseconds; None: it does not expire.

    A principal can hand out only policies it carries itself, unless it carries ``administrator``.
    """

    action = Action.MANAGE
    mutates = True
    path: Path = KEYS
    key_name: str
    policies: tuple[str, ...]
    ttl: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeKey(Operation[None]):
    """End an API key now, in every worker."""

    action = Action.MANAGE
    mutates = True
