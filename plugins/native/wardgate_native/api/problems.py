"""Errors of the closed list as RFC 9457 problem documents: the one table from ours to this wire."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
from wardgate.spi import errors
from wardgate.spi.errors import Gone, RateLimited, WardgateError

from wardgate_native.api.wire import Answer, rfc3339

STATUS: dict[type[WardgateError], tuple[int, str]] = {
    errors.SecretNotFound: (404, "Not found"),
    errors.VersionNotFound: (404, "No such version"),
    errors.Gone: (410, "The version is gone"),
    errors.AlreadyExists: (409, "It exists already"),
    errors.Conflict: (409, "Conflict"),
    errors.PreconditionRequired: (428, "A compare-and-set is required"),
    errors.InvalidValue: (422, "The value is not accepted"),
    errors.TooLarge: (413, "Too large"),
    errors.Malformed: (400, "The request cannot be read"),
    errors.Unsupported: (422, "Not supported here"),
    errors.PermissionDenied: (403, "Permission denied"),
    errors.Unauthenticated: (401, "A valid credential is needed"),
    errors.RateLimited: (429, "Too many requests"),
    errors.Unavailable: (503, "Unavailable"),
    errors.OutcomeUnknown: (502, "The outcome is unknown"),
    errors.Sealed: (503, "Sealed"),
}
PROBLEM = "application/problem+json"
_UNKNOWN = (500, "Internal error")
_METHOD_NOT_ALLOWED = 405
_PRECONDITION_FAILED = 412


class GoneVersion(msgspec.Struct, kw_only=True):
    """What is known of a version that cannot be read any more."""

    id: str
    ordinal: int
    state: str
    deleted_at: str | None
    expires_at: str | None


class Problem(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An RFC 9457 problem document. ``code`` is stable; ``detail`` is for people; of a batch, items have no id."""

    type: str
    title: str
    status: int
    code: str
    request_id: str = ""
    detail: str = ""
    version: GoneVersion | None = None


def document(
    error: WardgateError, request_id: str = "", *, status: int | None = None, conditional: bool = False
) -> Problem:
    """The problem document of an error; the arguments are those of :func:`problem`."""
    found, title = STATUS.get(type(error), _UNKNOWN)
    if conditional and isinstance(error, errors.Conflict):
        found = _PRECONDITION_FAILED
    return Problem(
        type=f"urn:wardgate:problem:{error.code}",
        title=title,
        status=status or found,
        code=error.code,
        request_id=request_id,
        detail=error.message,
        version=_gone(error),
    )


def problem(
    error: WardgateError,
    request_id: str,
    *,
    status: int | None = None,
    allow: Sequence[str] = (),
    conditional: bool = False,
) -> Answer:
    """The answer for an error.

    Args:
        error: one of the closed list.
        request_id: the arrival's id.
        status: in place of the table's, where no endpoint matched.
        allow: the methods to name in a 405.
        conditional: the request had If-Match or If-None-Match, so a conflict is a failed precondition.
    """
    body = document(error, request_id, status=status, conditional=conditional)
    found = body.status
    headers: list[tuple[str, str]] = []
    if isinstance(error, errors.Unauthenticated):
        headers.append(("www-authenticate", 'Bearer realm="wardgate"'))
    if isinstance(error, RateLimited) and error.retry_after is not None:
        headers.append(("retry-after", str(math.ceil(error.retry_after))))
    if found == _METHOD_NOT_ALLOWED:
        headers.append(("allow", ", ".join(allow)))
    return Answer(body, found, PROBLEM, tuple(headers))


def _gone(error: WardgateError) -> GoneVersion | None:
    if not isinstance(error, Gone) or error.info is None:
        return None
    info = error.info
    return GoneVersion(
        id=info.id,
        ordinal=info.ordinal,
        state=info.state.value,
        deleted_at=rfc3339(info.deleted_at),
        expires_at=rfc3339(info.expires_at),
    )
