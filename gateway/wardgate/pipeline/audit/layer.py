"""The audit layer: outermost behind accept; no answer leaves before the record that says how it ended."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, NoReturn

from wardgate import defects
from wardgate.context import Context
from wardgate.pipeline import Handler
from wardgate.pipeline.audit.journal import Journal
from wardgate.spi.errors import OutcomeUnknown, Unavailable, WardgateError
from wardgate.spi.frontend import Outcome


class Audit:
    """Calls the rest of the road, then writes the closing record."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def __call__(self, context: Context, call_next: Handler) -> Outcome[Any]:
        """Handle one request; raises only errors of the closed list."""
        if not context.operation.audited:
            return await call_next(context)
        self._journal.check()
        try:
            outcome = await call_next(context)
        except WardgateError as error:
            await self._refuse(context, error)
        except asyncio.CancelledError:
            # Before begin the client left, and nothing was done; behind it only the end of the process cancels.
            with suppress(WardgateError):
                await self._journal.closing(context, "outcome_unknown" if context.begun else "cancelled")
            raise
        except Exception as error:  # noqa: BLE001  # a defect's text may hold a value: only its place is logged
            await self._break(context, error)
        try:
            await self._journal.closing(context, "ok", outcome)
        except Unavailable as failure:
            if context.begun:
                told = f"the change was made, but the audit could not confirm it: {failure.message}"
                raise OutcomeUnknown(told) from None
            raise
        return outcome

    async def _refuse(self, context: Context, error: WardgateError) -> NoReturn:
        try:
            await self._journal.closing(context, error.code)
        except Unavailable as failure:
            # An unclear outcome stays one; of every other error nothing was changed.
            raise (error if isinstance(error, OutcomeUnknown) else failure) from None
        raise error

    async def _break(self, context: Context, error: Exception) -> NoReturn:
        told = defects.of_request(context, error)
        with suppress(Unavailable):
            await self._journal.closing(context, "internal")
        raise told from None
