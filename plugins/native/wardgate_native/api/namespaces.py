"""Endpoints of child namespaces."""

from __future__ import annotations

import msgspec
from wardgate.spi.errors import AlreadyExists, Conflict
from wardgate.spi.frontend import Outcome
from wardgate.spi.operations.base import Operation
from wardgate.spi.operations.namespaces import (
    NAMESPACES,
    CreateNamespace,
    DeleteNamespace,
    ListNamespaces,
    NamespaceCreated,
    NamespaceInfo,
)

from wardgate_native.api.routing import Call, Route
from wardgate_native.api.secrets import no_content
from wardgate_native.api.tokens import IssuedToken, issued
from wardgate_native.api.wire import Answer, Body, NameText, rfc3339


class Namespace(msgspec.Struct, kw_only=True):
    """A namespace; ``path`` is from the root namespace."""

    id: str
    path: str
    created_at: str | None


class Namespaces(msgspec.Struct):
    """The direct children."""

    namespaces: list[Namespace]


class NamespaceRequest(Body):
    """A new child of the namespace the request is in."""

    name: NameText


class CreatedNamespace(msgspec.Struct, kw_only=True):
    """A new namespace and its first administrator's key, which expires and is shown once."""

    namespace: Namespace
    administrator: IssuedToken


def _namespace(info: NamespaceInfo) -> Namespace:
    return Namespace(id=info.id, path=str(info.path), created_at=rfc3339(info.created_at))


def _create(call: Call) -> Operation[NamespaceCreated]:
    return CreateNamespace(path=NAMESPACES.child(call.body.name))


def _created_answer(outcome: Outcome[NamespaceCreated]) -> Answer:
    made = outcome.result
    return Answer(CreatedNamespace(namespace=_namespace(made.namespace), administrator=issued(made.administrator)))


def _namespaces_answer(outcome: Outcome[tuple[NamespaceInfo, ...]]) -> Answer:
    return Answer(Namespaces([_namespace(info) for info in outcome.result]))


ROUTES = (
    Route(
        method="GET", pattern="namespaces", summary="The direct children of the namespace.", response=Namespaces,
        operation=lambda _call: ListNamespaces(), answer=_namespaces_answer,
    ),
    Route(
        method="POST", pattern="namespaces", summary="Create a child namespace.", request=NamespaceRequest,
        response=CreatedNamespace, status=201, errors=(AlreadyExists,), operation=_create, answer=_created_answer,
    ),
    Route(
        method="DELETE", pattern="namespaces/{name}", summary="Delete an empty child namespace.", errors=(Conflict,),
        operation=lambda call: DeleteNamespace(path=NAMESPACES.joined(call.path)), answer=no_content,
    ),
)  # fmt: skip
