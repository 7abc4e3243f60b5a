"""Every endpoint of ``/api/v1``, gathered from the files of its nouns, and the documents about them."""

from __future__ import annotations

from functools import cache

import msgspec

from wardgate_native.api import (
    approle,
    batch,
    labels,
    methods,
    mounts,
    namespaces,
    openapi,
    page,
    policies,
    secrets,
    system,
    tokens,
    wrapping,
)
from wardgate_native.api.routing import Document, Table
from wardgate_native.api.wire import Answer

_ROUTES = (
    *secrets.ROUTES,
    *batch.ROUTES,
    *tokens.ROUTES,
    *approle.ROUTES,
    *methods.ROUTES,
    *mounts.ROUTES,
    *namespaces.ROUTES,
    *policies.ROUTES,
    *labels.ROUTES,
    *wrapping.ROUTES,
    *system.ROUTES,
)


@cache
def _openapi() -> Answer:
    return Answer(msgspec.json.encode(openapi.build(_ROUTES)), media_type="application/json")


@cache
def _page() -> Answer:
    body = page.render(openapi.build(_ROUTES))
    return Answer(body, media_type="text/html; charset=utf-8", policy=page.POLICY)


TABLE = Table(
    _ROUTES,
    (
        Document(
            pattern="openapi.json", summary="This API as an OpenAPI 3.1 document.", media_type="application/json",
            answer=_openapi,
        ),
        Document(pattern="docs", summary="The same as a page to read.", media_type="text/html", answer=_page),
    ),
)  # fmt: skip
