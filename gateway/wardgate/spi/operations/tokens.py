"""Operations a token's holder does with it, at ``auth/token/``."""

from __future__ import annotations

from dataclasses import dataclass, field

from wardgate.spi.identity import Principal
from wardgate.spi.operations.base import Action, Operation
from wardgate.spi.path import Path


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """A token seen by its holder or by its accessor. Durations in nanoseconds; ``ttl`` 0 without expiry: for ever."""

    principal: Principal
    ttl: int
    creation_ttl: int
    max_ttl: int
    renewable: bool
    uses_left: int = 0


@dataclass(frozen=True, slots=True)
class TokenIssued:
    """A new token. It is shown once, here; the gateway keeps only its keyed hash."""

    info: TokenInfo
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupSelf(Operation[TokenInfo]):
    """What is my token?"""

    action = Action.READ
    path: Path = Path(("auth", "token", "lookup-self"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewSelf(Operation[TokenInfo]):
    """Let my token live longer, up to its ``max_ttl``. ``increment`` in nanoseconds; None: its first TTL again."""

    action = Action.WRITE
    mutates = True
    path: Path = Path(("auth", "token", "renew-self"))
    increment: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeSelf(Operation[None]):
    """End my token now, in every worker."""

    action = Action.WRITE
    mutates = True
    path: Path = Path(("auth", "token", "revoke-self"))
