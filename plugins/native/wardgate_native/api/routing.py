"""The declarative table of endpoints: what each takes, what it asks of the gateway, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from wardgate.spi.errors import Unsupported, WardgateError
from wardgate.spi.frontend import Outcome, Wrap
from wardgate.spi.operations.base import Operation
from wardgate.spi.path import ROOT, Path

from wardgate_native.api.wire import Answer


class Nothing:
    """As a route's ``request``: the endpoint takes no body."""


class Raw:
    """As a route's ``request`` or ``response``: the bytes of a value, in its own media type."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, read and checked against its route.

    ``path`` is what the pattern's capture matched (``ROOT`` without one); ``body`` and ``query`` are instances of
    the structs the route declares; ``headers`` have lower-case names.
    """

    path: Path
    query: Any
    body: Any = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One endpoint, and all that its documentation says. ``pattern`` is below ``/api/v1/``, with at most one capture.

    ``{name}`` matches one segment, ``{path}`` one or more, and ``{folder}`` any number with an optional last slash.
    ``operation`` translates the call and raises one of the closed list where it cannot; ``answer`` translates back.
    ``request``, ``response``, ``query``: the types of what comes and goes. ``media_types`` of the request;
    ``decode`` reads a body faster than the usual way, and as strictly. ``headers``: names of those the answer has.
    ``conditions``: which of ``if-match`` and ``if-none-match`` it honours; one it would ignore is refused.
    ``status`` of a success; None: 200, or 204 where there is no response. ``errors``: those it has beside the usual.
    ``changes``: whether it changes anything; None: unless it is a GET. ``anonymous``: it needs no credential.
    ``wrap``: how the answer is kept instead of given, where that is what the endpoint is for.
    ``other_answers``: types of answers with another status that are no problems.
    """

    method: str
    pattern: str
    summary: str
    operation: Callable[[Call], Operation[Any]]
    answer: Callable[[Outcome[Any]], Answer]
    request: type = Nothing
    response: type = Nothing
    query: type[msgspec.Struct] | None = None
    conditions: tuple[str, ...] = ()
    media_types: tuple[str, ...] = ("application/json",)
    decode: Callable[[bytes], Any] | None = None
    headers: tuple[str, ...] = ()
    status: int | None = None
    errors: tuple[type[WardgateError], ...] = ()
    changes: bool | None = None
    anonymous: bool = False
    wrap: Callable[[Call], Wrap] | None = None
    other_answers: Mapping[int, type] = field(default_factory=dict)

    @property
    def success(self) -> int:
        """The status of its answer."""
        return self.status or (204 if self.response is Nothing else 200)

    @property
    def mutates(self) -> bool:
        """Whether it changes anything."""
        return self.method != "GET" if self.changes is None else self.changes

    @property
    def repeatable(self) -> bool:
        """Whether it honours an Idempotency-Key; the keys are a principal's own, and no value is ever kept."""
        return self.mutates and not self.anonymous and self.wrap is None and self.response is not Raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A page about this API, the same for everyone: it says what the code is, and nothing of any installation."""

    pattern: str
    summary: str
    media_type: str
    answer: Callable[[], Answer]
    method: str = "GET"


class NoSuchEndpoint(Exception):
    """No route: ``status`` 404, or 405 with the methods there are."""

    def __init__(self, error: WardgateError, status: int, allow: Sequence[str] = ()) -> None:
        super().__init__(error.message)
        self.error = error
        self.status = status
        self.allow = tuple(allow)


class _Endpoint:
    """The routes of one pattern, by method."""

    def __init__(self, pattern: str) -> None:
        self.segments = tuple(segment.encode() for segment in pattern.split("/"))
        self.capture = next((i for i, s in enumerate(self.segments) if s.startswith(b"{")), None)
        self.kind = self.segments[self.capture][1:-1] if self.capture is not None else b""
        self.routes: dict[str, Route | Document] = {}

    def captured(self, raw: Sequence[bytes]) -> bytes | None:
        """The raw bytes the capture stands for (b"" without one), or None when ``raw`` does not fit."""
        if self.capture is None:
            return b"" if tuple(raw) == self.segments else None
        after = len(self.segments) - self.capture - 1
        least = 0 if self.kind == b"folder" else 1
        if len(raw) < self.capture + least + after or tuple(raw[: self.capture]) != self.segments[: self.capture]:
            return None
        end = len(raw) - after
        if tuple(raw[end:]) != self.segments[self.capture + 1 :]:
            return None
        if self.kind == b"name" and end - self.capture != 1:
            return None
        return b"/".join(raw[self.capture : end])

    def path(self, raw: bytes) -> Path:
        """The canonical path of a capture. Raises Malformed."""
        if self.capture is None:
            return ROOT
        if self.kind == b"folder":
            raw = raw.removesuffix(b"/")
            return Path.from_raw(raw) if raw else ROOT
        return Path.from_raw(raw)


class Table:
    """All endpoints, looked up by method and raw path. ``endpoints``: the method and pattern of each."""

    def __init__(self, routes: Iterable[Route], documents: Iterable[Document] = ()) -> None:
        self.routes = tuple(routes)
        self.documents = tuple(documents)
        self._by_first: dict[bytes, list[_Endpoint]] = {}
        known: dict[str, _Endpoint] = {}
        both: tuple[Route | Document, ...] = (*self.routes, *self.documents)
        self.endpoints = tuple((route.method, route.pattern) for route in both)
        for route in both:
            endpoint = known.get(route.pattern)
            if endpoint is None:
                endpoint = known[route.pattern] = _Endpoint(route.pattern)
                self._by_first.setdefault(endpoint.segments[0], []).append(endpoint)
            endpoint.routes[route.method] = route

    def find(self, method: str, raw: bytes) -> tuple[Route | Document, Path]:
        """The route or document for a method and the still encoded path below ``/api/v1/``; of GET for HEAD.

        Raises:
            NoSuchEndpoint: no such pattern, or not with this method.
            Malformed: the captured path is outside the grammar.
        """
        segments = raw.split(b"/")
        for endpoint in self._by_first.get(segments[0], ()):
            captured = endpoint.captured(segments)
            if captured is None:
                continue
            # The answer to HEAD is that of GET, without its body (RFC 9110, 9.3.2).
            route = endpoint.routes.get("GET" if method == "HEAD" else method)
            if route is None:
                allow = {*endpoint.routes, *(["HEAD"] if "GET" in endpoint.routes else [])}
                raise NoSuchEndpoint(Unsupported("this endpoint has no such method"), 405, sorted(allow))
            return route, endpoint.path(captured)
        raise NoSuchEndpoint(Unsupported("there is no such endpoint below /api/v1/"), 404)
