"""The layer that lets an operation pass only by a policy's yes, and hides from lists what is denied."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable
from typing import Any, Final

from wardgate.context import Context, Decision
from wardgate.pipeline import Handler
from wardgate.pipeline.authorize.conditions import Facts
from wardgate.pipeline.authorize.engine import Engine
from wardgate.pipeline.authorize.pace import Pace
from wardgate.pipeline.authorize.scanned import Scanned
from wardgate.pipeline.authorize.visible import Extent, Visible
from wardgate.spi.errors import PermissionDenied
from wardgate.spi.frontend import Outcome
from wardgate.spi.identity import Principal
from wardgate.spi.operations.base import Action, Batch
from wardgate.spi.operations.secrets import ListSecrets, ScanSecrets
from wardgate.spi.operations.wrapping import Wrapped
from wardgate.spi.path import Path
from wardgate.spi.values import Page

NO_DECISION: Final = Decision("", 0)
"""What anonymous operations carry: no policy was asked."""


class Authorize:
    """Asks the engine about every operation but the anonymous ones.

    Of a batch each item is asked about, and the layers below leave alone what is denied.
    Listing a folder needs ``list`` on the folder itself; a page then shows the names that are not denied. A scan shows
    what listing folder after folder would.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(self, context: Context, call_next: Handler) -> Awaitable[Outcome[Any]]:
        """Pass the operation on, or raise PermissionDenied."""
        operation = context.operation
        if operation.anonymous:
            context.decision = NO_DECISION
            return call_next(context)
        principal = context.known("principal")
        if principal is None or principal.namespace != context.namespace:
            raise PermissionDenied("permission denied: this namespace needs a principal of its own")
        if isinstance(operation, Batch):
            return self._each(context, principal, operation, call_next)
        context.decision = self._engine.require(principal, operation, context.arrival)
        if isinstance(operation, ListSecrets | ScanSecrets):
            return self._shown(context, principal, operation, call_next)
        return call_next(context)

    async def _each(
        self, context: Context, principal: Principal, batch: Batch[Any], call_next: Handler
    ) -> Outcome[Any]:
        """The batch with a decision for each of its items."""
        pace, decisions = Pace(), list[Decision | None]()
        for item in batch.items:
            decisions.append(self._engine.decision(principal, item, context.arrival))
            await pace.step()
        context.decisions = tuple(decisions)
        return await call_next(context)

    async def _shown(
        self, context: Context, principal: Principal, operation: ListSecrets | ScanSecrets, call_next: Handler
    ) -> Outcome[Page]:
        """The page without the names that are denied."""

        async def shown(outcome: Outcome[Any]) -> Outcome[Any]:
            if isinstance(outcome.result, Wrapped):
                return outcome
            if isinstance(operation, ScanSecrets):
                return await self._scanned(principal, operation, outcome, context.arrival)
            return _filtered(outcome, self._engine.visible(principal, Action.LIST, operation.path, context.arrival))

        wrap = context.wrap
        if wrap is not None:
            # It is kept below this layer, and must hold no name that is denied.
            context.wrap = dataclasses.replace(wrap, narrow=shown)
        return await shown(await call_next(context))

    async def _scanned(
        self, principal: Principal, scan: ScanSecrets, outcome: Outcome[Page], facts: Facts
    ) -> Outcome[Page]:
        def listable(folder: Path) -> bool:
            return self._engine.decision(principal, ListSecrets(path=folder), facts) is not None

        def visible(folder: Path) -> Visible:
            return self._engine.visible(principal, Action.LIST, folder, facts)

        scanned = Scanned(scan.path, listable, visible)
        page = dataclasses.replace(outcome.result, entries=await scanned.shown(outcome.result.entries))
        return dataclasses.replace(outcome, result=page)


def _filtered(outcome: Outcome[Page], visible: Visible) -> Outcome[Page]:
    if visible.extent is Extent.ALL:
        return outcome
    entries = tuple(entry for entry in outcome.result.entries if visible.matches(entry.name, entry.folder))
    return dataclasses.replace(outcome, result=dataclasses.replace(outcome.result, entries=entries))
