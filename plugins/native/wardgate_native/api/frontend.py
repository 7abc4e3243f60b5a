"""Answers one HTTP request: finds its route, translates it, sends it down the road, and translates back."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

import msgspec
from wardgate.spi import http
from wardgate.spi.errors import Malformed, WardgateError
from wardgate.spi.frontend import ARRIVAL, Arrival, Frontend, Gateway, Outcome, Receive, Repeat, Repeated, Scope, Send
from wardgate.spi.identity import Credential
from wardgate.spi.operations.base import Rejected

from wardgate_native.api import reading, repeats
from wardgate_native.api.problems import problem
from wardgate_native.api.routing import Call, Document, NoSuchEndpoint, Route
from wardgate_native.api.table import TABLE
from wardgate_native.api.wire import Answer, encode_headers, header_text

PREFIX = "/api/v1/"
_PREFIX = PREFIX.encode()
# A value may be HTML; no browser shall ever guess what it is, or keep it; the answer's policy lets none run it.
_ALWAYS = encode_headers((("cache-control", "no-store"), ("x-content-type-options", "nosniff")))
_OK, _NOT_MODIFIED = 200, 304
_encode = msgspec.json.Encoder().encode


class RestFrontend(Frontend):
    """The ASGI application below ``/api/v1/``."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        await _send(send, await self._answer(scope, receive), scope)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        request = _Request()
        try:
            try:
                route, call = await request.read(scope, receive)
                if isinstance(route, Document):
                    return route.answer()
                operation = route.operation(call)
                wrap = route.wrap(call) if route.wrap else None
                repeat = request.repeat(scope, route, call)
            except NoSuchEndpoint as missing:
                return await self._reject(scope, request, missing.error, missing.status, missing.allow)
            except WardgateError as error:
                return await self._reject(scope, request, error)
            outcome = await self._gateway.perform(
                _arrival(scope), operation, credential=request.credential, namespace=request.namespace, wrap=wrap,
                repeat=repeat,
            )  # fmt: skip
            if isinstance(outcome.result, Repeated):
                return repeats.again(outcome.result)
            return _unless_known(_answer_of(route, outcome), call)
        except WardgateError as error:
            return problem(error, _id(scope), conditional=request.conditional)

    async def _reject(
        self, scope: Scope, request: _Request, error: WardgateError, status: int | None = None, allow: Any = ()
    ) -> Answer:
        """Send what could not be translated down the road, so that it is audited; then say what was wrong."""
        arrival = _arrival(scope)
        perform = partial(self._gateway.perform, arrival, credential=request.credential, namespace=request.namespace)
        against = await http.refuse(perform, Rejected(error=error))
        if against is not None:
            return problem(against, _id(scope))
        return problem(error, _id(scope), status=status, allow=allow, conditional=request.conditional)


class _Request:
    """What is known of a request so far; a rejection carries as much of it as was read."""

    def __init__(self) -> None:
        self.credential: Credential | None = None
        self.namespace = ""
        self.conditional = False
        self.body = b""

    async def read(self, scope: Scope, receive: Receive) -> tuple[Route | Document, Call]:
        """Find the route and read all that it declares. Raises one of the closed list, or NoSuchEndpoint."""
        headers = reading.headers(scope["headers"])
        self.credential = reading.credential(headers)
        self.namespace = reading.namespace(headers)
        raw: bytes = scope["raw_path"]
        if not raw.startswith(_PREFIX):
            raise Malformed("the path does not begin with /api/v1/")
        route, path = TABLE.find(scope["method"], raw[len(_PREFIX) :])
        if isinstance(route, Document):
            return route, Call(path, None, None, headers)
        self.conditional = reading.check_conditions(headers, route.conditions)
        query = reading.query(scope.get("query_string", b""), route.query)
        self.body = await http.body(receive)
        return route, Call(path, query, reading.decode(self.body, headers, route), headers)

    def repeat(self, scope: Scope, route: Route, call: Call) -> Repeat | None:
        """What the gateway shall do once, if an Idempotency-Key asks for it. Raises Malformed."""
        if not route.mutates or (key := repeats.key_of(call.headers)) is None:
            return None
        if not route.repeatable:
            raise Malformed("this request does not honour Idempotency-Key; leave it out")
        target = (route.method.encode(), scope["raw_path"], scope.get("query_string", b""))
        return repeats.repeat(key, target, call.headers, self.body, partial(_answer_of, route))


def _arrival(scope: Scope) -> Arrival:
    arrival: Arrival = scope[ARRIVAL]
    return arrival


def _id(scope: Scope) -> str:
    return _arrival(scope).id


def _answer_of(route: Route, outcome: Outcome[Any]) -> Answer:
    """The answer, with headers that say how old it is, and the warnings that came with it."""
    answer = route.answer(outcome)
    status = answer.status or route.success
    if outcome.freshness is None and not outcome.warnings:
        return dataclasses.replace(answer, status=status)
    added = [("x-wardgate-warning", header_text(warning)) for warning in outcome.warnings]
    if outcome.freshness is not None:
        added.append(("age", str(int(outcome.freshness.age))))
        if outcome.freshness.stale:
            added.append(("x-wardgate-stale", "true"))
    return dataclasses.replace(answer, status=status, headers=(*answer.headers, *added))


def _unless_known(answer: Answer, call: Call) -> Answer:
    """A caller that showed the version it has (If-None-Match) is not sent it again."""
    known = call.headers.get("if-none-match")
    if known is None or not isinstance(answer.body, bytes) or not _names(known, dict(answer.headers)["etag"]):
        return answer
    return Answer(None, _NOT_MODIFIED, answer.media_type, answer.headers)


def _names(condition: str, tag: str) -> bool:
    """Whether If-None-Match names that entity tag: a list, compared weakly, or ``*`` (RFC 9110, 13.1.2)."""
    return condition.strip() == "*" or tag in (one.strip().removeprefix("W/") for one in condition.split(","))


async def _send(send: Send, answer: Answer, scope: Scope) -> None:
    body = answer.body if answer.body is None or isinstance(answer.body, bytes) else _encode(answer.body)
    own = (*answer.headers, ("content-security-policy", answer.policy), ("x-request-id", _id(scope)))
    headers = [*_ALWAYS, *encode_headers(own)]
    if answer.body is not None:
        headers.append((b"content-type", answer.media_type.encode("latin-1")))
    await http.answer(send, answer.status or _OK, headers, body, head=scope["method"] == "HEAD")
