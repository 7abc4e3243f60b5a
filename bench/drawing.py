"""The figures as a picture: how far each goal is reached, drawn as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from bench.figures import Figure, text

WIDTH = 900
ROW = 30
NAMES = 430
BAR = 250
FULL = 2.0
"""Times the goal at which a bar ends."""


def svg(figures: Sequence[Figure], caption: str) -> str:
    """A bar for each figure that has a goal; the vertical line is the goal."""
    shown = [figure for figure in figures if figure.goal is not None]
    height = ROW * len(shown) + 70
    goal_at = NAMES + BAR / FULL
    rows = "".join(_row(number, figure) for number, figure in enumerate(shown))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        f'font-size="13"><rect width="{WIDTH}" height="{height}" fill="#fff"/>{rows}'
        f'<line x1="{goal_at}" x2="{goal_at}" y1="12" y2="{ROW * len(shown) + 18}" stroke="#333" '
        f'stroke-dasharray="3 3"/><text x="{goal_at}" y="{ROW * len(shown) + 34}" text-anchor="middle" fill="#333">'
        f'goal</text><text x="10" y="{height - 10}" fill="#666" font-size="11">{escape(caption)}</text></svg>\n'
    )


def _row(number: int, figure: Figure) -> str:
    top = 16 + ROW * number
    length = min(figure.share, FULL) / FULL * BAR
    colour = "#2f7d4f" if figure.met else "#c2452d"
    bound = f"{'≤' if figure.most else '≥'} {text(figure.goal or 0.0, figure.unit)}"
    value = f"{text(figure.value, figure.unit)}  (goal {bound})"
    return (
        f'<text x="{NAMES - 10}" y="{top + 14}" text-anchor="end">{escape(figure.name)}</text>'
        f'<rect x="{NAMES}" y="{top}" width="{length:.1f}" height="{ROW - 10}" fill="{colour}"/>'
        f'<text x="{NAMES + BAR + 10}" y="{top + 14}" fill="#333">{escape(value)}</text>'
    )
