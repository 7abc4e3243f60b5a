"""The page of the backends says what they declare."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from wardgate.registry import Registry
from wardgate.spi.backend import Backend
from wardgate.spi.capabilities import Capabilities
from wardgate_native.backend import NativeBackend
from wardgate_vault.backend import VaultBackend
from wardgate_vault.backend_v1 import KvOneBackend

PAGE = (Path(__file__).parents[2] / "docs" / "backends.md").read_text()
COLUMNS: dict[str, type[Backend]] = {
    "native": NativeBackend,
    "KV version 2": VaultBackend,
    "KV version 1": KvOneBackend,
}


def table() -> tuple[list[str], dict[str, list[str]]]:
    """The columns, and the cells of each capability."""
    heading, *rows = re.search(r"^\| capability .*?(?=\n\n)", PAGE, re.MULTILINE | re.DOTALL)[0].splitlines()  # type: ignore[index]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[1:]]
    return [cell.strip() for cell in heading.strip("|").split("|")][2:], {row[0].strip("`"): row[2:] for row in cells}


def said(value: object) -> str:
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def test_there_is_a_row_for_each_capability_in_order() -> None:
    """As the interface declares them."""
    assert [field.name for field in fields(Capabilities)] == list(table()[1])


@pytest.mark.parametrize("column", COLUMNS)
def test_each_cell_is_what_the_backend_declares(column: str) -> None:
    """A yes is a promise that the conformance suite holds it to."""
    columns, rows = table()
    place = columns.index(column)
    declared = {field.name: said(getattr(COLUMNS[column].capabilities, field.name)) for field in fields(Capabilities)}
    assert declared == {name: cells[place] for name, cells in rows.items()}


def test_every_backend_of_the_default_plugins_is_on_the_page() -> None:
    """By its type's name."""
    assert [] == [name for name in Registry.load(("native", "vault")).backend_types if f"| `{name}`" not in PAGE]
