"""The one table from what a Vault or OpenBao server does to the closed list; no word of the server's passes on."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import urllib3.exceptions
from wardgate.spi.connecting import causes, hindrance
from wardgate.spi.errors import (
    Conflict,
    InvalidValue,
    PermissionDenied,
    PreconditionRequired,
    RateLimited,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unsupported,
    WardgateError,
    unclear,
)

BY_STATUS: Mapping[int, tuple[type[WardgateError], str]] = {
    400: (InvalidValue, "the store refused the request as invalid"),
    401: (Unauthenticated, "the store does not accept the gateway's own credential"),
    403: (PermissionDenied, "the store does not allow the gateway's own credential to do this"),
    404: (Unavailable, "the store has nothing at the mount and namespace configured here"),
    405: (Unsupported, "the store does not do this"),
    412: (Unavailable, "this node of the store has not caught up yet; try again"),
    413: (TooLarge, "the store refused the request as too large"),
    429: (RateLimited, "the store asks for fewer requests; try again later"),
}
"""Statuses that say for certain that nothing was changed. A 404 for what is merely absent never comes here."""

BY_WORDS: Mapping[str, tuple[type[WardgateError], str]] = {
    "check-and-set parameter did not match": (Conflict, "the current version is not the expected one"),
    "check-and-set parameter required": (PreconditionRequired, "this secret accepts only compare-and-set writes"),
    "Upgrading from non-versioned": (Unavailable, "the store's engine is being set up; try again"),
}
"""What tells the 400s apart."""

NEVER_SENT = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
TIMED_OUT = (TimeoutError, urllib3.exceptions.ReadTimeoutError)


def of_answer(status: int, errors: str, *, mutates: bool, retry_after: float | None = None) -> WardgateError:
    """The error an answer stands for. ``errors``: the server's own words, looked at and left here."""
    if status == HTTPStatus.BAD_REQUEST:
        for words, (kind, message) in BY_WORDS.items():
            if words in errors:
                return kind(message)
    if status not in BY_STATUS:
        # A redirect, a sealed or failing server, a proxy's own page.
        return unclear(f"the store answered with status {status}", mutates=mutates)
    kind, message = BY_STATUS[status]
    return RateLimited(message, retry_after=retry_after) if kind is RateLimited else kind(message)


def of_exception(problem: Exception, *, mutates: bool) -> WardgateError:
    """The error of an exchange that brought no answer: was the request ever sent?"""
    obstacle = hindrance(problem)
    if obstacle is not None:
        return obstacle.told(address="'address'")
    found = causes(problem)
    if any(isinstance(cause, NEVER_SENT) for cause in found):
        return Unavailable("the store cannot be reached; check 'address' and the way there")
    if any(isinstance(cause, TIMED_OUT) for cause in found):
        return unclear("the store did not answer in time", mutates=mutates)
    return unclear("the connection to the store broke", mutates=mutates)
