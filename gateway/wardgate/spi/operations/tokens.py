"""Operations on tokens, at ``auth/token/``: what holders do with their own, and who manages others'."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wardgate.spi.identity import Principal
from wardgate.spi.operations.base import Action, Operation
from wardgate.spi.path import Path

TOKENS = Path(("auth", "token"))
MAX_USES = 2**31 - 1
"""The most uses that a token, or a secret id, can be counted down from."""
MAX_LIFE = 10 * 365 * 86_400 * 10**9
"""The longest any token may be asked to live, in nanoseconds: ten years."""


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """A token seen by its holder or by its accessor. Durations in nanoseconds; ``ttl`` 0 without expiry: for ever.

    ``max_ttl`` bounds renewals, 0: not; ``explicit_max_ttl`` bounds those of a periodic token too. ``period``: what
    each renewal gives, for ever; 0: it has none. ``uses_left``: 0 without limit, unless the principal is ``counted``:
    then this use was the last. ``kind``: how it was made, ``key``, ``approle`` or ``token`` (by another token).
    ``orphan``: no other token's end is its own. ``meta``: whatever its maker wrote on it; it proves nothing.
    ``login``: the name of the login method that brought it, or empty.
    """

    principal: Principal
    ttl: int
    creation_ttl: int
    max_ttl: int
    renewable: bool
    uses_left: int = 0
    explicit_max_ttl: int = 0
    period: int = 0
    kind: str = ""
    orphan: bool = True
    meta: Mapping[str, str] = field(default_factory=dict)
    renewed_at: int | None = None
    login: str = ""


@dataclass(frozen=True, slots=True)
class TokenIssued:
    """A new token. It is shown once, here; the gateway keeps only its keyed hash.

    ``cut``: the ttl or period that was asked for, in nanoseconds, where it was given less; 0: it was not.
    """

    info: TokenInfo
    token: str = field(repr=False)
    cut: int = 0


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


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateToken(Operation[TokenIssued]):
    """Make a token that ends with mine, and carries no more than mine does.

    Durations in nanoseconds, None: the gateway's default, and no bound. ``policies`` None: mine. ``uses`` 0: without
    limit. With a ``period`` each renewal gives that long again, without an end but ``explicit_max_ttl``'s. An
    administrator's may carry any policy there is.
    """

    action = Action.WRITE
    mutates = True
    path: Path = TOKENS.child("create")
    display_name: str = "token"
    policies: tuple[str, ...] | None = None
    ttl: int | None = None
    explicit_max_ttl: int | None = None
    period: int | None = None
    uses: int = 0
    renewable: bool = True
    meta: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOrphan(CreateToken):
    """Make a token that does not end with mine when that is revoked; it outlives it only as an administrator's."""

    action = Action.MANAGE
    path: Path = TOKENS.child("create-orphan")


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupToken(Operation[TokenInfo]):
    """What is this token? Whoever may ask holds it already."""

    action = Action.READ
    path: Path = TOKENS.child("lookup")
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupAccessor(Operation[TokenInfo]):
    """What is the token of this accessor? Never shows the token."""

    action = Action.READ
    path: Path = TOKENS.child("lookup-accessor")
    accessor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAccessors(Operation[tuple[str, ...]]):
    """The accessors of all tokens of the namespace that have not ended, oldest first."""

    action = Action.MANAGE
    folder = True
    path: Path = TOKENS.child("accessors")


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewToken(Operation[TokenInfo]):
    """As ``RenewSelf``, for the token named."""

    action = Action.WRITE
    mutates = True
    path: Path = TOKENS.child("renew")
    token: str = field(repr=False)
    increment: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewAccessor(Operation[TokenInfo]):
    """As ``RenewSelf``, for the token of this accessor."""

    action = Action.WRITE
    mutates = True
    path: Path = TOKENS.child("renew-accessor")
    accessor: str
    increment: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeToken(Operation[None]):
    """End this token and all below it, in every worker."""

    action = Action.WRITE
    mutates = True
    path: Path = TOKENS.child("revoke")
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeAccessor(Operation[None]):
    """End the token of this accessor and all below it, in every worker."""

    action = Action.WRITE
    mutates = True
    path: Path = TOKENS.child("revoke-accessor")
    accessor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeOrphan(Operation[None]):
    """End this token alone: those it made live on as orphans."""

    action = Action.MANAGE
    mutates = True
    path: Path = TOKENS.child("revoke-orphan")
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TidyTokens(Operation[None]):
    """Delete what has ended and was not swept yet. Nothing depends on it: expiry is checked at use."""

    action = Action.MANAGE
    mutates = True
    path: Path = TOKENS.child("tidy")
