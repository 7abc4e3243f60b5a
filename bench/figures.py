"""A figure: what was measured, what it should be, and whether it is."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    ``goal`` is a bound of ``value``: the least it should be, or (``most``) the most. ``unit`` stands behind both;
    ``beside`` tells what else was seen in the same run. A goal of None is none: the figure is there to be seen.
    """

    name: str
    value: float
    goal: float | None = None
    unit: str = ""
    most: bool = False
    beside: str = ""

    @property
    def met(self) -> bool:
        """Whether the goal is reached."""
        return self.goal is None or (self.value <= self.goal if self.most else self.value >= self.goal)

    @property
    def share(self) -> float:
        """How far the goal is reached: 1 and above is met."""
        if self.goal is None:
            return 1.0
        return self.goal / max(self.value, 1e-9) if self.most else self.value / self.goal


def text(number: float, unit: str) -> str:
    """A number as people read it."""
    digits = 0 if number >= 100 else 1 if number >= 10 else 2
    space = "" if unit in {"", "%"} or unit.startswith("/") else " "
    return f"{number:,.{digits}f}{space}{unit}"


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def table(figures: Sequence[Figure]) -> str:
    """All figures as Markdown."""
    lines = ["| figure | measured | goal | | in the same run |", "|---|---|---|---|---|"]
    for figure in figures:
        bound = "" if figure.goal is None else f"{'≤' if figure.most else '≥'} {text(figure.goal, figure.unit)}"
        verdict = "" if figure.goal is None else "met" if figure.met else "**missed**"
        lines.append(f"| {figure.name} | {text(figure.value, figure.unit)} | {bound} | {verdict} | {figure.beside} |")
    return "\n".join(lines)
