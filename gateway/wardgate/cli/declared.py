"""The table of what stores can do, as their plugins declare it, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields

from wardgate.spi.capabilities import Capabilities, Declaration
from wardgate.spi.hookspecs import BackendType


def table(types: Iterable[BackendType]) -> str:
    """A row for each capability, a column for each kind of store, and below it why or how, where there is a note."""
    columns = [(kind.name, one) for kind in types for one in kind.declarations]
    notes: dict[str, int] = {}
    heading = ["capability", *(_title(kind, one) for kind, one in columns)]
    rows = [
        [f"`{field.name}`", *(_cell(one, field.name, notes) for _, one in columns)] for field in fields(Capabilities)
    ]
    lines = [_row(heading), _row(["---"] * len(heading)), *map(_row, rows)]
    return "\n".join([*lines, "", *(f"{number}. {note}" for note, number in notes.items())]).rstrip()


def _title(kind: str, declaration: Declaration) -> str:
    return f"`{kind}`" if declaration.name == kind else f"`{kind}`: {declaration.name}"


def _cell(declaration: Declaration, name: str, notes: dict[str, int]) -> str:
    value = getattr(declaration.capabilities, name)
    note = declaration.notes.get(name)
    said = f"{value:,}"
    if isinstance(value, bool):
        said = ("emulated" if name in declaration.emulated else "yes") if value else "no"
    # One number for a sentence, however many stores share it.
    return f"{said} ({notes.setdefault(note, len(notes) + 1)})" if note else said


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
