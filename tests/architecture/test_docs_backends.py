"""The page of the backends says what they declare."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path

from click.testing import CliRunner
from wardgate.cli import declared
from wardgate.cli.plugins import plugins
from wardgate.pipeline.dispatch import secrets
from wardgate.pipeline.dispatch.added import ADDED
from wardgate.registry import Registry
from wardgate.spi.capabilities import Capabilities

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "backends.md").read_text()
SHIPPED = re.findall(r"`wardgate plugins ([a-z ]+) --table`", PAGE)[0].split()
"""In the order in which the page shows them."""


def test_there_is_a_row_for_each_capability_in_order() -> None:
    """With what it means, and for each operation that is none, as the printed table has them."""
    meanings = PAGE.partition("| capability | what it is |\n|---|---|\n")[2].partition("\n\n")[0]
    assert list(map(declared.named, declared.rows())) == [
        line.split(" | ")[0].lstrip("| ") for line in meanings.split("\n")
    ]
    assert {field.name for field in fields(Capabilities)} <= set(declared.rows())


def test_a_no_that_refuses_nothing_is_named() -> None:
    """All others are refused with ``unsupported``, or are done by the gateway."""
    booleans = {field.name for field in fields(Capabilities) if isinstance(field.default, bool)}
    told = PAGE.partition("A no of three rows refuses nothing: ")[2].partition("This table is printed by")[0]
    refused = set(secrets._REFUSALS)
    assert booleans - refused - set(ADDED) == set(re.findall("without `(\\w+)`", told))


def test_the_table_is_what_the_plugins_declare() -> None:
    """A yes is a promise that the conformance suite holds it to; a no has its reason."""
    shown = PAGE.partition("<!-- table -->\n")[2].partition("\n<!-- end of table -->")[0]
    printed = CliRunner().invoke(plugins, [*SHIPPED, "--table"])
    assert printed.stdout.strip() == shown, "put the output of `wardgate plugins ... --table` between the marks"


def test_every_backend_that_is_shipped_is_on_the_page() -> None:
    """By its type's name. Its project says that it is shipped; one that somebody began beside it does not."""
    projects = {file.parent.name: tomllib.loads(file.read_text()) for file in ROOT.glob("plugins/*/pyproject.toml")}
    shipped = {name for name, project in projects.items() if project["tool"].get("wardgate", {}).get("shipped")}
    assert shipped == {*SHIPPED}
    assert [] == [name for name in Registry.load(SHIPPED).backend_types if f"| `{name}`" not in PAGE]


def test_what_is_emulated_is_declared_and_says_how() -> None:
    """A caller can judge it by that."""
    for kind in Registry.load(SHIPPED).backend_types.values():
        for one in kind.declarations:
            assert all(getattr(one.capabilities, name) is True and one.notes[name] for name in one.emulated)


def test_every_no_of_a_shipped_backend_has_its_reason() -> None:
    """So that a refusal says why, and the page with it."""
    bare = [
        (declaration.name, field.name)
        for kind in Registry.load(SHIPPED).backend_types.values()
        for declaration in kind.declarations
        for field in fields(Capabilities)
        if getattr(declaration.capabilities, field.name) is False and field.name not in declaration.notes
    ]
    assert bare == []


def test_what_never_ran_against_its_cloud_says_so() -> None:
    """A status that is not the usual one has its sentence on the page."""
    told = {kind.status for kind in Registry.load(SHIPPED).backend_types.values()} - {"stable"}
    assert told == {"beta"}
    assert "`beta`: run against emulators only." in PAGE
    assert {kind.status for kind in Registry.load(("aws", "azure", "gcp")).backend_types.values()} == {"beta"}
