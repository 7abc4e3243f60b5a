"""The layer: a read that is remembered is answered here; a change purges its path in every worker of the host."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final, Protocol, cast

from wardgate import defects
from wardgate.context import Context
from wardgate.mounts import Mount, Mounts
from wardgate.pipeline import Handler
from wardgate.pipeline.cache.batches import Miss, Misses, Result, Ticket, alone, in_turn, narrowed, share
from wardgate.pipeline.cache.memory import Entry, Key, Limits, Memory
from wardgate.spi.backend import Backend
from wardgate.spi.errors import Gone, SecretNotFound, Unavailable, VersionNotFound, WardgateError
from wardgate.spi.flights import Flights
from wardgate.spi.frontend import Outcome
from wardgate.spi.operations.base import Batch, Operation
from wardgate.spi.operations.secrets import ReadSecret, ReadSecrets
from wardgate.spi.services import Clock
from wardgate.spi.values import SecretVersion

SECOND: Final = 1_000_000_000
NEGATIVE_TTL: Final = 5.0
"""Seconds that it is remembered, at most, that nothing is there."""

JITTER: Final = 0.1
"""What was read together does not expire together: each TTL is up to this part longer or shorter."""

OVERHEAD: Final = 1_500
"""Bytes of an entry besides its value."""

COPIES: Final = 3
"""How often the bytes of a value are held: as read, and as front-ends rendered it."""

_NOTHING: Final = (SecretNotFound, VersionNotFound, Gone)

Answer = Outcome[SecretVersion] | WardgateError


class Epochs(Protocol):
    """What the layer needs of the epoch page."""

    def slot(self, kind: str, *key: str) -> int:
        """Where the epoch of ``key`` lives."""

    def read(self, slot: int) -> int:
        """The epoch now."""

    def bump(self, slot: int) -> None:
        """Change the epoch, for every worker at once."""


class Count(Protocol):
    """Told of each read that could have been remembered."""

    def __call__(self, mount: str, *, hit: bool) -> None:
        """One read of the mount with this id."""


def _uncounted(mount: str, *, hit: bool) -> None:
    """Keep no count."""


class _CutShort(Exception):  # the end of somebody's patience, not a defect
    """The time of whoever began a fetch is over, which says nothing of the store to those who have more."""

    def __init__(self, error: Unavailable) -> None:
        super().__init__()
        self.error = error


class Cache:
    """Remembers reads of secrets. It stands behind authorize, so that each hit was allowed for its own caller.

    An entry holds until its mount's TTL ends, its version expires, or a change of its path moves the path's epoch;
    a change moves it after the store has done it and before it is acknowledged. Nothing stale is answered.

    Args:
        epochs: those of kind ``secret`` stand for (mount id, path); that of kind ``caches`` for everything.
        clock: for TTLs and for versions that expire.
        mounts: the mounts of a namespace, by its id; for batches.
        limits: how much is remembered.
        ttl: nanoseconds that a read is remembered where its mount says nothing else.
        count: told of hits and misses.
    """

    def __init__(
        self,
        epochs: Epochs,
        clock: Clock,
        mounts: Callable[[str], Mounts],
        *,
        limits: Limits,
        ttl: int,
        count: Count = _uncounted,
    ) -> None:
        self.memory = Memory(limits)
        self._slot = epochs.slot
        self._epoch = epochs.read
        self._bump = epochs.bump
        self._everything = epochs.slot("caches")
        self._generation = self._epoch(self._everything)
        self._clock = clock
        self._monotonic = clock.monotonic
        self._mounts = mounts
        self._ttl = ttl
        self._count = count
        self._flights: Flights[tuple[Backend | None, Key], Outcome[SecretVersion]] = Flights()

    async def __call__(self, context: Context, call_next: Handler) -> Outcome[Any]:
        """Answer from memory, or pass on and remember."""
        operation = context.operation
        if type(operation) is ReadSecret and context.wrap is None:
            mount = context.mount
            if mount is None or mount.cache_ttl == 0:
                return await call_next(context)
            return await self._read(context, operation, mount, call_next)
        if operation.mutates:
            try:
                return await call_next(context)
            finally:
                # Whatever came of it: an unclear outcome may have changed the store too.
                self._purge(context, operation)
        if type(operation) is ReadSecrets and context.wrap is None:
            return await self._read_many(context, operation, call_next)
        return await call_next(context)

    def forget_everywhere(self) -> None:
        """Let every worker of the host forget everything: one may have died between a change and its purge."""
        self._bump(self._everything)

    async def close(self) -> None:
        """End the fetches under way."""
        await self._flights.close()
        self.memory.clear()

    async def _read(
        self, context: Context, operation: ReadSecret, mount: Mount, call_next: Handler
    ) -> Outcome[SecretVersion]:
        found = self._look_up(operation, mount)
        if isinstance(found, Ticket):
            return await self._fetch(context, operation, found, call_next)
        if isinstance(found, WardgateError):
            raise found.with_traceback(None)
        return found

    def _look_up(self, operation: ReadSecret, mount: Mount) -> Answer | Ticket:
        """What is remembered, or what to fetch."""
        key = (mount.id, operation.path.segments, operation.version)
        answer = None if operation.fresh else self._remembered(mount, key)
        self._count(mount.id, hit=answer is not None)
        if answer is not None:
            return answer
        slot = self._slot("secret", mount.id, *operation.path.segments)
        return Ticket(mount, key, slot, self._epoch(slot))

    def _remembered(self, mount: Mount, key: Key) -> Answer | None:
        if self._generation != self._epoch(self._everything):
            self._generation = self._epoch(self._everything)
            self.memory.clear()
            return None
        entry = self.memory.get(mount.namespace, key)
        if entry is None:
            return None
        if (
            entry.epoch == self._epoch(entry.slot)
            and self._monotonic() < entry.until
            and entry.backend is mount.backend
            and entry.ttl == mount.cache_ttl
        ):
            return entry.answer
        self.memory.drop(mount.namespace, key)
        return None

    async def _fetch(
        self, context: Context, operation: ReadSecret, ticket: Ticket, call_next: Handler
    ) -> Outcome[SecretVersion]:
        # An embedded store waits for nobody, so that nobody can come meanwhile; and who asks for what stands there now
        # is not served by a question that was put before.
        if ticket.mount.embedded or operation.fresh:
            return await self._asked(context, ticket, call_next)
        mount, deadline = ticket.mount, context.arrival.deadline
        while (patience := deadline - self._monotonic()) > 0:
            fetch = partial(self._asked_for_all, context, ticket, call_next)
            try:
                return await self._flights.join((mount.backend, ticket.key), ticket.epoch, fetch, patience)
            except TimeoutError:
                break
            except _CutShort as cut:
                if self._monotonic() >= deadline:
                    raise cut.error from None
            ticket = ticket._replace(epoch=self._epoch(ticket.slot))
        raise Unavailable(f"{mount.name} did not answer in time; try again")

    async def _asked(self, context: Context, ticket: Ticket, call_next: Handler) -> Outcome[SecretVersion]:
        try:
            outcome = await call_next(context)
        except _NOTHING as nothing:
            self._remember(ticket, nothing)
            raise
        return cast("Outcome[SecretVersion]", self._remember(ticket, outcome))

    async def _asked_for_all(self, context: Context, ticket: Ticket, call_next: Handler) -> Outcome[SecretVersion]:
        try:
            return await self._asked(context, ticket, call_next)
        except Unavailable as error:
            if self._monotonic() < context.arrival.deadline:
                raise
            raise _CutShort(error) from None

    def _remember(self, ticket: Ticket, answer: Answer) -> Answer:
        mount, key, slot, epoch = ticket
        now, ttl = self._monotonic(), (self._ttl if mount.cache_ttl is None else mount.cache_ttl) / SECOND
        ttl *= 1 + JITTER * (2 * random.random() - 1)  # noqa: S311  # spreads load; nothing depends on its secrecy
        size = OVERHEAD + sum(map(len, key[1]))
        if isinstance(answer, WardgateError):
            if mount.embedded:
                return answer  # asking again costs little, and filling the memory with nothing would cost others
            answer, ttl = answer.with_traceback(None), min(ttl, NEGATIVE_TTL)
        else:
            found = answer.result
            ttl = min(ttl, self._lifetime(found))
            size += COPIES * len(found.value.data) + sum(len(name) + len(label) for name, label in found.labels.items())
            answer = replace(answer, rendered={})
        if ttl > 0:
            entry = Entry(answer, mount.backend, mount.cache_ttl, slot, epoch, now + ttl, size)
            self.memory.put(mount.namespace, key, entry)
        return answer

    def _lifetime(self, found: SecretVersion) -> float:
        """Seconds until the version ends by itself."""
        ends = [at for at in (found.info.expires_at, found.info.deleted_at) if at is not None]
        return (min(ends) - self._clock.now()) / SECOND if ends else float("inf")

    def _purge(self, context: Context, operation: Operation[Any]) -> None:
        if isinstance(operation, Batch):
            mounts = self._mounts(context.namespace)
            for item in operation.items:
                self._purge_path(mounts.locate(item.path), item)
        else:
            self._purge_path(context.mount, operation)

    def _purge_path(self, mount: Mount | None, operation: Operation[Any]) -> None:
        if mount is not None:
            self._bump(self._slot("secret", mount.id, *operation.path.segments))

    async def _read_many(self, context: Context, operation: ReadSecrets, call_next: Handler) -> Outcome[Any]:
        """What is remembered, and for the rest one question a key."""
        mounts, budget = self._mounts(context.namespace), context.budget
        answers: list[Any] = []
        misses: Misses | None = None
        for index, (item, decision) in enumerate(zip(operation.items, context.decisions, strict=True)):
            mount = mounts.locate(item.path) if decision is not None else None
            found = self._look_up(item, mount) if mount is not None and mount.cache_ttl != 0 else None
            if isinstance(found, Outcome):
                answers.append(budget.refusal() if budget.spent else budget.counted(found.result))
            elif isinstance(found, WardgateError):
                answers.append(found)
            else:
                if misses is None:
                    misses = Misses()
                misses.add(index, item, mount, decision, found)
                answers.append(None)
        if misses is not None:
            await self._ask_embedded(context, misses.embedded, answers, call_next)
            await in_turn(misses.foreign, partial(self._ask_foreign, context, call_next), answers, budget)
        return Outcome(tuple(answers))

    async def _ask_embedded(self, context: Context, misses: list[Miss], answers: list[Any], call_next: Handler) -> None:
        """One batch of what the gateway answers by itself."""
        if not misses:
            return
        narrow = narrowed(context, misses)
        fetched = await call_next(narrow)
        context.defects += narrow.defects
        for miss, result in zip(misses, fetched.result, strict=True):
            ticket, (first, *more) = miss.ticket, miss.at
            if ticket is not None:
                if isinstance(result, _NOTHING):
                    self._remember(ticket, result)
                elif isinstance(result, SecretVersion):
                    self._remember(ticket, Outcome(result))
            answers[first] = result  # counted below
            share(answers, more, result, context.budget)

    async def _ask_foreign(self, context: Context, call_next: Handler, miss: Miss) -> Result:
        """What a store outside the gateway answers; a defect on the way there is this one's alone."""
        try:
            return await self._foreign(context, call_next, miss)
        except WardgateError:
            raise
        except Exception as error:  # noqa: BLE001  # its text may hold a value: only its place is logged
            raise defects.of_item(context, error) from None

    async def _foreign(self, context: Context, call_next: Handler, miss: Miss) -> Result:
        """It is asked as for a single read, and together with those."""
        ticket, item = miss.ticket, miss.item
        if ticket is None:
            return cast("SecretVersion", (await call_next(alone(context, miss))).result)
        found = None if item.fresh else self._remembered(ticket.mount, ticket.key)
        if found is None:
            now = ticket._replace(epoch=self._epoch(ticket.slot))
            found = await self._fetch(alone(context, miss), item, now, call_next)
        return found.result if isinstance(found, Outcome) else found
