"""What a service warns of, beside its answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from wardgate.context import MAX_WARNING, MAX_WARNINGS, Context
from wardgate.mounts import Mounts
from wardgate.pipeline.dispatch import Dispatch, ServiceHandler
from wardgate.spi.frontend import Arrival
from wardgate.spi.operations.base import Operation
from wardgate.spi.operations.tokens import LookupSelf

from tests.support.memory_services import MemoryKeeper, NoKeys


class Clock:
    """The machine's."""

    now = staticmethod(time.time_ns)
    monotonic = staticmethod(time.monotonic)


async def service(context: Context, _: Any) -> str:
    """Warns of more than anyone reads."""
    for number in range(MAX_WARNINGS + 1):
        context.warn(f"{number} " + "x" * MAX_WARNING)
    return "done"


def test_what_a_service_warns_of_leaves_with_its_answer() -> None:
    """In order, and no more of it than is bounded."""
    not_asked: Any = None
    services: Mapping[type[Operation[Any]], ServiceHandler] = {LookupSelf: service}
    dispatch = Dispatch(services, lambda _: Mounts([]), not_asked, not_asked, Clock(), MemoryKeeper(), NoKeys())
    context = Context(Arrival("r", 0, time.monotonic() + 5.0, "127.0.0.1"), LookupSelf(), None, "root")
    outcome = asyncio.run(dispatch(context))
    assert ("done", MAX_WARNINGS) == (outcome.result, len(outcome.warnings))
    assert ["0 ", "1 ", "2 "] == [warning[:2] for warning in outcome.warnings[:3]]
    assert {MAX_WARNING} == set(map(len, outcome.warnings))
