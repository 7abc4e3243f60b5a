"""Makes a change once, however often it is asked for under one key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Generic, Protocol, TypeVar

from wardgate.context import Context
from wardgate.spi.errors import Malformed, OutcomeUnknown, PermissionDenied, Unauthenticated, WardgateError
from wardgate.spi.frontend import Outcome, Repeated
from wardgate.spi.services import Clock

C = TypeVar("C")

_SECOND: Final = 1_000_000_000
_MARGIN: Final = 5.0
"""Seconds past its deadline that a change may still be under way."""


class Keys(Protocol, Generic[C]):
    """Where keys are remembered, durably and for every worker."""

    async def claim(self, namespace: str, principal: str, key: str, request: Sequence[bytes], busy: int) -> C | bytes:
        """The claim of the first who asks under this key; whoever asks later gets the answer that was kept.

        ``busy``: nanoseconds it may take.

        Raises:
            AlreadyExists: the first one is still under way.
            InvalidValue: the key was that of another request.
            OutcomeUnknown: the first one never said how it ended.
            RateLimited: this principal uses too many keys.
        """

    async def keep(self, claim: C, answer: bytes) -> None:
        """Keep the answer for whoever asks again."""

    async def forget(self, claim: C) -> None:
        """Nothing was changed: whoever asks again is the first."""


class Repeating(Generic[C]):
    """Runs a change under the key it came with. It outlives its client already, so the key always learns its end.

    A change is never made twice: a key whose change ended unclearly, or with the process, says so for as long as it is
    remembered.
    """

    def __init__(self, keys: Keys[C], clock: Clock) -> None:
        self._keys = keys
        self._clock = clock

    async def once(self, context: Context, change: Callable[[], Awaitable[Outcome[Any]]]) -> Outcome[Any]:
        """The outcome of the change, or :class:`Repeated`. Raises what the change raises, and what a claim does.

        PermissionDenied: of a batch that was made before, something is no longer allowed.
        """
        repeat, principal = context.repeat, context.principal
        assert repeat is not None
        if context.wrap is not None:
            raise Malformed("an answer that is wrapped can be asked for once only; leave out the idempotency key")
        if principal is None:
            raise Unauthenticated("an idempotency key is a principal's own; this request has none")
        left = context.arrival.deadline - self._clock.monotonic() + _MARGIN
        claim = await self._keys.claim(
            context.namespace, principal.id, repeat.key, repeat.request, max(0, int(left * _SECOND))
        )
        decisions = context.known("decisions") or ()
        if isinstance(claim, bytes):
            allowed, answer = claim[: len(decisions)], claim[len(decisions) :]
            if any(was and not now for was, now in zip(allowed, decisions, strict=True)):
                raise PermissionDenied("permission denied: this token may no longer do all that it did under this key")
            return Outcome(Repeated(answer))
        try:
            outcome = await change()
        except OutcomeUnknown:
            raise
        except WardgateError:
            with suppress(WardgateError):  # then a repeat is told that nobody knows, which is safe
                await self._keys.forget(claim)
            raise
        with suppress(WardgateError):
            # What was allowed of a batch goes before its answer.
            await self._keys.keep(claim, bytes(map(bool, decisions)) + repeat.encode(outcome))
        return outcome
