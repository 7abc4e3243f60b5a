"""One request to the server and its answer, freed of everything that could carry a value into an error."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import requests
import urllib3.exceptions
from wardgate.spi.errors import WardgateError

from wardgate_vault import errors

MAX_ANSWER_BYTES = 32 * 1024 * 1024
"""Longest answer that is read: room for a folder of half a million names."""
NOTHING: Mapping[str, Any] = MappingProxyType({})


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
        except (KeyError, TypeError, ValueError, AttributeError):
            raise errors.unclear("the store's answer could not be understood", mutates=mutates) from None

    def error(self, *, mutates: bool) -> WardgateError:
        """The error this answer stands for."""
        words = " ".join(str(line) for line in self.body.get("errors") or ())
        return errors.of_answer(self.status, words, mutates=mutates, retry_after=self.retry_after)


def exchange(call: Callable[..., requests.Response], *args: object, mutates: bool = False, **named: object) -> Answer:
    """Make one of hvac's calls and read its answer.

    Raises:
        WardgateError: there was no answer. It is raised outside every handler: no request or response hangs on it.
    """
    try:
        # The session streams, so that what is read here is all that is ever held.
        with call(*args, **named) as response:
            content = response.raw.read(MAX_ANSWER_BYTES + 1, decode_content=True)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as problem:
        error = errors.of_exception(problem, mutates=mutates)
    else:
        if len(content) <= MAX_ANSWER_BYTES:
            return Answer(response.status_code, _body(content), _seconds(response.headers.get("Retry-After")))
        error = errors.unclear("the store's answer is too long", mutates=mutates)
    raise error


def _body(content: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return NOTHING
    return body if isinstance(body, dict) else NOTHING


def _seconds(retry_after: str | None) -> float | None:
    return float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else None
