"""The innermost layer: finds the service or the mount, checks what it can do, and asks it within the deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from wardgate import defects
from wardgate.batch_budget import AT_ONCE
from wardgate.context import Context, Decision
from wardgate.mounts import Mount, Mounts
from wardgate.pipeline.dispatch.breaker import Breakers
from wardgate.pipeline.dispatch.cursors import Cursors
from wardgate.pipeline.dispatch.repeating import Keys, Repeating
from wardgate.pipeline.dispatch.secrets import secret_handlers
from wardgate.pipeline.dispatch.versions import Ledger, Versions
from wardgate.pipeline.dispatch.watch import Unwatched, Watch
from wardgate.pipeline.dispatch.wrapping import Keeper, Wrapping
from wardgate.spi.errors import (
    InvalidValue,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    SecretNotFound,
    TooLarge,
    Unavailable,
    Unsupported,
    WardgateError,
)
from wardgate.spi.frontend import Outcome
from wardgate.spi.operations.base import Batch, Operation, Rejected
from wardgate.spi.operations.secrets import ListSecrets, ScanSecrets
from wardgate.spi.services import Clock, Keyring

ServiceHandler = Callable[[Context, Any], Awaitable[Any]]
_OF_THE_STORE = (OutcomeUnknown, PermissionDenied, InvalidValue, TooLarge, Unsupported)
_UNWATCHED = Unwatched()


class Dispatch:
    """Sends an operation to the one place that answers it.

    Args:
        services: what the gateway itself offers, by operation class.
        mounts: the mounts of a namespace, by its id.
        ledger: ordinals of versions in stores that do not number them.
        keyring: the keys of a mount's namespace; seals the cursors of pages, tells values apart.
        clock: for deadlines, long scans and the circuit breakers.
        keeper: keeps the answers that are asked for wrapped.
        keys: remembers the changes that are asked for under a key.
        watch: sees how backends do.
    """

    def __init__(
        self,
        services: Mapping[type[Operation[Any]], ServiceHandler],
        mounts: Callable[[str], Mounts],
        ledger: Ledger,
        keyring: Callable[[Mount], Keyring],
        clock: Clock,
        keeper: Keeper,
        keys: Keys[Any],
        watch: Watch = _UNWATCHED,
    ) -> None:
        self._services = services
        self._handlers = secret_handlers(clock)
        self._mounts = mounts
        self._ledger = ledger
        self._keyring = keyring
        self._cursors = Cursors(keyring)
        self._clock = clock
        self._watch = watch
        self._breakers = Breakers(clock, watch)
        self._trials = set[asyncio.Task[Any]]()
        self._wrapping = Wrapping(keeper)
        self._repeating = Repeating(keys, clock)

    async def __call__(self, context: Context) -> Outcome[Any]:
        """Answer one operation.

        Raises:
            SecretNotFound: no mount and no service at that path.
            Unsupported: the mount's store cannot do this; it was not asked.
            Unavailable: the store did not answer in time, or its circuit breaker is open.
            OutcomeUnknown: a change was sent and the deadline passed before its answer.
        """
        operation = context.operation
        if isinstance(operation, Rejected):
            raise operation.error
        if context.repeat is None:
            return await self._kept(context, operation)
        return await self._repeating.once(context, partial(self._kept, context, operation))

    async def _kept(self, context: Context, operation: Operation[Any]) -> Outcome[Any]:
        """The answer, wrapped where that is asked for."""
        wrap = context.wrap
        if wrap is None:
            return await self._answer(context, operation)
        self._wrapping.check(context.namespace, wrap, context.principal)
        return await self._wrapping.of(context, wrap, await self._answer(context, operation))

    async def _answer(self, context: Context, operation: Operation[Any]) -> Outcome[Any]:
        service = self._services.get(type(operation))
        if service is not None:
            return Outcome(await self._in_time(context, service(context, operation), None), context.warnings)
        if isinstance(operation, Batch):
            return Outcome(await self._batch(context, operation))
        return Outcome(await self._ask(context, operation, context.mount))

    async def _batch(self, context: Context, batch: Batch[Any]) -> tuple[Any, ...]:
        """Each item's result or error, in order. Items of embedded stores that are read wait for nobody."""
        mounts = self._mounts(context.namespace)
        asked = [
            (item, mounts.locate(item.path), decision)
            for item, decision in zip(batch.items, context.decisions, strict=True)
        ]
        if all(mount is None or mount.embedded for _, mount, _ in asked) and not batch.mutates:
            return tuple([await self._item(context, *one) for one in asked])
        turns = asyncio.Semaphore(AT_ONCE)

        async def in_turn(one: tuple[Operation[Any], Mount | None, Decision | None]) -> Any:
            async with turns:
                return await self._item(context, *one)

        return tuple(await asyncio.gather(*map(in_turn, asked)))

    async def _item(
        self, context: Context, item: Operation[Any], mount: Mount | None, decision: Decision | None
    ) -> Any:
        if decision is None:
            return PermissionDenied("permission denied: no policy of this token allows it")
        if context.budget.spent:
            return context.budget.refusal()
        try:
            return context.budget.counted(await self._ask(context, item, mount))
        except WardgateError as error:
            return error
        except Exception as error:  # noqa: BLE001  # what others of the batch ask, or changed, is not lost for it
            return defects.of_item(context, error)

    async def _ask(self, context: Context, operation: Operation[Any], mount: Mount | None) -> Any:
        if mount is None:
            raise SecretNotFound(f"no mount holds {operation.path}")
        if mount.backend is None:
            raise Unavailable(f"{mount.name} is not open: {mount.fault}")
        handler = self._handlers[type(operation)]
        versions = Versions(mount, operation.path.below(mount.prefix), self._ledger, self._keyring)
        listing = operation if isinstance(operation, ListSecrets | ScanSecrets) else None
        asked = self._cursors.opened(listing, mount) if listing else operation
        try:
            trial = self._breakers.check(mount.id)
        except Unavailable as error:
            raise _named(mount, error) from None
        answer = self._in_time(context, handler(asked, mount.backend, versions), mount)
        heard = self._heard(mount, self._watch.backend(mount, operation, answer))
        result = await (self._outliving(heard) if trial else heard)
        return self._cursors.sealed(result, listing, mount) if listing else result

    async def _heard(self, mount: Mount, answer: Awaitable[Any]) -> Any:
        """What a store answers; the mount's breaker hears it too."""
        try:
            result = await answer
        except (Unavailable, OutcomeUnknown) as error:
            if isinstance(error, Unavailable) and error.answered:
                self._breakers.answered(mount.id)
            else:
                self._breakers.failed(mount.id)
            raise _named(mount, error) from None
        except WardgateError as error:
            self._breakers.answered(mount.id)  # a store that refuses is there
            raise _named(mount, error) from None
        self._breakers.answered(mount.id)
        return result

    def _outliving(self, heard: Coroutine[Any, Any, Any]) -> Awaitable[Any]:
        """The same, to its end: all wait to know how the store is, not the one caller alone who happens to ask."""
        trial = asyncio.get_running_loop().create_task(heard)
        self._trials.add(trial)
        trial.add_done_callback(self._trials.discard)
        return asyncio.shield(trial)

    async def _in_time(self, context: Context, answer: Awaitable[Any], mount: Mount | None) -> Any:
        if (mount is None or mount.embedded) and not context.operation.mutates:
            return await answer  # it waits for nobody, and a timer costs as much as the query
        remaining = context.arrival.deadline - self._clock.monotonic()
        try:
            async with asyncio.timeout(remaining):
                return await answer
        except TimeoutError:
            whose = "the store" if mount else "the gateway"
            if context.operation.mutates:
                raise OutcomeUnknown(f"{whose} did not confirm the change in time; read before you repeat it") from None
            raise Unavailable(f"{whose} did not answer in time; try again") from None


def _named(mount: Mount, error: WardgateError) -> WardgateError:
    """What went wrong with a store, with the mount's name; what is so of a secret says it as it is."""
    if isinstance(error, RateLimited):
        return RateLimited(f"{mount.name}: {error.message}", retry_after=error.retry_after)
    if isinstance(error, Unavailable):
        return Unavailable(f"{mount.name}: {error.message}", answered=error.answered)
    if isinstance(error, _OF_THE_STORE):
        return type(error)(f"{mount.name}: {error.message}")
    return error
