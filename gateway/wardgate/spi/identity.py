"""Who asks: the credential that came over the wire, and the principal it proved."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

KNOWN_AS: Final = "wardgate:name"
"""Among a principal's attributes: the name that conditions read, where it is not free to choose its own."""
KNOWN_ID: Final = "wardgate:id"
"""So too the id."""
KNOWN_POLICIES: Final = "wardgate:policies"
"""So too the policies that conditions read, with commas between them; what they allow and deny, it carries itself."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What a caller showed. ``kind`` is ``token`` for bearer tokens of every API; ``evidence`` is for signatures."""

    kind: str
    secret: str = field(repr=False)
    evidence: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a credential proved to be, within one namespace. Times are Unix nanoseconds; ``expires_at`` None: never.

    ``policies`` are the names of the policies it carries. ``method`` is how it proved itself (``key``, ``approle``).
    ``accessor`` names the token without being one. ``counted``: each use is consumed, so it is never memoised.
    ``networks``: where it may come from, in CIDR notation; empty: from anywhere. ``issued``: the gateway gave it its
    token, so that it is looked up, renewed and revoked here; no authenticator of a plugin says so.
    """

    id: str
    namespace: str
    name: str
    method: str
    policies: tuple[str, ...]
    accessor: str
    created_at: int = 0
    expires_at: int | None = None
    counted: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)
    networks: tuple[str, ...] = ()
    issued: bool = False


class Authenticator(abc.ABC):
    """Turns one kind of credential into a principal."""

    @abc.abstractmethod
    async def authenticate(self, credential: Credential, namespace: str) -> Principal | None:
        """Return None for "not mine", a principal for "mine and good".

        Args:
            credential: what the caller showed.
            namespace: id of the namespace asked for; a principal of another one is refused.

        Raises:
            Unauthenticated: mine and bad: wrong, expired, revoked, used up, another namespace's.
        """

    async def use(self, principal: Principal) -> None:  # noqa: B027  # most have nothing to count
        """Consume one use of a principal that is ``counted``, durably, before anything is done with it.

        It is asked once the principal was found to be allowed here. By default nothing counts.

        Raises:
            Unauthenticated: none is left.
        """
