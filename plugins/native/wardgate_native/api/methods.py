"""Endpoints of login methods."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType
from wardgate.spi.errors import AlreadyExists
from wardgate.spi.frontend import Outcome
from wardgate.spi.operations.base import MAX_TEXT, Operation
from wardgate.spi.operations.methods import (
    APPROLE,
    METHODS,
    DisableMethod,
    EnableMethod,
    ListMethods,
    MethodInfo,
    ReadMethod,
    TuneMethod,
)
from wardgate.spi.operations.tokens import MAX_LIFE

from wardgate_native.api.routing import Call, Route
from wardgate_native.api.secrets import no_content
from wardgate_native.api.wire import SECOND, Answer, Body, NameText, rfc3339

LeaseSeconds = Annotated[int, msgspec.Meta(ge=0, le=MAX_LIFE // SECOND)]
_Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]


class Method(msgspec.Struct, kw_only=True):
    """A way to log in. ``created_at`` null: it is there since the namespace is.

    The lease TTLs: how long its tokens live where nobody says, and the longest they do; 0: the gateway's own.
    """

    id: str
    name: str
    type: str
    description: str
    default_lease_ttl_seconds: int
    max_lease_ttl_seconds: int
    created_at: str | None


class Methods(msgspec.Struct):
    """All login methods of the namespace."""

    methods: list[Method]


class MethodRequest(Body):
    """AppRole under a further name, with roles of its own."""

    name: NameText
    type: Annotated[str, msgspec.Meta(max_length=255)] = APPROLE
    description: _Text = ""
    default_lease_ttl_seconds: LeaseSeconds = 0
    max_lease_ttl_seconds: LeaseSeconds = 0


class MethodTuning(Body):
    """What to change of a method; what is absent stays. Tokens that there are keep the lives they were given."""

    description: _Text | UnsetType = UNSET
    default_lease_ttl_seconds: LeaseSeconds | UnsetType = UNSET
    max_lease_ttl_seconds: LeaseSeconds | UnsetType = UNSET


def _method(info: MethodInfo) -> Method:
    return Method(
        id=info.id,
        name=info.name,
        type=info.type,
        description=info.description,
        default_lease_ttl_seconds=info.default_lease_ttl // SECOND,
        max_lease_ttl_seconds=info.max_lease_ttl // SECOND,
        created_at=rfc3339(info.created_at or None),
    )


def _enable(call: Call) -> Operation[MethodInfo]:
    body: MethodRequest = call.body
    return EnableMethod(
        path=METHODS.child(body.name),
        type=body.type,
        description=body.description,
        default_lease_ttl=body.default_lease_ttl_seconds * SECOND,
        max_lease_ttl=body.max_lease_ttl_seconds * SECOND,
    )


def _tune(call: Call) -> Operation[MethodInfo]:
    body: MethodTuning = call.body
    return TuneMethod(
        path=METHODS.joined(call.path),
        description=None if body.description is UNSET else body.description,
        default_lease_ttl=_nanoseconds(body.default_lease_ttl_seconds),
        max_lease_ttl=_nanoseconds(body.max_lease_ttl_seconds),
    )


def _nanoseconds(seconds: int | UnsetType) -> int | None:
    return None if seconds is UNSET else seconds * SECOND


def _method_answer(outcome: Outcome[MethodInfo]) -> Answer:
    return Answer(_method(outcome.result))


def _methods_answer(outcome: Outcome[tuple[MethodInfo, ...]]) -> Answer:
    return Answer(Methods([_method(info) for info in outcome.result]))


ROUTES = (
    Route(
        method="GET", pattern="auth-methods", summary="All login methods of the namespace.", response=Methods,
        operation=lambda _call: ListMethods(), answer=_methods_answer,
    ),
    Route(
        method="POST", pattern="auth-methods", summary="Enable AppRole under a further name.", request=MethodRequest,
        response=Method, status=201, errors=(AlreadyExists,), operation=_enable, answer=_method_answer,
    ),
    Route(
        method="GET", pattern="auth-methods/{name}", summary="One login method.", response=Method,
        operation=lambda call: ReadMethod(path=METHODS.joined(call.path)), answer=_method_answer,
    ),
    Route(
        method="PATCH", pattern="auth-methods/{name}", summary="Change how long a login method's tokens live.",
        request=MethodTuning, response=Method, operation=_tune, answer=_method_answer,
    ),
    Route(
        method="DELETE", pattern="auth-methods/{name}", summary="Disable a login method; its roles and tokens end.",
        operation=lambda call: DisableMethod(path=METHODS.joined(call.path)), answer=no_content,
    ),
)  # fmt: skip
