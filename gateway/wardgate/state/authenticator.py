"""The gateway's own authenticator: bearer tokens that it issued itself."""

from __future__ import annotations

from wardgate.spi.errors import Unauthenticated
from wardgate.spi.identity import Authenticator, Credential, Principal
from wardgate.state.principals import Principals
from wardgate.state.tokens import TOKEN_PREFIX


class TokenAuthenticator(Authenticator):
    """Knows API keys and the tokens that logins bring, shown as credentials of kind ``token``."""

    def __init__(self, principals: Principals) -> None:
        self._principals = principals

    async def authenticate(self, credential: Credential, namespace: str) -> Principal | None:
        """Look the token up. An unknown one that does not begin with ``wg_`` may be another authenticator's."""
        if credential.kind != "token":
            return None
        try:
            return self._principals.lookup(credential.secret, namespace).principal
        except Unauthenticated:
            if credential.secret.startswith(TOKEN_PREFIX):
                raise
            return None
