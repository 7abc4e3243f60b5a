"""``plugins --table`` is the page's table of what stores can do."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import cast

from click.testing import CliRunner
from wardgate.cli.declared import table
from wardgate.cli.root import wardgate
from wardgate.spi.backend import Backend
from wardgate.spi.capabilities import Capabilities, Declaration
from wardgate.spi.hookspecs import BackendType

WHY = "the store cannot"
ONE = Declaration(
    name="one",
    capabilities=Capabilities(write=True, list=True),
    emulated=frozenset({"list"}),
    notes=MappingProxyType({"list": "by reading all", "labels": WHY, "stages": WHY}),
)
KIND = BackendType(name="one", help="a fake", open=lambda *_: cast("Backend", None), declarations=(ONE,))


def test_a_cell_says_what_is_declared_and_a_note_why() -> None:
    """Notes are numbered, and one that is shared stands once."""
    lines = table([KIND]).splitlines()
    assert "| capability | `one` |" == lines[0]
    assert {
        "| `write` | yes |",
        "| `list` | emulated (1) |",
        "| `labels` | no (2) |",
        "| `stages` | no (2) |",
        "| `expiry` | no |",
        "| `max_value_bytes` | 65,536 |",
    } <= set(lines)
    assert ["1. by reading all", f"2. {WHY}"] == lines[-2:]


def test_the_named_plugins_are_in_the_table() -> None:
    """A column for each kind of store."""
    result = CliRunner().invoke(wardgate, ["plugins", "vault", "--table"])
    assert (0, "| capability | `vault`: KV version 2 | `vault`: KV version 1 |") == (
        result.exit_code,
        result.stdout.splitlines()[0],
    )


def test_what_is_not_in_the_table_is_named_beside_it() -> None:
    """On stderr, so that what is piped into a page is the table alone."""
    result = CliRunner().invoke(wardgate, ["plugins", "vault", "--table"])
    assert (False, True) == ("not shown" in result.stdout, "not shown unless they are named: " in result.stderr)
    assert "native" in result.stderr
    assert "_odd" not in result.output


def test_machines_are_told_what_stores_can_do() -> None:
    """Each kind of a type's stores, with what is emulated and why; whether or not the table is asked for."""
    told = [
        json.loads(CliRunner().invoke(wardgate, ["plugins", "vault", "--json", *more]).stdout)
        for more in ([], ["--table"])
    ]
    assert told[0] == told[1]
    (vault,) = (one for one in told[0]["plugins"][0]["types"] if one["kind"] == "backend")
    second, first = vault["stores"]
    assert ("KV version 2", "KV version 1") == (second["name"], first["name"])
    assert (True, False) == (second["capabilities"]["undelete"], first["capabilities"]["undelete"])
    assert first["notes"]["undelete"]


def test_a_default_is_shown_as_it_is_given() -> None:
    """A truth is ``true`` or ``false``, and no word of another language."""
    shown = CliRunner().invoke(wardgate, ["plugins", "vault", "aws", "gcp"]).stdout
    assert (False, True) == ("(default: False)" in shown, "(default: false)" in shown)
