"""How long a token lives: what it is given at first, and what a renewal gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wardgate.spi.errors import InvalidValue
from wardgate.spi.operations.tokens import MAX_LIFE

SECOND = 1_000_000_000
NEVER = 2**63 - 1
"""Later than every clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """How long a token lives, in nanoseconds, and how often it is used.

    ``ttl`` None: for ever. ``max_ttl`` bounds every renewal of a token without ``period``; ``explicit_max_ttl`` those
    of any. ``uses`` None: without limit. ``asked``: the ttl or period that was asked for, to tell whoever gets less.
    """

    ttl: int | None = None
    max_ttl: int | None = None
    renewable: bool = False
    period: int | None = None
    explicit_max_ttl: int | None = None
    uses: int | None = None
    asked: int | None = None

    @property
    def first(self) -> int | None:
        """What it is given when it is made: its period if it has one, and never past its bounds."""
        given = [self.period or self.ttl, None if self.period else self.max_ttl, self.explicit_max_ttl]
        return min((bound for bound in given if bound is not None), default=None)

    @property
    def cut(self) -> int:
        """What was asked for, where less is given; else 0."""
        asked, first = self.asked or 0, self.first
        return asked if first is not None and first < asked else 0


def renewed_until(row: Mapping[str, Any], now: int, increment: int | None) -> int:
    """When a token ends once it is renewed, in Unix nanoseconds; what it is given counts from now.

    Args:
        row: of the table of principals.
        now: Unix nanoseconds.
        increment: what was asked for; None: its first ttl again. A period takes no notice of it.

    Raises:
        InvalidValue: it cannot be renewed.
    """
    if not row["renewable"] or row["expires_at"] is None:
        raise InvalidValue("this token cannot be renewed")
    period = row["period"]
    bounds = [row["explicit_max_ttl"], None if period else row["max_ttl"]]
    until: int = min(
        now + (period or increment or row["ttl"]),
        *(row["created_at"] + bound for bound in bounds if bound is not None),
        NEVER,
    )
    return until


def check_leases(default: int, longest: int) -> None:
    """Refuse lease TTLs of a mount or a login method that are none, or that contradict. Raises InvalidValue."""
    if not (0 <= default <= MAX_LIFE and 0 <= longest <= MAX_LIFE):
        raise InvalidValue("a lease TTL must be 0 to ten years")
    if default % SECOND or longest % SECOND:
        # It is shown in seconds, where a part of one would be 0: no bound at all.
        raise InvalidValue("a lease TTL must be a number of whole seconds")
    if longest and default > longest:
        raise InvalidValue(
            f"backend max lease TTL of {longest // SECOND} would be less than backend default lease TTL of"
            f" {default // SECOND}"
        )


def check_life(what: str, nanoseconds: int | None) -> None:
    """Refuse a duration that is not one. Raises InvalidValue."""
    if nanoseconds is not None and not 0 < nanoseconds <= MAX_LIFE:
        raise InvalidValue(f"{what} must be more than zero and at most ten years")
