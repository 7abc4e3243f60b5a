"""What a store's refusals say of a credential."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from wardgate.spi import probing
from wardgate.spi.backend import Permission
from wardgate.spi.errors import (
    Conflict,
    InvalidValue,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    SecretNotFound,
    Unauthenticated,
    Unavailable,
    Unsupported,
    WardgateError,
)


def ending(error: WardgateError | None) -> Callable[[], Awaitable[object]]:
    """A question that ends so, or is answered."""

    async def ask() -> None:
        if error is not None:
            raise error

    return ask


@pytest.mark.parametrize(
    ("error", "granted"),
    [
        (None, True),
        (SecretNotFound(), True),
        (Unsupported("x"), True),
        (PermissionDenied("x"), False),
        (InvalidValue("x"), None),
        (Conflict("x"), None),
    ],
    ids=lambda given: type(given).__name__,
)
def test_a_right_is_there_where_the_store_looked_for_the_name(
    error: WardgateError | None,
    granted: bool | None,  # noqa: FBT001
) -> None:
    """It is not where it was refused; of a request that the store refuses, nobody knows which it looks at first."""
    told = asyncio.run(probing.permissions([("look", ("read",), ending(error)), ("make", ("write",), None)]))
    assert told == [Permission("look", frozenset({"read"}), granted), Permission("make", frozenset({"write"}), None)]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Unauthenticated("x"), Unauthenticated),
        (RateLimited("x", retry_after=7.0), RateLimited),
        (Unavailable("x"), Unavailable),
        (OutcomeUnknown("x"), Unavailable),
    ],
    ids=lambda given: type(given).__name__,
)
def test_what_says_nothing_of_a_right_ends_the_probe(error: WardgateError, expected: type[WardgateError]) -> None:
    """A store that is away, asks for patience or knows nobody of that name has not told what is missing."""
    questions = [("look", ("read",), ending(SecretNotFound())), ("make", ("write",), ending(error))]
    with pytest.raises(expected):
        asyncio.run(probing.permissions(questions))
    assert not asyncio.run(probing.health(ending(error))).ok


@pytest.mark.parametrize(
    ("error", "well"), [(SecretNotFound(), True), (PermissionDenied("x"), True), (None, False)], ids=str
)
def test_health_is_not_about_rights(error: WardgateError | None, well: bool) -> None:  # noqa: FBT001
    """Whoever may not ask was answered; a name that cannot be there, and is, is nobody's store."""
    assert asyncio.run(probing.health(ending(error))).ok is well
