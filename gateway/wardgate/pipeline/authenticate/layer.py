"""The layer that proves who asks, and remembers what it proved for as long as that holds."""

from __future__ import annotations

import hashlib
import logging
import os
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from wardgate.context import Context
from wardgate.pipeline import Handler
from wardgate.spi.errors import REFUSED, Unauthenticated, Unavailable, WardgateError
from wardgate.spi.frontend import Arrival, Outcome
from wardgate.spi.identity import Authenticator, Credential, Principal
from wardgate.spi.networks import within
from wardgate.spi.services import Clock

MAX_REMEMBERED: Final = 10_000
"""Principals remembered in one worker; the least recently seen is forgotten first."""

MAX_REQUESTS: Final = 1_000
"""Requests of counted tokens of which it is remembered that their use is consumed."""

T = TypeVar("T")
_Key = tuple[str, str, bytes]
_log = logging.getLogger(__name__)


class Epochs(Protocol):
    """What the layer needs of the epoch page."""

    def slot(self, kind: str, *key: str) -> int:
        """Where the epoch of ``key`` lives."""

    def read(self, slot: int) -> int:
        """The epoch now."""


class _Known(NamedTuple):
    """A principal as proved at an epoch. ``expires_at`` is past every clock where it never does."""

    principal: Principal
    slot: int
    epoch: int
    expires_at: int
    fingerprint: str


class Authenticate:
    """Asks the authenticators in turn; the first one that knows the credential answers for it.

    A proven bearer token is remembered under a keyed hash of it, never longer than its expiry, nor past the epoch of
    its namespace's principals; a counted one is proved, and consumes a use, once a request, however many operations
    that is; one with evidence beside it is proved each time. Where it comes from is looked at each time.

    Args:
        authenticators: the gateway's own first, then the plugins'.
        clock: for expiry.
        epochs: that of kind ``principals`` moves when a token of the namespace ends.
        remembered: how many are kept.
        fingerprint: what the audit calls a token; remembered with its principal.
    """

    def __init__(
        self,
        authenticators: Sequence[Authenticator],
        clock: Clock,
        epochs: Epochs,
        *,
        remembered: int = MAX_REMEMBERED,
        fingerprint: Callable[[str], str] = lambda _: "",
    ) -> None:
        self._authenticators = tuple(authenticators)
        self._now = clock.now
        self._slot = epochs.slot
        self._epoch = epochs.read
        self._remembered = remembered
        self._fingerprint = fingerprint
        self._memo: OrderedDict[_Key, _Known] = OrderedDict()
        self._used: OrderedDict[tuple[str, _Key], _Known] = OrderedDict()
        # A fresh key a process: whoever reads its memory later cannot try guesses against what was remembered.
        self._hash = hashlib.blake2b(key=os.urandom(32), digest_size=32)

    def __call__(self, context: Context, call_next: Handler) -> Awaitable[Outcome[Any]]:
        """Set the principal (None for an anonymous operation), and pass on.

        Raises:
            Unauthenticated: no credential, or none that holds in this namespace.
            Unavailable: an authenticator could not decide.
        """
        if context.operation.anonymous:
            context.principal = None
            return call_next(context)
        credential = context.credential
        if credential is None:
            raise Unauthenticated(REFUSED)
        namespace = context.namespace
        if credential.evidence:
            return self._after(self._prove(credential, namespace, context.arrival.source), context, call_next)
        digest = self._hash.copy()
        digest.update(credential.secret.encode("utf-8", "surrogatepass"))
        key = (namespace, credential.kind, digest.digest())
        known = self._memo.get(key) or self._used.get((context.arrival.id, key))
        if known is not None and known.epoch == self._epoch(known.slot) and self._now() < known.expires_at:
            if not known.principal.counted:
                self._memo.move_to_end(key)
            context.principal = _at_home(known.principal, context.arrival.source)
            context.fingerprint = known.fingerprint
            return call_next(context)
        return self._after(self._proved(credential, key, context.arrival), context, call_next)

    async def _after(self, proof: Awaitable[Principal], context: Context, call_next: Handler) -> Outcome[Any]:
        context.principal = await proof
        return await call_next(context)

    async def _proved(self, credential: Credential, key: _Key, arrival: Arrival) -> Principal:
        namespace = key[0]
        slot = self._slot("principals", namespace)
        # Read before the proof: what ends in between moves it again.
        epoch = self._epoch(slot)
        self._memo.pop(key, None)
        principal = await self._prove(credential, namespace, arrival.source)
        expires_at = 2**63 if principal.expires_at is None else principal.expires_at
        known = _Known(principal, slot, epoch, expires_at, self._fingerprint(credential.secret))
        if principal.counted:
            self._used[arrival.id, key] = known
            if len(self._used) > MAX_REQUESTS:
                self._used.popitem(last=False)
        else:
            self._memo[key] = known
            if len(self._memo) > self._remembered:
                self._memo.popitem(last=False)
        return principal

    async def _prove(self, credential: Credential, namespace: str, source: str) -> Principal:
        # An unknown namespace ("") is asked about all the same, so that its refusal takes as long as any other.
        principal, authenticator = await self._ask(credential, namespace)
        if principal is None or not namespace or principal.namespace != namespace:
            raise Unauthenticated(REFUSED)
        if principal.expires_at is not None and principal.expires_at <= self._now():
            raise Unauthenticated(REFUSED)
        _at_home(principal, source)
        if principal.counted and authenticator is not None:
            # Last: whoever shows it from where it does not count uses up nothing.
            await _told(authenticator, authenticator.use(principal))
        return principal

    async def _ask(self, credential: Credential, namespace: str) -> tuple[Principal | None, Authenticator | None]:
        for authenticator in self._authenticators:
            principal = await _told(authenticator, authenticator.authenticate(credential, namespace))
            if principal is not None:
                return principal, authenticator
        return None, None


async def _told(authenticator: Authenticator, answer: Awaitable[T]) -> T:
    """What an authenticator answers; whatever it says is wrong stays inside."""
    try:
        return await answer
    except Unauthenticated:
        raise Unauthenticated(REFUSED) from None
    except WardgateError:
        raise
    except Exception as error:  # noqa: BLE001  # a plugin's defect must refuse, not answer
        # No traceback: it could hold the credential.
        told = {"event": "authenticator_failed"}
        _log.error("%s failed with %s", type(authenticator).__name__, type(error).__name__, extra=told)
        raise Unavailable("the credential could not be checked; try again") from None


def _at_home(principal: Principal, source: str) -> Principal:
    """The principal, if it may come from this address. Raises Unauthenticated."""
    if principal.networks and not within(source, principal.networks):
        raise Unauthenticated(REFUSED)
    return principal
