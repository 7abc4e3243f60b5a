"""The closed list of errors in Vault's statuses and words: the one table of this edge."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from wardgate.spi import errors
from wardgate.spi.errors import RateLimited, WardgateError
from wardgate.spi.operations.base import Action, Rejected
from wardgate.spi.path import ROOT, Path

from wardgate_vault.api.envelope import Answer, one_error, refusal

NOT_FOUND = refusal(404)
UNSUPPORTED = "unsupported operation"


def _said(status: int) -> Callable[[WardgateError], Answer]:
    return lambda error: refusal(status, error.message)


def _always(answer: Answer) -> Callable[[WardgateError], Answer]:
    return lambda _: answer


def _rate_limited(error: WardgateError) -> Answer:
    seconds = error.retry_after if isinstance(error, RateLimited) else None
    headers = () if seconds is None else ((b"retry-after", b"%d" % math.ceil(seconds)),)
    return refusal(429, error.message or "request path is rate limited", headers=headers)


_ANSWERS: Mapping[type[WardgateError], Callable[[WardgateError], Answer]] = {
    errors.SecretNotFound: _always(NOT_FOUND),
    errors.VersionNotFound: _always(NOT_FOUND),
    errors.Gone: _always(NOT_FOUND),
    errors.AlreadyExists: _said(400),
    errors.Conflict: _always(refusal(400, "check-and-set parameter did not match the current version")),
    errors.PreconditionRequired: _always(refusal(400, "check-and-set parameter required for this call")),
    errors.InvalidValue: _said(400),
    errors.TooLarge: _said(413),
    errors.Malformed: _said(400),
    errors.Unsupported: lambda error: one_error(405, UNSUPPORTED, *filter(None, (error.message,))),
    errors.PermissionDenied: _always(one_error(403, "permission denied")),
    errors.Unauthenticated: _always(refusal(403, "permission denied")),
    errors.RateLimited: _rate_limited,
    errors.Unavailable: _said(503),
    errors.OutcomeUnknown: _said(500),
    errors.Sealed: _always(refusal(503, "Vault is sealed")),
}


def answer(error: WardgateError) -> Answer:
    """How Vault would say it."""
    return _ANSWERS[type(error)](error)


class Refused(Exception):  # an answer, not a defect
    """A request that could not be translated: what enters the road in its place, and what the caller is told.

    With an ``action``, identity and policy are asked first, so that only who may act there learns more than a 403.
    """

    def __init__(
        self, error: WardgateError, said: Answer | None = None, *, action: Action | None = None, path: Path = ROOT
    ) -> None:
        super().__init__()
        self.error = error
        self.said = said or answer(error)
        self.action = action
        self.path = path

    def operation(self) -> Rejected:
        """What enters the road."""
        kind = Rejected if self.action is None else _REJECTED[self.action]
        return kind(path=self.path, error=self.error)


@contextmanager
def refusing(action: Action | None, path: Path) -> Iterator[None]:
    """While a request is read: its faults are told only to who may do ``action`` at ``path``; None: to all."""
    try:
        yield
    except WardgateError as error:
        raise Refused(error, action=action, path=path) from None


def _rejected(action: Action) -> type[Rejected]:
    """``Rejected`` for a caller who must be known and allowed: the same name in the audit, another road."""
    return type("Rejected", (Rejected,), {"__slots__": (), "action": action, "anonymous": False})


_REJECTED: Mapping[Action, type[Rejected]] = {action: _rejected(action) for action in Action}
