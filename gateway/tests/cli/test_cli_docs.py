"""``docs/cli.md`` says what the code does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from wardgate.cli import exits
from wardgate.cli.root import COMMANDS, wardgate

PAGE = (Path(__file__).parents[3] / "docs" / "cli.md").read_text()
SECTIONS = dict(re.findall(r"^## wardgate (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


def test_the_page_has_a_heading_for_every_command() -> None:
    """None forgotten, none invented, in the order of ``--help``."""
    assert list(SECTIONS) == list(COMMANDS)


def test_the_page_has_every_exit_code() -> None:
    """With the words of ``--help``."""
    documented = dict(re.findall(r"^\| (\d) \| (.*) \|$", PAGE, re.MULTILINE))
    assert documented == {str(code): meaning for code, meaning in exits.MEANINGS.items()}


@pytest.mark.parametrize("name", COMMANDS)
def test_subcommands_stand_under_their_command(name: str) -> None:
    """By name."""
    with wardgate.make_context("wardgate", [], resilient_parsing=True) as context:
        command = wardgate.get_command(context, name)
    if isinstance(command, click.Group):
        assert [sub for sub in command.commands if not re.search(rf"\b{sub}\b", SECTIONS[name])] == []


def test_every_option_of_a_client_is_in_the_table() -> None:
    """With the variable it comes from."""
    with wardgate.make_context("wardgate", [], resilient_parsing=True) as context:
        command = wardgate.get_command(context, "list")
    assert command is not None
    variables = [option.envvar for option in command.params if isinstance(option.envvar, str)]
    assert [variable for variable in variables if f"`{variable}" not in PAGE] == []


def leaves(command: click.Command, words: str = "wardgate") -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with its words."""
    if not isinstance(command, click.Group):
        yield words, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from leaves(found, f"{words} {name}")


def test_every_command_speaks_to_machines() -> None:
    """Each has ``--json``."""
    assert [] == [
        words for words, command in leaves(wardgate) if not any("--json" in option.opts for option in command.params)
    ]
