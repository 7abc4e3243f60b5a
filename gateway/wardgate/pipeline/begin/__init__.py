"""The begin layer: a change is on record before it is made, and then outlives its client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextvars import copy_context
from typing import Any, Protocol

from wardgate.context import Context
from wardgate.pipeline import Handler
from wardgate.spi.frontend import Outcome
from wardgate.state.database import operation_id


class RequestRecords(Protocol):
    """Where request records go: the audit's journal."""

    async def request(self, context: Context) -> str:
        """Write the record durably and return the id of the change; raises Unavailable, then nothing may be done."""


class Begin:
    """Records the request of what changes anything, then runs the rest of the road in a task of its own."""

    def __init__(self, journal: RequestRecords) -> None:
        self._journal = journal
        self._running: set[asyncio.Task[Outcome[Any]]] = set()

    def __call__(self, context: Context, call_next: Handler) -> Awaitable[Outcome[Any]]:
        """Handle one request."""
        # An answer that is kept wrapped is a change too, whatever it answers.
        changes = context.operation.mutates or context.wrap is not None
        return self._change(context, call_next) if changes else call_next(context)

    async def _change(self, context: Context, call_next: Handler) -> Outcome[Any]:
        """Once begun it waits for the end even when cancelled, so that the end is recorded."""
        change = await self._journal.request(context)
        context.begun = True
        variables = copy_context()
        variables.run(operation_id.set, change)
        task: asyncio.Task[Outcome[Any]] = asyncio.get_running_loop().create_task(
            _run(call_next, context), context=variables
        )
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        while not task.done():
            try:
                await asyncio.wait((task,))
            except asyncio.CancelledError:
                continue  # the client left; the change goes on
        return task.result()

    async def drain(self, patience: float) -> bool:
        """Wait up to ``patience`` seconds for the changes under way; whether all ended."""
        if self._running:
            await asyncio.wait(tuple(self._running), timeout=patience)
        return not self._running


async def _run(call_next: Handler, context: Context) -> Outcome[Any]:
    return await call_next(context)
