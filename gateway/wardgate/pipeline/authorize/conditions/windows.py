"""Windows of time: hours of the day, days of the week, dates, each in a stated time zone, and when they next change."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from wardgate.spi.errors import InvalidValue
from wardgate.spi.options import nearest

SECOND: Final = 10**9
_DAY: Final = 86_400
_HOURS: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|(24):(00))")
_ZONE: Final = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}")
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Window:
    """A set of moments that depends on the local date and time alone.

    ``edges``: seconds of the local day at which it may begin or end; midnight always is one.
    """

    zone: ZoneInfo
    contains: Callable[[datetime], bool] = field(repr=False)
    edges: tuple[int, ...] = (0,)

    def holds(self, time: int) -> bool:
        """Whether a moment, in Unix nanoseconds, is within."""
        return self.contains(datetime.fromtimestamp(time // SECOND, self.zone))

    def until(self, time: int) -> int:
        """A later moment up to which the answer of ``holds`` stays what it is at ``time``."""
        seconds = time // SECOND
        local = datetime.fromtimestamp(seconds, self.zone)
        of_day = local.hour * 3_600 + local.minute * 60 + local.second
        edge = seconds + min((edge - of_day - 1) % _DAY + 1 for edge in self.edges)
        offset = local.utcoffset()
        if datetime.fromtimestamp(edge, self.zone).utcoffset() == offset:
            return edge * SECOND
        # The local clock is changed before that: up to this moment, and no further.
        before = seconds
        while edge - before > 1:
            middle = (before + edge) // 2
            if datetime.fromtimestamp(middle, self.zone).utcoffset() == offset:
                before = middle
            else:
                edge = middle
        return edge * SECOND


def window(name: str, arguments: Sequence[str]) -> Window:
    """The window that ``name("…", "zone")`` stands for.

    Raises:
        InvalidValue: no such window, or not written rightly.
    """
    if name not in KINDS:
        raise InvalidValue(f"unknown window {name!r}{nearest(name, KINDS)}")
    if len(arguments) != 2:  # noqa: PLR2004  # what, and where
        raise InvalidValue(f"{name} takes two texts, the time zone last: {_EXAMPLES[name]}")
    return KINDS[name](arguments[0].strip(), _zone(arguments[1]))


def _hours(text: str, zone: ZoneInfo) -> Window:
    match = _HOURS.fullmatch(text)
    if match is None:
        raise InvalidValue(f"{text[:80]!r} are no hours; write them so: {_EXAMPLES['hours']}")
    numbers = [int(group) for group in match.groups() if group]
    start, end = (numbers[i] * 3_600 + numbers[i + 1] * 60 for i in (0, 2))
    if start == end:
        raise InvalidValue(f"the hours {text!r} begin and end at once; leave the test out, or write another end")

    def contains(local: datetime) -> bool:
        of_day = local.hour * 3_600 + local.minute * 60 + local.second
        return start <= of_day < end if start < end else of_day >= start or of_day < end

    return Window(zone, contains, (0, start, end % _DAY))


def _weekdays(text: str, zone: ZoneInfo) -> Window:
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = (word.strip() for word in part.partition("-"))
        for word in (first, last) if dash else (first,):
            if word not in _DAYS:
                raise InvalidValue(f"{word[:80]!r} is no day of the week{nearest(word[:80], _DAYS)}")
        start = _DAYS.index(first)
        days.update((start + i) % 7 for i in range((_DAYS.index(last or first) - start) % 7 + 1))
    return Window(zone, lambda local: local.weekday() in days)


def _dates(text: str, zone: ZoneInfo) -> Window:
    first, slash, last = text.partition("/")
    start = _date(first) if first or not slash else date.min
    end = start if not slash else _date(last) if last else date.max
    if start > end or text == "/":
        raise InvalidValue(f"the dates {text[:80]!r} end before they begin; write them so: {_EXAMPLES['dates']}")
    return Window(zone, lambda local: start <= local.date() <= end)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidValue(f"{text[:80]!r} is no date; write them so: {_EXAMPLES['dates']}") from None


def _zone(name: str) -> ZoneInfo:
    try:
        if _ZONE.fullmatch(name) and name != "localtime":
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise InvalidValue(f"unknown time zone {name[:80]!r}{_nearest_zone(name[:80])}")


def _nearest_zone(name: str) -> str:
    said = nearest(name, available_timezones())
    return said if said.startswith("; did") else "; write it as Europe/Berlin or UTC"


KINDS: Final[dict[str, Callable[[str, ZoneInfo], Window]]] = {
    "hours": _hours, "weekdays": _weekdays, "dates": _dates,
}  # fmt: skip
"""The windows, by their word."""

_EXAMPLES: Final = {
    "hours": 'hours("08:00-18:00", "Europe/Berlin")',
    "weekdays": 'weekdays("mon-fri", "Europe/Berlin")',
    "dates": 'dates("2026-12-01/2026-12-31", "Europe/Berlin")',
}
