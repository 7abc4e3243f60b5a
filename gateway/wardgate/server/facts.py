"""What a worker is told when it starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from wardgate.server.epochs import Epochs
from wardgate.telemetry.cells import Page
from wardgate.telemetry.metrics import Meters


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker of a host.

    ``slot``: its number, from 0; a worker that replaces a dead one has its slot. ``boot_id``: a UUID, new for each
    start of a worker. ``epochs``: shared by all workers. ``meters``: what this one counts, on a page that all can
    read. ``stopping``: why no more requests should be sent to this host; empty while it runs.
    """

    slot: int
    boot_id: str
    epochs: Epochs
    meters: Meters = field(default_factory=lambda: Meters(Page(1), 0))
    stopping: Callable[[], str] = str
