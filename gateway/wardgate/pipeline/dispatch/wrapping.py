"""Keeps an answer for whoever shows its wrapping token, instead of giving it."""

from __future__ import annotations

from typing import Any, Protocol

from wardgate.context import Context
from wardgate.spi.errors import OutcomeUnknown, WardgateError
from wardgate.spi.frontend import Outcome, Wrap
from wardgate.spi.identity import KNOWN_ID, Principal
from wardgate.spi.operations.approle import SecretIdIssued
from wardgate.spi.operations.tokens import TokenIssued
from wardgate.spi.operations.wrapping import Rewrap, Wrapped


class Keeper(Protocol):
    """Where wrapped answers are kept."""

    def check(self, namespace: str, ttl: int, maker: str | None = None) -> None:
        """Refuse before anything is done what could not be kept afterwards; ``maker`` None: not known yet.

        Raises:
            InvalidValue, RateLimited: it could not.
        """

    async def keep(
        self,
        namespace: str,
        payload: bytes,
        *,
        ttl: int,
        creation_path: str,
        wrapped_accessor: str = "",
        maker: str = "",
    ) -> Wrapped:
        """Keep an answer, durably, before its token is told; ``maker``: whose share of the room it takes."""


class Wrapping:
    """Replaces an outcome by the token under which it is kept. Errors are raised past it, so never kept."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper

    def check(self, namespace: str, wrap: Wrap, principal: Principal | None) -> None:
        """Refuse at once what could not be kept afterwards. Raises InvalidValue, RateLimited."""
        self._keeper.check(namespace, wrap.ttl, _maker(principal) if principal else None)

    async def of(self, context: Context, wrap: Wrap, outcome: Outcome[Any]) -> Outcome[Any]:
        """The outcome as it may leave: itself when nothing is in it, else its token.

        Raises:
            TooLarge, RateLimited: it cannot be kept; nothing was changed by the operation.
            OutcomeUnknown: it cannot be kept, and the operation changed something.
        """
        if isinstance(context.operation, Rewrap):
            return outcome
        try:
            payload = wrap.encode(await wrap.narrow(outcome) if wrap.narrow else outcome)
            if not payload:
                return outcome
            kept = await self._keeper.keep(
                context.namespace,
                payload,
                ttl=wrap.ttl,
                creation_path=wrap.creation_path,
                wrapped_accessor=_accessor(outcome.result),
                maker=_maker(context.principal or _issued(outcome.result)),
            )
        except WardgateError as error:
            if context.operation.mutates:
                raise OutcomeUnknown(f"the change was made, but its answer is lost: {error.message}") from None
            raise
        return Outcome(kept, outcome.warnings)


def _issued(result: object) -> Principal | None:
    return result.info.principal if isinstance(result, TokenIssued) else None


def _maker(principal: Principal | None) -> str:
    """Whose share of the room is taken: all tokens that one can get by logging in again, or make, have one together."""
    if principal is None:
        return ""
    role = principal.attributes.get("role")
    return f"{principal.method}/{role}" if role else principal.attributes.get(KNOWN_ID, principal.id)


def _accessor(result: object) -> str:
    """What names the token inside an answer without being it."""
    if isinstance(result, TokenIssued):
        return result.info.principal.accessor
    return result.accessor if isinstance(result, SecretIdIssued) else ""
