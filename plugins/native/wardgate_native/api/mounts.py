"""Endpoints of mounts."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType
from wardgate.spi.errors import AlreadyExists
from wardgate.spi.frontend import Outcome
from wardgate.spi.operations.base import Operation
from wardgate.spi.operations.mounts import (
    MOUNTS,
    CacheTtl,
    CreateMount,
    DeleteMount,
    ListMounts,
    MountInfo,
    ReadMount,
    TuneMount,
)
from wardgate.spi.path import Path

from wardgate_native.api.routing import Call, Route
from wardgate_native.api.secrets import no_content
from wardgate_native.api.wire import SECOND, Answer, Body, PathText, rfc3339

CacheSeconds = Annotated[int, msgspec.Meta(ge=0, le=86_400)]


class Mount(msgspec.Struct, kw_only=True):
    """A mount. Secret options are shown as asterisks; ``fault`` says why it is not open, or is empty.

    ``cache_ttl_seconds``: how long what was read is remembered; null: the gateway's default, 0: never.
    """

    id: str
    prefix: str
    type: str
    presentation: dict[str, str]
    options: dict[str, object]
    created_at: str | None
    description: str
    fault: str
    cache_ttl_seconds: int | None


class Mounts(msgspec.Struct):
    """All mounts of the namespace."""

    mounts: list[Mount]


class MountRequest(Body):
    """A backend of ``type`` at ``prefix``; ``presentation`` says how front-ends show it: ``{"vault.kv": "2"}``.

    ``check``: whether the store is asked for every permission it needs before the mount is kept, for those to read, or
    for none.
    """

    prefix: PathText
    type: str
    options: dict[str, object] = msgspec.field(default_factory=dict)
    presentation: dict[str, str] = msgspec.field(default_factory=dict)
    description: str = ""
    check: Literal["all", "reading", "none"] = "all"


class MountTuning(Body):
    """What to change of a mount; what is absent stays. ``cache_ttl_seconds`` null: the gateway's default, 0: never."""

    description: str | UnsetType = UNSET
    presentation: dict[str, str] = msgspec.field(default_factory=dict)
    cache_ttl_seconds: CacheSeconds | UnsetType | None = UNSET


def _mount(info: MountInfo) -> Mount:
    return Mount(
        id=info.id,
        prefix=str(info.prefix),
        type=info.type,
        presentation=dict(info.presentation),
        options=dict(info.options),
        created_at=rfc3339(info.created_at),
        description=info.description,
        fault=info.fault,
        cache_ttl_seconds=None if info.cache_ttl is None else info.cache_ttl // SECOND,
    )


def _tune(call: Call) -> Operation[MountInfo]:
    body: MountTuning = call.body
    ttl = body.cache_ttl_seconds
    return TuneMount(
        path=MOUNTS.joined(call.path),
        description=None if body.description is UNSET else body.description,
        presentation=body.presentation,
        cache_ttl=None if ttl is UNSET else CacheTtl(None if ttl is None else ttl * SECOND),
    )


def _create(call: Call) -> Operation[MountInfo]:
    body: MountRequest = call.body
    return CreateMount(
        path=MOUNTS.joined(Path.parse(body.prefix.removesuffix("/"))),
        type=body.type,
        options=body.options,
        presentation=body.presentation,
        description=body.description,
        check=body.check,
    )


def _mount_answer(outcome: Outcome[MountInfo]) -> Answer:
    return Answer(_mount(outcome.result))


def _mounts_answer(outcome: Outcome[tuple[MountInfo, ...]]) -> Answer:
    return Answer(Mounts([_mount(info) for info in outcome.result]))


ROUTES = (
    Route(
        method="GET", pattern="mounts", summary="All mounts of the namespace.", response=Mounts,
        operation=lambda _call: ListMounts(), answer=_mounts_answer,
    ),
    Route(
        method="POST", pattern="mounts", summary="Open a backend at a prefix.", request=MountRequest, response=Mount,
        status=201, errors=(AlreadyExists,), operation=_create, answer=_mount_answer,
    ),
    Route(
        method="GET", pattern="mounts/{path}", summary="One mount.", response=Mount,
        operation=lambda call: ReadMount(path=MOUNTS.joined(call.path)), answer=_mount_answer,
    ),
    Route(
        method="PATCH", pattern="mounts/{path}", summary="Change how a mount is described, shown and remembered.",
        request=MountTuning, response=Mount, operation=_tune, answer=_mount_answer,
    ),
    Route(
        method="DELETE", pattern="mounts/{path}", summary="Forget a mount; its store keeps what it holds.",
        operation=lambda call: DeleteMount(path=MOUNTS.joined(call.path)), answer=no_content,
    ),
)  # fmt: skip
