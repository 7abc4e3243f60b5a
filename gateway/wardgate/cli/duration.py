"""Durations as people write them."""

from __future__ import annotations

import re

import click

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(?:\d{1,9}[smhdw])+")


class Duration(click.ParamType[int | None]):
    """``90s``, ``24h``, ``1h30m``, ``7d``: as whole seconds. ``never`` is None, where it is allowed."""

    name = "duration"

    def __init__(self, *, never: bool = False) -> None:
        self._never = never

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        """Seconds; fails as click's own types do."""
        if value is None or isinstance(value, int):
            return value
        text = str(value)
        if self._never and text == "never":
            return None
        if text == "0":
            return 0
        if not _DURATION.fullmatch(text):
            self.fail(f"{text!r} is no duration; write it like 90s, 24h or 7d", param, ctx)
        return sum(int(part[:-1]) * _UNITS[part[-1]] for part in re.findall(r"\d+[smhdw]", text))
