"""The OpenAPI document is valid and says what the code does; its page needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from wardgate.spi.errors import CLOSED_LIST, WardgateError
from wardgate_native.api import openapi
from wardgate_native.api.problems import STATUS
from wardgate_native.api.routing import Nothing, Raw, Route
from wardgate_native.api.table import TABLE
from wardgate_native.api.wire import ShownOnce

from tests.support.scripted import Request, Scripted

SHOWN_ONCE = frozenset({"token", "secret_id", "secret", "wrapping_token"})


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi.build(TABLE.routes)


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    """By the schema of OpenAPI 3.1, references and defaults included."""
    assert [] == [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()]


def test_every_endpoint_stands_in_it_with_its_types(document: dict[str, Any]) -> None:
    """Method and path as the table has them; operation ids are unique."""
    found = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert found == {(route.method, f"/api/v1/{route.pattern}") for route in TABLE.routes}
    ids = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("route", TABLE.routes, ids=lambda route: f"{route.method} {route.pattern}")
def test_every_error_is_a_documented_problem(document: dict[str, Any], route: Route) -> None:
    """Whatever of the closed list an endpoint can end in, its status is there as a problem document."""
    responses = document["paths"][f"/api/v1/{route.pattern}"][route.method.lower()]["responses"]
    for status, response in responses.items():
        if int(status) >= 400 and "431" != status:  # it is found before any API is asked
            assert "application/problem+json" in response["content"]
    usual: set[type[WardgateError]] = set(CLOSED_LIST)
    for error in usual & set(route.errors):
        assert str(STATUS[error][0]) in responses


def test_the_documents_are_served(rest: Request, gateway: Scripted, document: dict[str, Any]) -> None:
    """Without asking the gateway anything; other methods are told what there is."""
    answer = rest("GET", "/api/v1/openapi.json")
    assert (200, "application/json") == (answer.status, answer.headers["content-type"])
    assert answer.json() == msgspec.json.decode(msgspec.json.encode(document))
    page = rest("GET", "/api/v1/docs")
    assert (200, "text/html; charset=utf-8") == (page.status, page.headers["content-type"])
    assert [] == gateway.asked
    refused = rest("POST", "/api/v1/docs")
    assert (405, "GET, HEAD") == (refused.status, refused.headers["allow"])


def test_the_page_needs_nothing_from_elsewhere(rest: Request) -> None:
    """No script, no address of another host, and a policy that allows its own style alone."""
    page = rest("GET", "/api/v1/docs")
    text = page.body.decode()
    assert not re.search(r"<script|<link|<img|<iframe|\son\w+=|@import|url\(|https?://", text)
    (style,) = re.findall(r"<style>(.*)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-" + digest + "';")
    assert "unsafe" not in policy


def test_the_page_shows_every_endpoint_and_type(rest: Request, document: dict[str, Any]) -> None:
    """All links lead to something on it, or to the document."""
    text = rest("GET", "/api/v1/docs").body.decode()
    for route in TABLE.routes:
        assert f"<code>{route.method} /api/v1/{route.pattern}</code>" in text
    targets = set(re.findall(r' id="([^"]+)"', text))
    assert {"openapi.json"} == {link for link in re.findall(r'href="([^"]+)"', text) if link[1:] not in targets}


def fields_of(kind: type) -> set[tuple[type, str]]:
    """The fields of a struct and of those in it, each with the struct that has it."""
    found: set[tuple[type, str]] = set()
    pending: list[Any] = [msgspec.inspect.type_info(kind)]
    while pending:
        one = pending.pop()
        if isinstance(one, msgspec.inspect.StructType):
            found |= {(one.cls, field.name) for field in one.fields}
            pending += [field.type for field in one.fields]
        pending += getattr(one, "types", ())
        pending += [one.item_type] if isinstance(one, msgspec.inspect.ListType) else []
    return found


@pytest.mark.parametrize(
    "route",
    [route for route in TABLE.routes if route.repeatable and route.response not in (Raw, Nothing)],
    ids=lambda route: f"{route.method} {route.pattern}",
)
def test_what_is_shown_once_is_never_kept_for_a_repeat(route: Route) -> None:
    """A field that holds a token says so, in the type that has it."""
    for kind, name in fields_of(route.response):
        if name in SHOWN_ONCE:
            assert issubclass(kind, ShownOnce)
            assert name in kind.once
