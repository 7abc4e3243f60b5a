"""What a worker is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.server.epochs import Epochs


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker of a host.

    ``slot``: 0 to ``slots`` - 1; a worker that replaces a dead one has its slot. ``boot_id``: a UUID, new for each
    start of a worker. ``epochs``: shared by all workers.
    """

    slot: int
    slots: int
    boot_id: str
    epochs: Epochs
