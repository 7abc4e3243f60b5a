"""What a token's holder does with it: look it up, renew it, end it."""

from __future__ import annotations

from wardgate.context import Context
from wardgate.services.service import Handlers
from wardgate.spi.errors import SecretNotFound, Unauthenticated, Unsupported
from wardgate.spi.identity import Principal
from wardgate.spi.operations.tokens import LookupSelf, RenewSelf, RevokeSelf, TokenInfo
from wardgate.spi.services import Clock
from wardgate.state import State
from wardgate.state.principals import APPROLE, KEY, REFUSED

_OURS = frozenset({KEY, APPROLE})


class TokensService:
    """Answers about the principal of the request, whichever way it proved itself."""

    def __init__(self, state: State, clock: Clock) -> None:
        self._principals = state.principals
        self._clock = clock
        self.handlers: Handlers = {LookupSelf: self.lookup, RenewSelf: self.renew, RevokeSelf: self.revoke}

    async def lookup(self, context: Context, _operation: LookupSelf) -> TokenInfo:
        """What is known of the token. Raises Unauthenticated when it ended a moment ago."""
        principal = _principal(context)
        if principal.method not in _OURS:
            expires_at = principal.expires_at
            ttl = 0 if expires_at is None else max(0, expires_at - self._clock.now())
            life = 0 if expires_at is None else expires_at - principal.created_at
            return TokenInfo(principal, ttl=ttl, creation_ttl=life, max_ttl=0, renewable=False)
        try:
            return self._principals.info(context.namespace, principal.id)
        except SecretNotFound:
            raise Unauthenticated(REFUSED) from None

    async def renew(self, context: Context, operation: RenewSelf) -> TokenInfo:
        """Let it live longer. Raises InvalidValue when it cannot be renewed, Unauthenticated when it has ended."""
        principal = _ours(context)
        return await self._principals.renew(context.namespace, principal.id, operation.increment)

    async def revoke(self, context: Context, _operation: RevokeSelf) -> None:
        """End it in every worker; a token that ended a moment ago has what it asked for."""
        principal = _ours(context)
        try:
            await self._principals.revoke(context.namespace, principal.id)
        except SecretNotFound:
            return


def _principal(context: Context) -> Principal:
    principal = context.principal
    if principal is None:
        raise Unauthenticated(REFUSED)
    return principal


def _ours(context: Context) -> Principal:
    principal = _principal(context)
    if principal.method not in _OURS:
        raise Unsupported("this credential was not issued here; renew or revoke it where it comes from")
    return principal
