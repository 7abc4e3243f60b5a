"""One request to the server and its answer, freed of everything that could carry a value into an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
import urllib3
import urllib3.exceptions
from wardgate.spi.deadline import current
from wardgate.spi.errors import InvalidValue, WardgateError, unclear, wait_told

from wardgate_vault import errors

PIECE = 65_536
MAX_PIECES = 20_000
"""Parts an answer may come in: each costs the gateway more than its sender."""


class Bounds(NamedTuple):
    """Longest answer that is read (bytes), and most marks (commas, brackets, braces) in one that is decoded."""

    size: int
    marks: int


ANSWER = Bounds(2 * 1024 * 1024, 150_000)
"""Room for the largest entry of a server, and for whatever of the largest value the gateway writes is a mark."""
LIST = Bounds(16 * 1024 * 1024, 300_000)
NOTHING: Mapping[str, Any] = MappingProxyType({})
Call = Callable[..., urllib3.BaseHTTPResponse]
"""One of hvac's, made with an adapter of ours."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a JSON object. ``body`` is empty for an empty or unreadable answer. Never shown by ``repr``."""

    status: int
    body: Mapping[str, Any] = field(repr=False)
    retry_after: float | None = None

    @property
    def ok(self) -> bool:
        """Whether the server did what was asked."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def acknowledges(self) -> bool:
        """Whether it is this API's answer to a change: empty, or with the id that the server gives each request.

        A page that somebody on the way answers with, such as a proxy's login, is a 200 too.
        """
        return self.status == HTTPStatus.NO_CONTENT or isinstance(self.body.get("request_id"), str)

    @property
    def absent(self) -> bool:
        """Whether there is no such secret, version or folder: the engine says so without a word of explanation.

        Any other 404 is a wrong mount's, or somebody's on the way.
        """
        silent = self.body.get("errors") == [] or "data" in self.body
        return self.status == HTTPStatus.NOT_FOUND and silent

    @contextmanager
    def understood(self, *, mutates: bool = False) -> Iterator[None]:
        """What fails in here fails because the answer is not what this server's API promises."""
        try:
            yield
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, InvalidValue):
            raise unclear("the store's answer could not be understood", mutates=mutates) from None

    def error(self, *, mutates: bool) -> WardgateError:
        """The error this answer stands for."""
        lines = self.body.get("errors") or []
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            return unclear("the store's answer could not be understood", mutates=mutates)
        words = " ".join(lines)
        return errors.of_answer(self.status, words, mutates=mutates, retry_after=self.retry_after)


def exchange(
    call: Call,
    *args: object,
    mutates: bool = False,
    bounds: Bounds = ANSWER,
    **named: object,
) -> Answer:
    """Make one of hvac's calls and read its answer.

    Raises:
        WardgateError: there was no answer. It is raised outside every handler: no request or response hangs on it.
    """
    # The heads of an answer, and of its chunks, are bytes too.
    current().allow(2 * bounds.size)
    try:
        response = call(*args, **named)
        content = _content(response, bounds.size)
    except (urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError) as problem:
        error = errors.of_exception(problem, mutates=mutates)
    else:
        if content is not None and _marks(content) <= bounds.marks:
            return Answer(response.status, _body(content), wait_told(response.headers.get("Retry-After")))
        error = unclear("the store's answer is too long", mutates=mutates)
    raise error


def _content(response: urllib3.BaseHTTPResponse, size: int) -> bytes | None:
    content = bytearray()
    try:
        for count, piece in enumerate(response.stream(PIECE, decode_content=False)):
            content += piece
            if len(content) > size or count > MAX_PIECES:
                return None
    finally:
        # What was read whole has given its connection back by now; of the rest, its place in the pool is.
        response.close()
        response.release_conn()
    return bytes(content)


def _marks(content: bytes) -> int:
    # Decoding holds up every thread: an answer is measured by what it would become before it is.
    return content.count(b",") + content.count(b"[") + content.count(b"{") + content.count(b"]") + content.count(b"}")


def _body(content: bytes) -> Mapping[str, Any]:
    try:
        body = msgspec.json.decode(content)
    except (ValueError, RecursionError):
        return NOTHING
    return body if isinstance(body, dict) else NOTHING
