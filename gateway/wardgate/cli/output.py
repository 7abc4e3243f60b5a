"""What commands print: JSON, tables on a terminal, plain lines into a pipe."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from wardgate.cli import terminal
from wardgate.cli.terminal import printable

WHOLE = frozenset({"Id", "Created", "Ends"})
"""Columns whose cells are never broken."""
NARROWEST = 8
"""Characters that any other column keeps; below that a table is no help."""
BETWEEN = " │ "
"""What the library puts between two columns."""


def as_json(data: Any) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(data, indent=2))


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str) -> None:
    """A table on a terminal; tab-separated lines without a heading into a pipe. ``empty`` is said on stderr."""
    if not rows:
        click.echo(empty, err=True)
        return
    if not terminal.somebody_reads():
        for row in rows:
            click.echo("\t".join(" ".join(printable(cell).split()) for cell in row))
        return
    from rich.console import Console  # noqa: PLC0415  # rich takes a while to load
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console()
    longest = [max(len(cell) for cell in cells) for cells in zip(columns, *rows, strict=True)]
    # An id and a time stay on one line, to be copied and compared; the others give way, but never altogether.
    least = [
        size if column in WHOLE else min(size, max(len(column), NARROWEST))
        for column, size in zip(columns, longest, strict=True)
    ]
    if sum(least) + len(BETWEEN) * (len(columns) - 1) > console.width:
        _stacked(columns, rows)
        return
    shown = Table(show_edge=False, pad_edge=False)
    for column, width in zip(columns, least, strict=True):
        shown.add_column(column, overflow="fold", min_width=width)
    for row in rows:
        # Text, not markup: a secret's brackets are a secret's brackets.
        shown.add_row(*(Text(printable(cell)) for cell in row))
    console.print(shown)


def _stacked(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Each row as lines of its own, for a terminal on which not all columns have room."""
    for number, row in enumerate(rows):
        if number:
            click.echo()
        facts(list(zip(columns, row, strict=True)))


def moment(time: str | None) -> str:
    """A time of the API for a table: to the second on a terminal, as it is into a pipe; None is ``""``."""
    text = time or ""
    return f"{text[:19]}Z" if text and terminal.somebody_reads() else text


def facts(pairs: Sequence[tuple[str, str]]) -> None:
    """Names and values, one pair a line."""
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        click.echo(f"{name:<{width}}  {printable(value)}")


def once(secret: str, note: str) -> None:
    """A secret that is shown once: alone on stdout, so that it can be captured, with its note on stderr."""
    click.echo(note, err=True)
    click.echo(secret)


def must_be_askable(*, yes: bool) -> None:
    """Raise UsageError where there is a question and nobody who could answer it."""
    if not yes and not terminal.somebody_is_there():
        raise click.UsageError("nobody can be asked here; add --yes")


def confirm(question: str, *, yes: bool) -> None:
    """Ask before what takes something away. Raises UsageError where nobody can be asked."""
    must_be_askable(yes=yes)
    if not yes:
        click.confirm(printable(question), abort=True, err=True)


def done(json_wanted: bool, sentence: str) -> None:  # noqa: FBT001  # read at every call as "done, in JSON?"
    """A change was made: a sentence on stderr, or ``{"done": true}`` on stdout."""
    if json_wanted:
        as_json({"done": True})
    else:
        click.echo(printable(sentence), err=True)
