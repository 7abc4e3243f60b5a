"""Times and durations as Go writes and reads them; nanoseconds inside."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

from wardgate.spi.errors import InvalidValue

SECOND = 1_000_000_000
LONGEST = 2**63 - 1
UNSET = "0001-01-01T00:00:00Z"
"""A time that was never set, as Go writes it."""
_UNITS = {"ns": 1, "us": 1_000, "µs": 1_000, "ms": 1_000_000, "s": SECOND, "m": 60 * SECOND, "h": 3_600 * SECOND}
_DAY = 24 * 3_600 * SECOND
_PART = re.compile(r"(\d{1,19})(?:\.(\d{1,18}))?(ns|us|µs|ms|s|m|h|d)", re.ASCII)


@lru_cache(maxsize=4_096)
def rfc3339(time: int | None) -> str:
    """``2026-01-02T03:04:05.67Z`` for Unix nanoseconds, without trailing zeros; empty for None."""
    if time is None:
        return ""
    seconds, nanoseconds = divmod(time, SECOND)
    fraction = f".{nanoseconds:09d}".rstrip("0") if nanoseconds else ""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}{fraction}Z"


def parse_duration(given: float | str, *, field: str) -> int:
    """Nanoseconds from ``90``, ``"90"`` (seconds), ``"1h30m"`` or ``"2d"``.

    Raises:
        InvalidValue: no duration, a negative one, or one of more than 292 years; never quotes what was given.
    """
    duration = given * SECOND if not isinstance(given, str) else _parse(given.strip(), field)
    if not 0 <= duration <= LONGEST:
        raise InvalidValue(f'error converting input for field "{field}": negative, or too long')
    return int(duration)


def _parse(text: str, field: str) -> int:
    if not text:
        return 0
    if text.isascii() and text.isdigit():
        return int(text[:20]) * SECOND
    position, total = 0, 0
    while part := _PART.match(text, position):
        whole, fraction, unit = part.groups()
        size = _DAY if unit == "d" else _UNITS[unit]
        total += int(whole) * size + (int(fraction) * size // 10 ** len(fraction) if fraction else 0)
        position = part.end()
    if position != len(text):
        raise InvalidValue(f'error converting input for field "{field}": time: invalid duration')
    return total


def format_duration(duration: int) -> str:
    """``1h30m0s`` for nanoseconds, as Go prints them; ``0s`` for none."""
    if duration < 0:
        return f"-{format_duration(-duration)}"
    seconds, rest = divmod(duration, SECOND)
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    hours, seconds = divmod(seconds, 3_600)
    minutes, seconds = divmod(seconds, 60)
    if hours:
        return f"{hours}h{minutes}m{seconds}{fraction}s"
    return f"{minutes}m{seconds}{fraction}s" if minutes else f"{seconds}{fraction}s"


def brief_duration(duration: int) -> str:
    """``768h``, ``1h30m``: to the second, and without the zeros at its end, as in Vault's warnings."""
    text = format_duration((duration + SECOND // 2) // SECOND * SECOND)
    text = text.removesuffix("0s") if text.endswith("m0s") else text
    return text.removesuffix("0m") if text.endswith("h0m") else text


def whole_seconds(duration: int) -> int:
    """Seconds of a duration, rounded down as Vault does."""
    return duration // SECOND
