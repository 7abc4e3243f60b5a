"""Endpoints of the gateway itself: its health and its status."""

from __future__ import annotations

import msgspec
from wardgate.spi.frontend import Outcome
from wardgate.spi.operations.system import ReadHealth, ReadSealStatus, Status

from wardgate_native.api.routing import Route
from wardgate_native.api.wire import Answer


class GatewayStatus(msgspec.Struct, kw_only=True):
    """The state of this gateway."""

    initialized: bool
    sealed: bool
    version: str
    cluster_id: str
    cluster_name: str
    seal_type: str


def _status(given: Status) -> GatewayStatus:
    return GatewayStatus(
        initialized=given.initialized,
        sealed=given.sealed,
        version=given.version,
        cluster_id=given.cluster_id,
        cluster_name=given.cluster_name,
        seal_type=given.seal_type,
    )


def _health_answer(outcome: Outcome[Status]) -> Answer:
    healthy = outcome.result.initialized and not outcome.result.sealed
    return Answer(_status(outcome.result), 200 if healthy else 503)


def _status_answer(outcome: Outcome[Status]) -> Answer:
    return Answer(_status(outcome.result))


ROUTES = (
    Route(
        method="GET", pattern="health", summary="Is it up? 503 while it is sealed. Needs no credential; not audited.",
        response=GatewayStatus, other_answers={503: GatewayStatus}, anonymous=True,
        operation=lambda _call: ReadHealth(), answer=_health_answer,
    ),
    Route(
        method="GET", pattern="status", summary="The state of this gateway. Needs no credential.",
        response=GatewayStatus, anonymous=True, operation=lambda _call: ReadSealStatus(), answer=_status_answer,
    ),
)  # fmt: skip
