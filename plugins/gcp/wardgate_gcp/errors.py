"""The one table from what Google Secret Manager answers to the closed list; no word of the service's passes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wardgate.spi.connecting import Hindrance
from wardgate.spi.errors import (
    ABSENT,
    AlreadyExists,
    Conflict,
    InvalidValue,
    PermissionDenied,
    RateLimited,
    SecretNotFound,
    Unauthenticated,
    Unavailable,
    Unsupported,
    WardgateError,
    unclear,
)

BY_STATUS: Mapping[str, tuple[type[WardgateError], str]] = {
    "INVALID_ARGUMENT": (InvalidValue, "the store refused the request as invalid"),
    "OUT_OF_RANGE": (InvalidValue, "the store refused the request as invalid"),
    "UNAUTHENTICATED": (Unauthenticated, "the store does not accept the gateway's own credential"),
    "PERMISSION_DENIED": (PermissionDenied, "the store does not allow the gateway's own credential to do this"),
    "NOT_FOUND": (SecretNotFound, ABSENT),
    "ALREADY_EXISTS": (AlreadyExists, "a secret of that path is there already"),
    "FAILED_PRECONDITION": (Conflict, "the secret is not in a state that allows this"),
    "ABORTED": (Conflict, "the secret was changed meanwhile; try again"),
    "RESOURCE_EXHAUSTED": (RateLimited, "the store asks for fewer requests; try again later"),
    "UNIMPLEMENTED": (Unsupported, "the store does not do this"),
}
"""Statuses that say for certain that nothing was changed. All others say nothing certain."""
UNRENEWED = "getting metadata from plugin failed"
NEVER_SENT = ("failed to connect", "errors resolving", "dns resolution failed", "name resolution", UNRENEWED)
"""What tells an UNAVAILABLE of the client itself, which sent nothing, from one of the service or of a broken
connection."""
HINDRANCES = {
    "certificate_verify_failed": Hindrance.UNTRUSTED,
    "wrong_version_number": Hindrance.NO_TLS,
    "connection refused": Hindrance.REFUSED,
    "not found": Hindrance.NO_HOST,
    "not known": Hindrance.NO_HOST,
}
"""Words of a request that was never sent, and what they say was in the way."""


def unsent(details: str) -> bool:
    """Whether the words of an UNAVAILABLE tell that the request was never sent."""
    return any(words in details.lower() for words in NEVER_SENT)


def of_status(name: str, details: str, *, mutates: bool, retry_after: float | None = None) -> WardgateError:
    """The error a gRPC status stands for. ``details``: its words, looked at and left here."""
    if name in BY_STATUS:
        kind, message = BY_STATUS[name]
        return RateLimited(message, retry_after=retry_after) if kind is RateLimited else kind(message)
    if name == "UNAVAILABLE" and unsent(details):
        said = details.lower()
        if UNRENEWED in said:
            return Unavailable("the gateway's own credential cannot be renewed; check the credentials of this mount")
        for words, obstacle in HINDRANCES.items():
            if words in said:
                return obstacle.told(address="'endpoint'")
        return Unavailable("the store cannot be reached; check 'endpoint' and the network")
    if name == "DEADLINE_EXCEEDED":
        return unclear("the store did not answer in time", mutates=mutates)
    return unclear("the store failed, or the connection to it broke", mutates=mutates)


def retry_after(details: Any) -> float | None:
    """The seconds a RetryInfo among a status's details tells."""
    for detail in details or ():
        delay = getattr(detail, "retry_delay", None)
        if delay is not None:
            return float(delay.seconds) + float(delay.nanos) / 1e9
    return None
