"""The gateway's own state for Vault's clients: ``sys/health``, ``sys/seal-status``, ``sys/init``, ``sys/leader``."""

from __future__ import annotations

import re

from wardgate.spi.errors import Malformed, Sealed
from wardgate.spi.operations.system import ReadHealth, ReadLeader, ReadSealStatus

from wardgate_vault.api.envelope import Answer, encode, refusal
from wardgate_vault.api.errors import Refused
from wardgate_vault.api.request import Request
from wardgate_vault.api.services import Route
from wardgate_vault.durations import whole_seconds

ACTIVE, UNINITIALIZED, SEALED = 200, 501, 503
_CODE = re.compile(r"(?!204|205|304)[2-5]\d\d", re.ASCII)
"""A status that a caller may choose; those three forbid the body that is sent with it."""


async def _health(request: Request) -> Answer:
    codes = {name: _code(request, f"{name}code") for name in ("active", "uninit", "sealed")}
    status = (await request.perform(ReadHealth())).result
    if not status.initialized:
        code = codes["uninit"] or UNINITIALIZED
    elif status.sealed:
        code = codes["sealed"] or SEALED
    else:
        code = codes["active"] or ACTIVE
    data = {
        "initialized": status.initialized,
        "sealed": status.sealed,
        "standby": False,
        "performance_standby": False,
        "replication_performance_mode": "disabled",
        "replication_dr_mode": "disabled",
        "server_time_utc": whole_seconds(request.arrival.received_at),
        "version": status.version,
        "cluster_name": status.cluster_name,
        "cluster_id": status.cluster_id,
    }
    return Answer(code, encode(data) + b"\n")


def _code(request: Request, name: str) -> int | None:
    """A status the caller wants instead of the usual one."""
    given = request.parameters.get(name)
    if given is None:
        return None
    if not _CODE.fullmatch(given):
        raise Refused(Malformed(f"{name} must be a status from 200 to 599 that has a body"), refusal(400))
    return int(given)


async def _seal_status(request: Request) -> Answer:
    status = (await request.perform(ReadSealStatus())).result
    data = {
        "type": status.seal_type,
        "initialized": status.initialized,
        "sealed": status.sealed,
        # One key opens it; there are no shares.
        "t": 1,
        "n": 1,
        "progress": 0,
        "nonce": "",
        "version": status.version,
        "build_date": "",
        "migration": False,
        "cluster_name": status.cluster_name,
        "cluster_id": status.cluster_id,
        "recovery_seal": False,
        "storage_type": "wardgate",
    }
    return Answer(200, encode(data) + b"\n")


async def _init(request: Request) -> Answer:
    """Whether there is anything to speak to: hvac asks before its first request."""
    status = (await request.perform(ReadSealStatus())).result
    return Answer(200, encode({"initialized": status.initialized}) + b"\n")


async def _leader(request: Request) -> Answer:
    """Every node serves and none leads: what a Vault that is alone says."""
    status = (await request.perform(ReadLeader())).result
    if status.sealed:
        raise Sealed
    data = {
        "ha_enabled": False,
        "is_self": False,
        "active_time": "0001-01-01T00:00:00Z",
        "leader_address": "",
        "leader_cluster_address": "",
    }
    return Answer(200, encode(data) + b"\n")


ROUTES = (
    Route(("sys", "health"), {"read": _health, "head": _health}),
    Route(("sys", "seal-status"), {"read": _seal_status}),
    Route(("sys", "init"), {"read": _init}),
    Route(("sys", "leader"), {"read": _leader}),
)
"""Asked without a token."""
