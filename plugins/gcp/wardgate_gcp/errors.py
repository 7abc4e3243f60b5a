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
UNUSABLE_FILE = "the file that 'credentials_file' names holds no usable credential; give a service account's JSON file"
NO_CREDENTIAL = "no usable credential was found; set 'credentials_file', or give the machine an identity"
UNRENEWED = "getting metadata from plugin failed"
"""What gRPC's client says where a token for the request could not be had."""
NONSENSE = "the answer is not one of the store's; check 'endpoint'"
HINDRANCES = {
    "certificate_verify_failed": Hindrance.UNTRUSTED,
    "wrong_version_number": Hindrance.NO_TLS,
    "connection refused": Hindrance.REFUSED,
    "not found": Hindrance.NO_HOST,
    "not known": Hindrance.NO_HOST,
}
"""Words of gRPC's client about a connection that there is not, and what they say was in the way."""


def unrenewed() -> WardgateError:
    """There was no token for a request, which was then not sent."""
    return Unavailable("the gateway's own credential cannot be renewed; check the credentials of this mount")


def unreachable(details: str) -> WardgateError:
    """There is no connection to the service. ``details``: gRPC's words, looked at and left here."""
    said = details.lower()
    for words, obstacle in HINDRANCES.items():
        if words in said:
            return obstacle.told(address="'endpoint'")
    return Unavailable("the store cannot be reached; check 'endpoint' and the network")


def of_status(name: str, *, mutates: bool, retry_after: float | None = None) -> WardgateError:
    """The error a gRPC status stands for, of a request that may have been sent."""
    if name in BY_STATUS:
        kind, message = BY_STATUS[name]
        return RateLimited(message, retry_after=retry_after) if kind is RateLimited else kind(message)
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
