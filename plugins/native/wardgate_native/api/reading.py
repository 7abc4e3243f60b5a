"""Reads what a request carries: headers, credential, namespace, query and body, each strictly."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec
from wardgate.spi import http, strict_json
from wardgate.spi.errors import Malformed
from wardgate.spi.identity import Credential
from wardgate.spi.options import nearest

from wardgate_native.api.routing import Nothing, Raw, Route

_SINGLE = frozenset({
    b"authorization", b"content-type", b"idempotency-key", b"if-match", b"if-none-match", b"x-vault-token",
    b"x-wardgate-namespace",
})  # fmt: skip
# The validator's sentences.
_UNKNOWN_FIELD = re.compile(r"Object contains unknown field `(?P<name>[^`]*)`")
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]*)`")
_SHAPE = re.compile(
    r"Expected `(?P<types>[a-z |]+)`(?: (?P<bound>of length [<>]?=? ?\d+|[<>]=? \d+))?(?:, got `[a-z]+`)?"
)
_WORDS = {
    "int": "a whole number", "float": "a number", "str": "text", "bool": "true or false", "array": "a list",
    "object": "an object", "null": "null",
}  # fmt: skip
_MOMENT = "must be a time with its offset, such as 2026-12-24T18:00:00+01:00"


def headers(raw: http.Headers) -> dict[str, str]:
    """The headers by lower-case name. Raises Malformed when one that must be single stands twice."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in http.by_name(raw, _SINGLE).items()}


def credential(given: Mapping[str, str]) -> Credential | None:
    """The token of ``Authorization: Bearer`` or ``X-Vault-Token``. Raises Malformed when both differ."""
    return http.credential(given.get("x-vault-token", ""), given.get("authorization", ""))


def check_conditions(given: Mapping[str, str], honoured: Sequence[str]) -> bool:
    """Whether the request is conditional. Raises Malformed for a condition that would be ignored."""
    conditions = [name for name in ("if-match", "if-none-match") if name in given]
    for name in conditions:
        if name not in honoured:
            raise Malformed(f"this request does not honour {name.title()}; leave it out")
    return bool(conditions)


def namespace(given: Mapping[str, str]) -> str:
    """The canonical path of ``X-Wardgate-Namespace``; ``""`` is the root. Raises Malformed."""
    return http.namespace(given.get("x-wardgate-namespace", "").encode("latin-1"))


def query(raw: bytes, into: type[msgspec.Struct] | None) -> Any:
    """The query string as an instance of ``into`` (None: there must be none).

    Raises:
        Malformed: not UTF-8, a name twice, an unknown name (with the nearest right one), a wrong value.
    """
    given: dict[str, str] = {}
    for part in raw.split(b"&") if raw else ():
        name, _, text = part.partition(b"=")
        key = _decoded(name)
        if key in given:
            raise Malformed("a query parameter stands twice")
        given[key] = _decoded(text)
    names: tuple[str, ...] = into.__struct_encode_fields__ if into else ()
    for key in given:
        if key not in names:
            raise Malformed(f"unknown query parameter {key!r}{nearest(key, names)}")
    if into is None:
        return None
    try:
        return _convert(given, into, strict=False)
    except Malformed as error:
        raise Malformed(error.message.removeprefix("$.")) from None


def _decoded(part: bytes) -> str:
    try:
        return unquote_to_bytes(part.replace(b"+", b" ")).decode("utf-8", errors="strict")
    except UnicodeDecodeError:
        raise Malformed("the query string is not UTF-8") from None


def decode(data: bytes, given: Mapping[str, str], route: Route) -> Any:
    """The body as the route wants it: nothing, raw bytes, or an instance of a struct.

    Raises:
        Malformed: a body where none is taken, not JSON, unknown fields (with the nearest right name), wrong types.
    """
    into = route.request
    if into is Raw:
        return data
    if into is Nothing:
        if data:
            raise Malformed("this request takes no body")
        return None
    media_type = given.get("content-type", "application/json").partition(";")[0].strip().lower()
    if data and media_type != "application/json":
        raise Malformed("the body must be JSON: send Content-Type: application/json")
    read = route.decode
    if read is not None:
        return _told(lambda: read(data or b"{}"), into)
    decoded = strict_json.loads(data) if data else {}
    if not isinstance(decoded, dict):
        raise Malformed("the body must be a JSON object")
    return _convert(decoded, into, strict=True)


def _convert(given: object, into: type, *, strict: bool) -> Any:
    return _told(lambda: msgspec.convert(given, into, strict=strict), into)


def _told(read: Callable[[], Any], into: type) -> Any:
    """What ``read`` gives. Raises Malformed for what msgspec finds wrong."""
    try:
        return read()
    except msgspec.ValidationError as error:
        why = _explain(str(error), into)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        why = "the body is not valid JSON"
    raise Malformed(why)  # outside of the handler: what was caught may hold the body


def _explain(message: str, into: type) -> str:
    """What was wrong and where, in our words, from msgspec's where those name types and places, never a value."""
    wrong, _, at = message.partition(" - at ")
    place = at.strip("`")
    said = _said(wrong, place, into)
    return f"{place}: {said}" if place else said


def _said(wrong: str, place: str, into: type) -> str:
    if unknown := _UNKNOWN_FIELD.fullmatch(wrong):
        return f"unknown field {unknown['name']!r}{nearest(unknown['name'], _fields(into))}"
    if missing := _MISSING.fullmatch(wrong):
        return f"{missing['name']!r} is missing"
    if "datetime" in wrong:
        return _MOMENT
    if shape := _SHAPE.fullmatch(wrong):
        types = " or ".join(_WORDS.get(name, name) for name in shape["types"].split(" | "))
        return f"must be {types}{' ' + shape['bound'] if shape['bound'] else ''}"
    if wrong.startswith("Invalid enum value") and (names := _choices(into, place)):
        return f"must be one of {', '.join(names)}"
    return "a value is not accepted"


def _choices(into: type, place: str) -> list[str]:
    """The names that the enumeration at a place allows; none where the place is not found."""
    found: Any = msgspec.inspect.type_info(into)
    for step in re.findall(r"\.\w+|\[", place):
        if isinstance(found, msgspec.inspect.ListType):
            found = found.item_type
        elif isinstance(found, msgspec.inspect.StructType):
            found = next((field.type for field in found.fields if f".{field.encode_name}" == step), None)
    return [one.value for one in found.cls] if isinstance(found, msgspec.inspect.EnumType) else []


def _fields(into: type) -> set[str]:
    """The names of all fields of a struct and of the structs in it."""
    names: set[str] = set()
    pending: list[Any] = [msgspec.inspect.type_info(into)]
    while pending:
        found = pending.pop()
        if isinstance(found, msgspec.inspect.StructType):
            names.update(field.encode_name for field in found.fields)
            pending.extend(field.type for field in found.fields)
        elif isinstance(found, msgspec.inspect.ListType):
            pending.append(found.item_type)
        elif isinstance(found, msgspec.inspect.UnionType):
            pending.extend(found.types)
    return names
