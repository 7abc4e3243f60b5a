"""``plugins --table`` is the page's table of what stores can do."""

from __future__ import annotations

import dataclasses
import json
from types import MappingProxyType
from typing import cast

from click.testing import CliRunner
from wardgate.cli.declared import by_gateway, table
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
        "| read | yes |",
        "| `write` | yes |",
        "| `list` | emulated (1) |",
        "| `labels` | no (3) |",
        "| `stages` | no (3) |",
        "| `expiry` | no |",
        "| `max_value_bytes` | 65,536 |",
    } <= set(lines)
    assert {"1. by reading all", f"3. {WHY}"} <= set(lines)


def test_what_the_gateway_adds_is_no_no() -> None:
    """Where the store has what that takes; where not, the reason is that of what is lacking."""
    lines = table([KIND]).splitlines()
    assert {"| recursive list | by the gateway (2) |", "| `ordinals` | by the gateway (4) |", "| patch | no |"} <= set(
        lines
    )
    assert {"2. folder by folder", "4. the gateway's ledger numbers what it sees"} <= set(lines)
    more = Capabilities(write=True, compare_and_set=True, describe=True, ordinals=True)
    other = dataclasses.replace(
        ONE, capabilities=more, emulated=frozenset(), notes=MappingProxyType({"stages": WHY, "list": WHY})
    )
    lines = table([dataclasses.replace(KIND, declarations=(other,))]).splitlines()
    assert {"| `ordinals` | yes |", "| patch | by the gateway (1) |", "| recursive list | no (2) |"} <= set(lines)
    assert f"3. {WHY}; current and previous can be read, by the order of the versions" in lines
    assert by_gateway(other) == ["patch", "stages"]


def test_what_every_backend_must_do_has_its_row() -> None:
    """Whatever is declared."""
    bare = dataclasses.replace(ONE, capabilities=Capabilities(), notes=MappingProxyType({}), emulated=frozenset())
    lines = table([dataclasses.replace(KIND, declarations=(bare,))]).splitlines()
    assert ["| read | yes |", "| health | yes |"] == [line for line in lines if line.endswith(" | yes |")]
    assert any(line.startswith("| probe | yes (") for line in lines)


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
    assert (["patch", "recursive list", "stages"], ["ordinals", "recursive list"]) == (
        second["by_gateway"],
        first["by_gateway"],
    )


def test_a_default_is_shown_as_it_is_given() -> None:
    """A truth is ``true`` or ``false``, and no word of another language."""
    shown = CliRunner().invoke(wardgate, ["plugins", "vault", "aws", "gcp"]).stdout
    assert (False, True) == ("(default: False)" in shown, "(default: false)" in shown)
