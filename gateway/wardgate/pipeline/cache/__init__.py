"""The cache layer: never before authorize. As yet it keeps nothing and passes every request on."""

from __future__ import annotations

from typing import Any

from wardgate.context import Context
from wardgate.pipeline import Handler
from wardgate.spi.frontend import Outcome


class Cache:
    """Passes on; what it may keep, and for how long, is settled before it keeps anything."""

    async def __call__(self, context: Context, call_next: Handler) -> Outcome[Any]:
        """Hand the request to the next layer."""
        return await call_next(context)
