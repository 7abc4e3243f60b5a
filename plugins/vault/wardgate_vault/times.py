"""Go's times and durations, as Vault writes them, in nanoseconds and back."""

from __future__ import annotations

import re
from datetime import UTC, datetime

SECOND = 1_000_000_000
_UNITS = {"h": 3_600 * SECOND, "m": 60 * SECOND, "s": SECOND, "ms": 1_000_000, "us": 1_000, "µs": 1_000, "ns": 1}
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")
_DURATION = re.compile(r"(\d+)(?:\.(\d+))?(h|ms|us|µs|ns|m|s)")


def parse_time(text: str) -> int:
    """Unix nanoseconds of an RFC 3339 time. Raises ValueError."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError("not an RFC 3339 time")
    whole, fraction, zone = match.groups()
    seconds = int(datetime.fromisoformat(whole + ("+00:00" if zone == "Z" else zone)).timestamp())
    return seconds * SECOND + int((fraction or "").ljust(9, "0"))


def format_time(nanoseconds: int) -> str:
    """An RFC 3339 time in UTC with nine digits of a second."""
    seconds, rest = divmod(nanoseconds, SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"


def parse_duration(text: str) -> int:
    """Nanoseconds of a Go duration such as ``1h0m30.5s``; a bare number is seconds. Raises ValueError."""
    if text.isascii() and text.isdigit():
        return int(text) * SECOND
    total, end = 0, 0
    for match in _DURATION.finditer(text):
        if match.start() != end:
            break
        whole, fraction, unit = match.groups()
        total += int(whole) * _UNITS[unit] + int(fraction or 0) * _UNITS[unit] // 10 ** len(fraction or "")
        end = match.end()
    if not text or end != len(text):
        raise ValueError("not a duration")
    return total


def format_duration(nanoseconds: int) -> str:
    """A Go duration: ``3h4m5s``, with fractions of a second where there are any; ``0s`` for none."""
    seconds, rest = divmod(nanoseconds, SECOND)
    hours, seconds = divmod(seconds, 3_600)
    minutes, seconds = divmod(seconds, 60)
    last = f"{seconds}.{rest:09}".rstrip("0") if rest else str(seconds)
    prefix = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{prefix}{last}s"
