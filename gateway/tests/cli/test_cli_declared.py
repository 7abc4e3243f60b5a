"""``plugins --table`` is the page's table of what stores can do."""

from __future__ import annotations

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
