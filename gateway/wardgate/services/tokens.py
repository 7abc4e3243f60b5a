"""Tokens: what a holder does with its own, what a token makes, and who manages others'."""

from __future__ import annotations

from collections.abc import Mapping

from wardgate.context import Context
from wardgate.services.names import capped, check_handed_out, check_meta, check_title, denying, proved
from wardgate.services.service import Handlers, asker
from wardgate.spi.errors import REFUSED, InvalidValue, SecretNotFound, Unauthenticated, Unsupported
from wardgate.spi.identity import Principal
from wardgate.spi.operations.methods import TOKEN, MethodInfo
from wardgate.spi.operations.policies import Policy
from wardgate.spi.operations.tokens import (
    MAX_USES,
    CreateOrphan,
    CreateToken,
    ListAccessors,
    LookupAccessor,
    LookupSelf,
    LookupToken,
    RenewAccessor,
    RenewSelf,
    RenewToken,
    RevokeAccessor,
    RevokeOrphan,
    RevokeSelf,
    RevokeToken,
    TidyTokens,
    TokenInfo,
    TokenIssued,
)
from wardgate.spi.services import Clock
from wardgate.state import State
from wardgate.state.lives import Life, check_life
from wardgate.state.principals import Origin

DEFAULT_TTL = 32 * 86_400 * 10**9
"""Life of a token that a token makes, where nothing is said: 32 days, in nanoseconds."""
MAX_TTL = DEFAULT_TTL
"""The longest that such a token can live, or be renewed to live; of a periodic one, the longest period.

Unless the method ``token/`` is tuned.
"""


class TokensService:
    """Answers about tokens: the request's own, those it makes, and others of its namespace."""

    def __init__(self, state: State, clock: Clock, *, built_in: Mapping[str, Policy]) -> None:
        self._principals = state.principals
        self._methods = state.methods
        self._policies = state.policies
        self._clock = clock
        self._built_in = frozenset(built_in)
        self.handlers: Handlers = {
            LookupSelf: self.lookup,
            RenewSelf: self.renew,
            RevokeSelf: self.revoke,
            CreateToken: self.create,
            CreateOrphan: self.create,
            LookupToken: self.lookup_token,
            LookupAccessor: self.lookup_accessor,
            ListAccessors: self.list_accessors,
            RenewToken: self.renew_token,
            RenewAccessor: self.renew_accessor,
            RevokeToken: self.revoke_token,
            RevokeAccessor: self.revoke_accessor,
            RevokeOrphan: self.revoke_orphan,
            TidyTokens: self.tidy,
        }

    async def lookup(self, context: Context, _operation: LookupSelf) -> TokenInfo:
        """What is known of the token. Raises Unauthenticated when it ended a moment ago."""
        principal = asker(context)
        if not principal.issued:
            expires_at = principal.expires_at
            ttl = 0 if expires_at is None else max(0, expires_at - self._clock.now())
            life = 0 if expires_at is None else expires_at - principal.created_at
            return TokenInfo(principal, ttl=ttl, creation_ttl=life, max_ttl=0, renewable=False, kind=principal.method)
        try:
            # This very request may have been its last use.
            return self._principals.info(context.namespace, principal.id, used_up=principal.counted)
        except SecretNotFound:
            raise Unauthenticated(REFUSED) from None

    async def renew(self, context: Context, operation: RenewSelf) -> TokenInfo:
        """Let it live longer. Raises InvalidValue when it cannot be renewed, Unauthenticated when it has ended."""
        principal = _ours(context)
        return await self._principals.renew(context.namespace, principal.id, operation.increment)

    async def revoke(self, context: Context, _operation: RevokeSelf) -> None:
        """End it and all below it in every worker; a token that ended a moment ago has what it asked for."""
        principal = _ours(context)
        try:
            await self._principals.revoke(context.namespace, principal.id)
        except SecretNotFound:
            return

    async def create(self, context: Context, operation: CreateToken) -> TokenIssued:
        """Make a token; it has its giver's networks and the policies of its that deny, and what conditions read of it.

        Raises:
            InvalidValue: a name, a policy, a life or a count that cannot be; a giver whose uses are counted.
            PermissionDenied: a policy the giver does not carry.
            Unsupported: the giver was not issued here, so its end would not be seen.
            Unavailable: the namespace's login methods were changed outside the gateway.
        """
        giver = _ours(context)
        if giver.counted:
            raise InvalidValue("a token whose uses are counted cannot make tokens")
        check_title("token's display name", operation.display_name)
        check_meta(operation.meta)
        policies = giver.policies
        if operation.policies is not None:
            written = self._policies.of(context.namespace).policies
            check_handed_out(operation.policies, giver, self._built_in.union(policy.name for policy in written))
            policies = (*operation.policies, *denying(giver, written))
        orphan = isinstance(operation, CreateOrphan)
        origin = Origin(
            kind=TOKEN,
            parent=None if orphan else giver.id,
            method=giver.method,
            attributes=proved(giver),
            networks=giver.networks,
            meta=operation.meta,
        )
        left = capped(None, giver, context.arrival.received_at) if orphan else None
        life = _life(operation, self._methods.at(context.namespace, TOKEN), left)
        return await self._principals.issue(context.namespace, operation.display_name, policies, life, origin=origin)

    async def lookup_token(self, context: Context, operation: LookupToken) -> TokenInfo:
        """What is known of a token. Raises SecretNotFound, whatever is wrong with it."""
        return self._of(context, operation.token)

    async def lookup_accessor(self, context: Context, operation: LookupAccessor) -> TokenInfo:
        """What is known of a token, by its accessor. Raises SecretNotFound."""
        return self._principals.by_accessor(context.namespace, operation.accessor)

    async def list_accessors(self, context: Context, _operation: ListAccessors) -> tuple[str, ...]:
        """The accessors of all tokens that have not ended. Raises InvalidValue when they are too many."""
        return self._principals.accessors(context.namespace)

    async def renew_token(self, context: Context, operation: RenewToken) -> TokenInfo:
        """Let a token live longer. Raises SecretNotFound, or InvalidValue when it cannot be renewed."""
        return await self._renewed(context, self._of(context, operation.token), operation.increment)

    async def renew_accessor(self, context: Context, operation: RenewAccessor) -> TokenInfo:
        """Let a token live longer, by its accessor. Raises SecretNotFound, or InvalidValue."""
        found = self._principals.by_accessor(context.namespace, operation.accessor)
        return await self._renewed(context, found, operation.increment)

    async def revoke_token(self, context: Context, operation: RevokeToken) -> None:
        """End a token and all below it. Raises SecretNotFound."""
        await self._principals.revoke(context.namespace, self._of(context, operation.token).principal.id)

    async def revoke_accessor(self, context: Context, operation: RevokeAccessor) -> None:
        """End a token and all below it, by its accessor. Raises SecretNotFound."""
        found = self._principals.by_accessor(context.namespace, operation.accessor)
        await self._principals.revoke(context.namespace, found.principal.id)

    async def revoke_orphan(self, context: Context, operation: RevokeOrphan) -> None:
        """End a token alone; those it made become orphans. Raises SecretNotFound."""
        await self._principals.revoke_alone(context.namespace, self._of(context, operation.token).principal.id)

    async def tidy(self, _context: Context, _operation: TidyTokens) -> None:
        """Delete what has ended."""
        await self._principals.tidy()

    def _of(self, context: Context, token: str) -> TokenInfo:
        try:
            return self._principals.lookup(token, context.namespace)
        except Unauthenticated:
            raise SecretNotFound("there is no such token") from None

    async def _renewed(self, context: Context, found: TokenInfo, increment: int | None) -> TokenInfo:
        try:
            return await self._principals.renew(context.namespace, found.principal.id, increment)
        except Unauthenticated:
            raise SecretNotFound("there is no such token") from None


def _life(asked: CreateToken, method: MethodInfo, left: int | None) -> Life:
    """Its life, within the bounds of the method of tokens, or else the gateway's.

    Args:
        asked: what was asked for.
        method: of the tokens that tokens make.
        left: how much longer its giver lives, where the token must not outlive it; None: as long as it likes.

    Raises:
        InvalidValue: a duration or a count that is none.
    """
    for what in ("ttl", "explicit_max_ttl", "period"):
        check_life(f"the token's {what}", getattr(asked, what))
    if not 0 <= asked.uses <= MAX_USES:
        raise InvalidValue(f"the token's uses must be 0 (without limit) to {MAX_USES}")
    explicit = min((bound for bound in (asked.explicit_max_ttl, left) if bound is not None), default=None)
    longest = method.max_lease_ttl or max(MAX_TTL, method.default_lease_ttl)
    return Life(
        ttl=asked.ttl or method.default_lease_ttl or DEFAULT_TTL,
        max_ttl=longest,
        renewable=asked.renewable,
        period=min(asked.period, longest, explicit or longest) if asked.period else None,
        explicit_max_ttl=explicit,
        uses=asked.uses or None,
        asked=asked.period or asked.ttl,
    )


def _ours(context: Context) -> Principal:
    principal = asker(context)
    if not principal.issued:
        raise Unsupported("this credential was not issued here; renew or revoke it where it comes from")
    return principal
