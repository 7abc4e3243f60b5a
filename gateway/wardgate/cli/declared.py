"""The table of what stores can do, in Markdown: what their plugins declare, and what the gateway adds to that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from types import MappingProxyType

from wardgate.pipeline.dispatch.added import ADDED
from wardgate.spi.capabilities import Capabilities, Declaration
from wardgate.spi.hookspecs import BackendType

BY_GATEWAY = "by the gateway"
REQUIRED: Mapping[str, str] = MappingProxyType(
    {
        "read": "",
        "health": "",
        "probe": "a store that tells no rights is asked whether it is well",
    }
)
"""What every backend does, with what to know of it."""
_BEFORE: Mapping[str, tuple[str, ...]] = {
    "write": ("read",),
    "list": ("patch",),
    "describe": ("recursive list",),
    "min_value_bytes": ("health", "probe"),
}


def rows() -> Iterator[str]:
    """The names of the rows, in order: the capabilities, with what is none of them where it belongs."""
    for field in fields(Capabilities):
        yield from (*_BEFORE.get(field.name, ()), field.name)


def by_gateway(declaration: Declaration) -> Sequence[str]:
    """What the gateway adds to a store that declares this, sorted."""
    can = declaration.capabilities
    return sorted(name for name, added in ADDED.items() if not getattr(can, name, False) and added.over(can))


def table(types: Iterable[BackendType]) -> str:
    """A row for each operation and capability, a column for each kind of store; below it why or how, by the notes."""
    columns = [(kind.name, one) for kind in types for one in kind.declarations]
    notes: dict[str, int] = {}
    heading = ["capability", *(_title(kind, one) for kind, one in columns)]
    lines = [
        _row(heading),
        _row(["---"] * len(heading)),
        *(_row([named(name), *(_cell(one, name, notes) for _, one in columns)]) for name in rows()),
    ]
    return "\n".join([*lines, "", *(f"{number}. {note}" for note, number in notes.items())]).rstrip()


def named(name: str) -> str:
    """A row's name: capabilities are set as code."""
    return f"`{name}`" if hasattr(Capabilities, name) else name


def _title(kind: str, declaration: Declaration) -> str:
    return f"`{kind}`" if declaration.name == kind else f"`{kind}`: {declaration.name}"


def _cell(declaration: Declaration, name: str, notes: dict[str, int]) -> str:
    said, note = _said(declaration, name)
    # One number for a sentence, however many stores share it.
    return f"{said} ({notes.setdefault(note, len(notes) + 1)})" if note else said


def _said(declaration: Declaration, name: str) -> tuple[str, str]:
    """The word of a cell, and its note."""
    can, note = declaration.capabilities, declaration.notes.get(name, "")
    if name in REQUIRED:
        return "yes", REQUIRED[name]
    if name in by_gateway(declaration):
        how = ADDED[name].note
        return BY_GATEWAY, note if how in note else "; ".join(filter(None, (note, how)))
    if not hasattr(can, name):  # it needs what the store has not
        lacking = next(need for need in ADDED[name].needs if not getattr(can, need))
        return "no", declaration.notes.get(lacking, "")
    value = getattr(can, name)
    if isinstance(value, bool):
        return ("emulated" if name in declaration.emulated else "yes") if value else "no", note
    return f"{value:,}", note


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
