"""How a request ended, in one word: what labels and spans say."""

from __future__ import annotations

import asyncio
from typing import Final

from wardgate.spi.errors import CLOSED_LIST, OutcomeUnknown, Sealed, Unauthenticated, Unavailable, WardgateError

OK: Final = "ok"
CANCELLED: Final = "cancelled"
"""The caller left before there was an answer."""

INTERNAL: Final = "internal"
"""A defect of the gateway."""

UNAUTHENTICATED: Final = Unauthenticated.code
FAULTS: Final = frozenset({INTERNAL, Unavailable.code, OutcomeUnknown.code, Sealed.code})
"""What is no fault of the caller."""

_KNOWN = frozenset(error.code for error in CLOSED_LIST)


def code_of(error: BaseException) -> str:
    """How a request ended that raised this: a code of the closed list, or one of the two above."""
    if isinstance(error, WardgateError):
        return error.code if error.code in _KNOWN else INTERNAL
    return CANCELLED if isinstance(error, asyncio.CancelledError) else INTERNAL
