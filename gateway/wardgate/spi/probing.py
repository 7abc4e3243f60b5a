"""What a store's refusals say of a credential, asked about a name that cannot be there, so that nothing is changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence

from wardgate.spi.backend import Health, Permission
from wardgate.spi.errors import (
    Conflict,
    InvalidValue,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    SecretNotFound,
    Unauthenticated,
    Unavailable,
    WardgateError,
)

Ask = Callable[[], Awaitable[object]]
"""One request about a name that cannot be there."""
Question = tuple[str, Iterable[str], Ask | None]
"""A right in the store's words, what it is needed for, and what shows it; None where only a change would."""


async def permissions(questions: Iterable[Question]) -> Sequence[Permission]:
    """Ask for one right after the other.

    Raises:
        Unauthenticated: the store does not accept the credential at all.
        RateLimited: it asks for patience.
        Unavailable: it does not answer, or not clearly.
    """
    return [
        Permission(name, frozenset(needed_for), None if ask is None else await _granted(ask))
        for name, needed_for, ask in questions
    ]


async def health(ask: Ask) -> Health:
    """Whether the store answers and accepts the credential, if only to say that it may not ask this."""
    try:
        await ask()
    except (SecretNotFound, PermissionDenied):
        return Health(ok=True, detail="the store answers")
    except WardgateError as error:
        return Health(ok=False, detail=error.message)
    return Health(ok=False, detail="what answers there is not the store: it has what cannot be there")


async def _granted(ask: Ask) -> bool | None:
    try:
        await ask()
    except PermissionDenied:
        return False
    except (InvalidValue, Conflict):
        return None  # whether the right or the request is looked at first is not said
    except (Unauthenticated, RateLimited, Unavailable):
        raise
    except OutcomeUnknown:
        raise Unavailable("the store did not answer clearly; try again") from None  # there was nothing to change
    except WardgateError:
        pass  # it looked for the name
    return True
