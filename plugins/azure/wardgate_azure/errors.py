"""The one table from what a Key Vault does to the closed list; no word of the vault's passes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from wardgate.spi.connecting import hindrance
from wardgate.spi.errors import (
    ABSENT,
    Conflict,
    Gone,
    InvalidValue,
    PermissionDenied,
    RateLimited,
    SecretNotFound,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unsupported,
    WardgateError,
    unclear,
    wait_told,
)

DELETED = "the secret is deleted and can be recovered; undelete or destroy it first"
DISABLED = "the version is disabled in the store"
NONSENSE = "the answer is not one of the store's; check 'vault_url'"
ANOTHER_DOMAIN = (
    "the vault names a resource of another domain, and is given no token; check 'vault_url': it must be the vault's own"
    " name, such as https://example.vault.azure.net, or a 'ca_file' be given"
)
ANOTHER_RESOURCE = (
    "the vault names a resource that is not Key Vault's, and is given no token of the gateway's own; check 'vault_url',"
    " or give the mount a credential of its own"
)
Row = tuple[Callable[[str], WardgateError], str]

BY_CODE: Mapping[str, Row] = {
    "SecretNotFound": (SecretNotFound, ABSENT),
    "SecretDisabled": (Gone, DISABLED),
    "ObjectIsDeletedButRecoverable": (Gone, DELETED),
    "NotSupported": (Unsupported, "the store does not do this"),
    "ObjectIsBeingDeleted": (Unavailable.of_one, "the store is still deleting this secret; try again"),
    "ObjectIsBeingRecovered": (Unavailable.of_one, "the store is still recovering this secret; try again"),
    "ForbiddenByFirewall": (Unavailable, "the store's firewall does not let the gateway in"),
}
"""The inner code where there is one, else the code: they tell the 403s, 404s and 409s apart."""

BY_STATUS: Mapping[int, Row] = {
    400: (InvalidValue, "the store refused the request as invalid"),
    401: (Unauthenticated, "the store does not accept the gateway's own credential"),
    403: (PermissionDenied, "the store does not allow the gateway's own credential to do this"),
    404: (Unavailable, "there is no vault where this mount is configured; check 'vault_url'"),
    405: (Unsupported, "the store does not do this"),
    409: (Conflict, "two changes of the secret met; nothing was changed by this one"),
    413: (TooLarge, "the store refused the request as too large"),
    429: (RateLimited, "the store asks for fewer requests; try again later"),
}
"""Statuses that say for certain that nothing was changed."""


class AnotherServer(Exception):
    """What answered is no vault."""


def of(problem: Exception, *, mutates: bool) -> WardgateError:
    """The error that an exception of the SDK stands for; the login's own pass as they are."""
    from azure.core.exceptions import HttpResponseError  # noqa: PLC0415  # slow to import

    if isinstance(problem, WardgateError):
        return problem
    if isinstance(problem, AnotherServer):
        return unclear(NONSENSE, mutates=mutates)
    status = getattr(problem, "status_code", None)
    if isinstance(problem, HttpResponseError) and status is not None:
        return _of_answer(status, problem.response, mutates=mutates)
    inner = getattr(problem, "inner_exception", None)
    unsent = _unsent(problem, inner)
    if unsent is not None:
        return unsent
    if isinstance(problem, TimeoutError) or isinstance(inner, TimeoutError):
        return unclear("the store did not answer in time", mutates=mutates)
    return unclear("the connection to the store broke", mutates=mutates)


def _unsent(problem: Exception, inner: object) -> Unavailable | None:
    """Of what surely never left: the SDK says "no request was sent" of connections that broke after it was, too."""
    from aiohttp import ClientConnectorError, ConnectionTimeoutError  # noqa: PLC0415  # slow to import

    obstacle = hindrance(problem)
    if obstacle is not None:
        return obstacle.told(address="'vault_url'")
    if isinstance(inner, ClientConnectorError | ConnectionTimeoutError):
        return Unavailable("the store cannot be reached; check 'vault_url' and the way there")
    if isinstance(problem, ValueError) and "challenge" in str(problem):  # the SDK has no type of its own for it
        return Unavailable(ANOTHER_DOMAIN)
    return None


def of_login(problem: Exception) -> WardgateError:
    """The error that a login which gave no token stands for; the vault was not asked."""
    from azure.core.exceptions import ClientAuthenticationError  # noqa: PLC0415  # slow to import

    status = getattr(problem, "status_code", None)
    if status is None and isinstance(problem, ClientAuthenticationError):
        # The default chain does not tell why each of its credentials failed.
        return Unauthenticated("no credential that the gateway found was given a token by the store's login")
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return Unauthenticated("the login to the store does not accept the gateway's own credential")
    obstacle = hindrance(problem)
    if obstacle is not None:
        return obstacle.told(
            what="the login to the store",
            address="the way there, and AZURE_AUTHORITY_HOST where it is set",
            authority="the file that SSL_CERT_FILE names",
        )
    return Unavailable("the login to the store does not answer; try again")


def _of_answer(status: int, response: Any, *, mutates: bool) -> WardgateError:
    row = BY_CODE.get(_code(response)) if status in BY_STATUS else None
    row = row or BY_STATUS.get(status)
    if row is None:
        return unclear(f"the store answered with status {status}", mutates=mutates)
    kind, message = row
    return (
        RateLimited(message, retry_after=wait_told(response.headers.get("Retry-After")))
        if kind is RateLimited
        else kind(message)
    )


def _code(response: Any) -> str:
    """The innermost code of an error body; it is looked at and left here."""
    try:
        error = json.loads(response.text())["error"]
        inner = error.get("innererror") or error.get("innerError") or {}
        return str(inner.get("code") or error.get("code"))
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""
