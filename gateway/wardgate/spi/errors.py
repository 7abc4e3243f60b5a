"""The closed list of errors: every failure on the road is one of these, mapped at two edges only.

A message says what happened and what to do. It never holds a value, a token, or text a store sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from wardgate.spi.values import VersionInfo

REFUSED: Final = "permission denied"
"""The one message to whoever cannot prove himself, whatever is wrong with what he shows."""
ABSENT: Final = "there is no secret of that path"
NO_VERSION: Final = "the secret has no such version"
MAX_WAIT_DIGITS: Final = 5
"""Of the seconds a store asks to be left alone; more is nonsense."""


class WardgateError(Exception):
    """Base of the closed list; ``code`` is its stable name in REST problems and in the audit."""

    code: ClassVar[str] = "internal"

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message


class SecretNotFound(WardgateError):
    """No secret of that path."""

    code = "secret_not_found"

    def __init__(self, message: str = ABSENT) -> None:
        super().__init__(message)


class VersionNotFound(WardgateError):
    """The secret exists; the version asked for never did, or is no longer kept."""

    code = "version_not_found"

    def __init__(self, message: str = NO_VERSION) -> None:
        super().__init__(message)


class Gone(WardgateError):
    """The version was deleted, destroyed, disabled or has expired; ``info`` says which and when."""

    code = "gone"

    def __init__(self, message: str = "", *, info: VersionInfo | None = None) -> None:
        super().__init__(message)
        self.info = info


class AlreadyExists(WardgateError):
    """Something of that name is there already."""

    code = "already_exists"


class Conflict(WardgateError):
    """A compare-and-set found another version than the one expected, or two changes met."""

    code = "conflict"


class PreconditionRequired(WardgateError):
    """The secret accepts writes only with a compare-and-set."""

    code = "precondition_required"


class InvalidValue(WardgateError):
    """The value, or an argument beside it, is not one that can be stored."""

    code = "invalid_value"


class TooLarge(WardgateError):
    """Over a stated bound: a value, a name, a body."""

    code = "too_large"


class Malformed(WardgateError):
    """The request cannot be read: its path, its JSON, its parameters."""

    code = "malformed"


class Unsupported(WardgateError):
    """The backend, or the gateway, does not do this; nothing was changed."""

    code = "unsupported"


class PermissionDenied(WardgateError):
    """No rule allows it, or one denies it."""

    code = "permission_denied"


class Unauthenticated(WardgateError):
    """No credential, or one that is wrong, expired, revoked, used up, or another namespace's.

    From a backend: the store does not accept the mount's own credential. Callers are told PermissionDenied.
    """

    code = "unauthenticated"


class RateLimited(WardgateError):
    """Too many requests; ``retry_after`` in seconds, where known."""

    code = "rate_limited"

    def __init__(self, message: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(WardgateError):
    """A part that is needed does not answer: a store, the audit. Nothing was changed by this request.

    ``answered``: the store does answer, and cannot give this one secret; others are not kept from it for that.
    """

    code = "unavailable"

    def __init__(self, message: str = "", *, answered: bool = False) -> None:
        super().__init__(message)
        self.answered = answered

    @classmethod
    def of_one(cls, message: str) -> Unavailable:
        """Of one secret in a store that answers."""
        return cls(message, answered=True)


class OutcomeUnknown(WardgateError):
    """A change was sent to a store and its answer was not clear: it may or may not have happened."""

    code = "outcome_unknown"


class Sealed(WardgateError):
    """The gateway or the namespace has no key at hand."""

    code = "sealed"


CLOSED_LIST: tuple[type[WardgateError], ...] = (
    SecretNotFound, VersionNotFound, Gone, AlreadyExists, Conflict, PreconditionRequired, InvalidValue, TooLarge,
    Malformed, Unsupported, PermissionDenied, Unauthenticated, RateLimited, Unavailable, OutcomeUnknown, Sealed,
)  # fmt: skip


def wait_told(header: object) -> float | None:
    """The seconds of a ``Retry-After`` (RFC 9110, 10.2.3); None for none, for a date and for nonsense."""
    told = str(header)
    return float(told) if len(told) <= MAX_WAIT_DIGITS and told.isascii() and told.isdigit() else None


def unclear(what: str, *, mutates: bool) -> WardgateError:
    """An answer that says nothing certain: harmless for a read, not for a change."""
    if mutates:
        return OutcomeUnknown(f"{what}; the change may or may not have happened: read before you repeat it")
    return Unavailable(f"{what}; try again")


def place_of(error: BaseException) -> str:
    """Where it was raised, as ``file:line``, without any text of it: that may quote a value."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "an unknown place"
