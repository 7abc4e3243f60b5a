"""The gateway's own authenticator: bearer tokens that it issued itself."""

from __future__ import annotations

from wardgate.spi.errors import Unauthenticated
from wardgate.spi.identity import Authenticator, Credential, Principal
from wardgate.state.principals import Principals
from wardgate.state.tokens import TOKEN_PREFIX


class TokenAuthenticator(Authenticator):
    """Knows API keys, the tokens that logins bring and those that tokens make, as credentials of kind ``token``."""

    def __init__(self, principals: Principals) -> None:
        self._principals = principals

    async def authenticate(self, credential: Credential, namespace: str) -> Principal | None:
        """Look the token up. An unknown one that does not begin with ``wg_`` may be another authenticator's."""
        if credential.kind != "token":
            return None
        try:
            return self._principals.authenticated(credential.secret, namespace)
        except Unauthenticated:
            if credential.secret.startswith(TOKEN_PREFIX):
                raise
            return None

    async def use(self, principal: Principal) -> None:
        """Consume one use of a counted token. Raises Unauthenticated when none is left."""
        await self._principals.use(principal.namespace, principal.id)
