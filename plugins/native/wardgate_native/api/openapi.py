"""The OpenAPI 3.1 document, made from the table of endpoints: what is not declared there is not said here."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version as version_of
from typing import Any

import msgspec
from wardgate.spi import errors
from wardgate.spi.errors import CLOSED_LIST, WardgateError

from wardgate_native.api import repeats
from wardgate_native.api.problems import PROBLEM, STATUS, Problem
from wardgate_native.api.routing import Nothing, Raw, Route
from wardgate_native.api.wire import NAME_FORMAT, PATH_FORMAT, TAG, TAG_FORMAT, Body, Refused, ShownOnce

PREFIX = "/api/v1/"
_JSON = "application/json"
_NOT_MODIFIED, _PRECONDITION_FAILED, _HEAD_TOO_LARGE = 304, 412, 431
# The first layer answers for all APIs, and has no problem documents.
_REFUSED_FIRST = (400, 413, 429, _HEAD_TOO_LARGE, 503)
_ALWAYS = (
    errors.Malformed, errors.SecretNotFound, errors.TooLarge, errors.InvalidValue, errors.Unsupported,
    errors.RateLimited, errors.Unavailable, errors.Sealed,
)  # fmt: skip
_KNOWN = (errors.Unauthenticated, errors.PermissionDenied)
_CHANGING = (errors.Conflict, errors.AlreadyExists, errors.OutcomeUnknown)
_ABOUT = """\
Secrets and administration over one tree of paths. A path of a secret begins with a mount's prefix (`secret/app/db`);
its slashes stand as they are, everything else outside the unreserved characters is percent-encoded. Values travel as
themselves; all else is JSON, read strictly. Times are RFC 3339 in UTC, durations whole seconds. Errors are RFC 9457
problem documents.
"""
_CAPTURES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "name": ("One segment.", {"type": "string", "minLength": 1, "maxLength": 255, "format": NAME_FORMAT}),
    "path": ("A path; its slashes stand as they are.", {"type": "string", "minLength": 1, "format": PATH_FORMAT}),
    "folder": (
        "A folder's path, with or without a slash at its end; without any, the namespace's root.",
        {"type": "string", "format": PATH_FORMAT},
    ),
}
_VALUE_SCHEMAS: Mapping[str, dict[str, Any]] = {
    "text/plain": {"type": "string"},
    "application/merge-patch+json": {"type": "object"},
    "application/octet-stream": {"type": "string", "contentMediaType": "application/octet-stream"},
}
_TEXT = {"type": "string"}
_PARAMETERS: Mapping[str, dict[str, Any]] = {
    "namespace": {
        "name": "X-Wardgate-Namespace", "in": "header", "description": "Path of the namespace; without it, the root.",
        "schema": {"type": "string", "format": PATH_FORMAT},
    },
    "if-match": {
        "name": "If-Match", "in": "header", "schema": {"type": "string", "format": TAG_FORMAT, "pattern": TAG},
        "description": "The ETag that the current version must have: a compare-and-set; else 412.",
    },
    "if-match-there": {
        "name": "If-Match", "in": "header",
        "schema": {"type": "string", "format": TAG_FORMAT, "pattern": f"^\\*$|{TAG}"},
        "description": "The ETag that the current version must have: a compare-and-set; else 412. `*`: any.",
    },
    "if-none-match": {
        "name": "If-None-Match", "in": "header", "schema": {"type": "string", "const": "*"},
        "description": "`*`: only when there is no version yet; else 412.",
    },
    "if-none-match-read": {
        "name": "If-None-Match", "in": "header", "schema": {"type": "string"},
        "description": "ETags of what the caller has; when the version is among them the answer is 304.",
    },
    "idempotency-key": {
        "name": "Idempotency-Key", "in": "header",
        "schema": {"type": "string", "pattern": repeats.PATTERN},
        "description": "Names this request, so that it can be sent again and is done once: a repeat within an hour "
        "gets the same answer, with Idempotent-Replayed. 409: it is still under way; 422: the key was another "
        "request's; 502: it was cut off, and may have been done.",
    },
}  # fmt: skip
_HEADERS: Mapping[str, str] = {
    "x-request-id": "The audit's id of the request.",
    "etag": "The version: opaque, strong, and nobody can tell the value from it.",
    "x-wardgate-version": "The version's ordinal, from 1.",
    "x-wardgate-created-at": "When the version was made.",
    "x-wardgate-expires-at": "When the version ends.",
    "idempotent-replayed": "`true`: this was done before, under the same Idempotency-Key.",
    "retry-after": "Seconds to wait.",
    "www-authenticate": "How to show a token.",
}


def build(routes: Iterable[Route]) -> dict[str, Any]:
    """The document, as what JSON has."""
    routes = tuple(routes)
    types = {kind for route in routes for kind in _types(route) if kind not in (Raw, Nothing)}
    ordered = sorted({Problem, Refused, *types}, key=lambda kind: str(kind.__name__))
    _, schemas = msgspec.json.schema_components(
        ordered, ref_template="#/components/schemas/{name}", schema_hook=_anything
    )
    for kind in _bodies(Body):
        if kind.__name__ in schemas:
            schemas[kind.__name__] |= kind.more
    for schema in schemas.values():
        schema["description"] = inspect.cleandoc(schema.get("description", "")).replace("``", "`")
    schemas["Problem"]["properties"]["code"]["enum"] = sorted({"internal", *(error.code for error in CLOSED_LIST)})
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(PREFIX + route.pattern, {})[route.method.lower()] = _operation(route, schemas)
    queries = {route.query.__name__ for route in routes if route.query is not None}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Wardgate REST API",
            "description": _ABOUT,
            "version": version_of("wardgate-native"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": [{"name": name} for name in dict.fromkeys(_tag(route) for route in routes)],
        "paths": paths,
        "components": {
            "schemas": {name: schema for name, schema in schemas.items() if name not in queries},
            "parameters": dict(_PARAMETERS),
            "headers": {name: {"description": text, "schema": _TEXT} for name, text in _HEADERS.items()},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _anything(kind: type) -> dict[str, Any]:
    if kind is not object:
        raise NotImplementedError
    return {"description": "Any JSON value."}


def _bodies(kind: type[Body]) -> Iterator[type[Body]]:
    for below in kind.__subclasses__():
        yield below
        yield from _bodies(below)


def _types(route: Route) -> tuple[type, ...]:
    return (route.request, route.response, route.query or Nothing, *route.other_answers.values())


def _tag(route: Route) -> str:
    return route.pattern.partition("/")[0]


def _operation(route: Route, schemas: Mapping[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{route.method.lower()}_{re.sub(r'[^a-z]+', '_', route.pattern).strip('_')}",
        "tags": [_tag(route)],
        "summary": route.summary,
        "parameters": [*_path_parameters(route), *_query_parameters(route, schemas), *_header_parameters(route)],
        "responses": _responses(route),
    }
    if route.anonymous:
        operation["security"] = []
    if route.request is not Nothing:
        operation["requestBody"] = _request(route, schemas)
    return operation


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "description": _CAPTURES[name][0], "schema": _CAPTURES[name][1]}
        for name in re.findall(r"{(\w+)}", route.pattern)
    ]


def _query_parameters(route: Route, schemas: Mapping[str, Any]) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    properties: Mapping[str, Any] = schemas[route.query.__name__]["properties"]
    return [{"name": name, "in": "query", "schema": _not_null(schema)} for name, schema in properties.items()]


def _not_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A query has no null: what may be absent is absent."""
    if "anyOf" not in schema:
        return dict(schema)
    (only,) = (one for one in schema["anyOf"] if one != {"type": "null"})
    return dict(only)


def _header_parameters(route: Route) -> list[dict[str, Any]]:
    special = {("GET", "if-none-match"): "if-none-match-read", ("PATCH", "if-match"): "if-match-there"}
    names = ["namespace", *(special.get((route.method, name), name) for name in route.conditions)]
    if route.repeatable:
        names.append("idempotency-key")
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def _request(route: Route, schemas: Mapping[str, Any]) -> dict[str, Any]:
    if route.request is Raw:
        return {
            "required": True,
            "content": {name: {"schema": _VALUE_SCHEMAS.get(name, {})} for name in route.media_types},
        }
    schema = schemas[route.request.__name__]
    required = any(schema.get(word) for word in ("required", "anyOf", "oneOf"))
    return {"required": required, "content": {_JSON: {"schema": _reference(route.request)}}}


def _reference(kind: type) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{kind.__name__}"}


def _responses(route: Route) -> dict[str, Any]:
    success: dict[str, Any] = {"description": _success(route), "headers": _headers("x-request-id", *route.headers)}
    if route.repeatable:
        success["headers"] |= _headers("idempotent-replayed")
    if route.response is Raw:
        success["content"] = {"*/*": {"schema": {}}}
    elif route.response is not Nothing:
        success["content"] = {_JSON: {"schema": _reference(route.response)}}
    responses = {str(route.success): success}
    if route.method == "GET" and "if-none-match" in route.conditions:
        description = "The caller has this version: If-None-Match names it."
        responses[str(_NOT_MODIFIED)] = {
            "description": description,
            "headers": _headers("x-request-id", *route.headers),
        }
    for status, titles in sorted(_problems(route).items()):
        responses[str(status)] = _problem_response(status, titles)
    for status, kind in route.other_answers.items():
        found = responses.setdefault(str(status), {"description": route.summary, "content": {}})
        found["content"][_JSON] = {"schema": _reference(kind)}
    return responses


def _success(route: Route) -> str:
    if route.response is Raw:
        return "The value, in its own media type."
    doc = (route.response.__doc__ or "").partition("\n")[0]
    once = " Some of it is shown once." if issubclass(route.response, ShownOnce) else ""
    return "Done." if route.response is Nothing else doc.replace("``", "`") + once


def _problems(route: Route) -> dict[int, list[str]]:
    """The titles of the problems a route can answer with, by status."""
    found: dict[int, list[str]] = {}
    for error in _errors(route):
        status, title = STATUS[error]
        found.setdefault(status, []).append(f"{title} (`{error.code}`)")
    if route.mutates and route.conditions:
        found[_PRECONDITION_FAILED] = ["The condition does not hold (`conflict`)"]
    found[_HEAD_TOO_LARGE] = ["The target and the headers are too large"]
    return found


def _errors(route: Route) -> tuple[type[WardgateError], ...]:
    given = (*_ALWAYS, *(() if route.anonymous else _KNOWN), *(_CHANGING if route.mutates else ()), *route.errors)
    # Where the credential is the request's body, a wrong one is the request's own refusal.
    login = (errors.Unauthenticated,) if route.anonymous and route.mutates else ()
    return tuple(dict.fromkeys((*given, *login)))


def _problem_response(status: int, titles: list[str]) -> dict[str, Any]:
    extra = {429: ("retry-after",), 401: ("www-authenticate",)}.get(status, ())
    content: dict[str, Any] = {}
    if status != _HEAD_TOO_LARGE:
        content[PROBLEM] = {"schema": _reference(Problem)}
    if status in _REFUSED_FIRST:
        content[_JSON] = {"schema": _reference(Refused)}
    return {
        "description": "; ".join(titles) + ".",
        "headers": _headers("x-request-id", *extra),
        "content": content,
    }


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
