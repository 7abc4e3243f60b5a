"""The page of policies says what the code does: attributes, windows, tests and findings, each with its row."""

from __future__ import annotations

import re
from pathlib import Path

from wardgate.pipeline.authorize.conditions.attributes import FAMILIES, PLAIN
from wardgate.pipeline.authorize.conditions.comparing import CONSTANT, ORDERS
from wardgate.pipeline.authorize.conditions.syntax import MAX_CHARACTERS, MAX_DEPTH, MAX_ITEMS, MAX_TESTS
from wardgate.pipeline.authorize.conditions.windows import KINDS
from wardgate.pipeline.authorize.lint import Kind
from wardgate.services.labels import MAX_VALUE
from wardgate.state.labels import MAX_LABELLED, MAX_LABELS

PAGE = (Path(__file__).parents[2] / "docs" / "policies.md").read_text()


def section(heading: str) -> str:
    """What stands below a heading, up to the next of rank two."""
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def first_cells(text: str) -> list[str]:
    """The first cell of each row that begins with code."""
    return re.findall(r"^\| (`[^|]+`) \|", text, re.MULTILINE)


def test_each_attribute_has_its_row() -> None:
    """And no row names one that is gone."""
    table = section("Conditions").partition("| attribute |")[2].partition("\n\n")[0]
    assert sorted((*PLAIN, *FAMILIES)) == sorted(cell.strip("`") for cell in first_cells(table))


def test_each_window_has_its_row() -> None:
    """By its word."""
    table = section("Conditions").partition("| window |")[2].partition("\n\n")[0]
    assert list(KINDS) == [cell.strip("`").partition("(")[0] for cell in first_cells(table)]


def test_each_operator_has_its_row() -> None:
    """The table of tests names every operator there is."""
    table = section("Conditions").partition("| test |")[2].partition("\n\n")[0]
    named = {word.strip("`") for cell in first_cells(table) for word in cell.split()}
    assert {operator for _, operator in CONSTANT} | set(ORDERS) | {"!=", "in", "has(…)"} == named


def test_each_finding_has_its_row() -> None:
    """The kinds that lint tells."""
    assert [kind.value for kind in Kind] == [cell.strip("`") for cell in first_cells(section("Lint"))]


def test_bounds_are_those_of_the_code() -> None:
    """Numbers on the page."""
    conditions, labels = PAGE.replace(",", ""), section("Labels").replace(",", "")
    assert f"at most {MAX_CHARACTERS} characters" in conditions
    assert f"At most {MAX_TESTS} tests {MAX_DEPTH} levels {MAX_ITEMS} texts in a list" in conditions
    assert f"1 to {MAX_VALUE} printable characters" in labels
    assert f"At most {MAX_LABELS} labels at a path and {MAX_LABELLED} labelled paths" in labels
