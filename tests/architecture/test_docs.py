"""The pages say what the code does: every name has its row or heading, no page keeps one that is gone."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from wardgate.cli import exits
from wardgate.cli.root import COMMANDS, wardgate
from wardgate.cli.run import _welcome as welcome
from wardgate.config import SECTIONS, load
from wardgate.pipeline import LAYERS
from wardgate.pipeline.audit.record import Record
from wardgate.pipeline.authorize.built_in import BUILT_IN
from wardgate.pipeline.authorize.policy_tests import run_tests
from wardgate.spi.errors import CLOSED_LIST
from wardgate.spi.hookspecs import PROJECT, Hooks
from wardgate.spi.operations.base import Action
from wardgate.spi.options import Option, describe
from wardgate_native.api.problems import STATUS
from wardgate_native.api.table import TABLE
from wardgate_vault.api import errors as vault_errors

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md"), *ROOT.glob("policies/*.md")])
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text()


def section(name: str, heading: str) -> str:
    """What stands between a heading and the next of its rank or above."""
    text = page(name)
    match = re.search(rf"^(#+) {re.escape(heading)}\n", text, re.MULTILINE)
    assert match, f"docs/{name}.md has no heading {heading!r}"
    rest = text[match.end() :]
    end = re.search(rf"^#{{1,{len(match[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def headings(text: str, rank: int) -> list[str]:
    return re.findall(rf"^{'#' * rank} (.+)$", BLOCK.sub("", text), re.MULTILINE)


def rows(text: str) -> list[list[str]]:
    """The rows of all tables whose first cell is one word of code, cell by cell."""
    found = re.findall(r"^\| `([^`]+)` \|(.*)\|$", text, re.MULTILINE)
    return [[first, *(cell.strip() for cell in rest.split(" |"))] for first, rest in found]


def blocks(text: str, language: str) -> list[str]:
    return [code for found, code in BLOCK.findall(text) if found == language]


def test_request_has_a_heading_for_each_layer_in_order() -> None:
    """The page reads as a request travels."""
    assert list(LAYERS) == headings(page("request"), 2)


def test_plugins_has_a_heading_for_each_hook() -> None:
    """What a plugin can offer, from the hook specifications themselves."""
    hooks = [name for name, member in vars(Hooks).items() if hasattr(member, f"{PROJECT}_spec")]
    assert hooks == headings(section("plugins", "Hooks"), 3)


def default_of(option: Option) -> str:
    if option.required:
        return "required"
    if option.default is None:
        return ""
    return f"`{str(option.default).lower()}`"


def test_config_has_a_heading_for_each_table_of_the_file() -> None:
    """In the page's own order, which begins with what must be set."""
    assert sorted(SECTIONS) == sorted(headings(page("config"), 2))


@pytest.mark.parametrize("name", SECTIONS)
def test_config_has_a_row_for_each_key(name: str) -> None:
    """Type, default and help are those of the declaration."""
    declared = [[one.name, one.type, default_of(one), one.help] for one in describe(SECTIONS[name])]
    assert declared == rows(section("config", name))


def test_the_configuration_shown_can_be_used(tmp_path: Path) -> None:
    """A reader may start from it."""
    (example,) = blocks(page("config"), "toml")
    file = tmp_path / "wardgate.toml"
    file.write_text(example)
    assert ("0.0.0.0", 8200) == load(file).listen


def test_errors_has_a_row_for_each_of_the_closed_list() -> None:
    """With its status in both APIs and its exit code."""
    declared = [
        [error.code, str(STATUS[error][0]), str(vault_errors.answer(error()).status), str(exits.of(error.code))]
        for error in CLOSED_LIST
    ]
    assert declared == [row[:4] for row in rows(page("errors"))]


def test_audit_has_a_row_for_each_field_of_a_record() -> None:
    """In the order they stand in a line, each with a sentence."""
    table = section("audit", "Records").partition("| field |")[2]
    assert list(Record.__struct_fields__) == [name for name, _ in rows(table)]
    assert [] == [name for name, sentence in rows(table) if not sentence.endswith(".")]


def test_policies_has_a_row_for_each_action() -> None:
    """All that a rule can name."""
    assert [action.value for action in Action] == [row[0] for row in rows(section("policies", "Actions"))][
        : len(Action)
    ]


def test_policies_has_a_row_for_each_built_in_policy() -> None:
    """Those that nobody writes."""
    assert list(BUILT_IN) == [row[0] for row in rows(section("policies", "Built-in policies"))]


def test_api_has_a_row_for_each_endpoint() -> None:
    """From the declarative table of the REST API."""
    documented = {row[0] for row in rows(page("api")) if "/api/v1/" in row[0]}
    assert {f"{method} /api/v1/{pattern}" for method, pattern in TABLE.endpoints} == documented


def tree(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """All commands that do something, with their words."""
    if not isinstance(command, click.Group):
        yield words, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from tree(found, (*words, name))


TREE = dict(tree(wardgate))
SHARED = {"--address", "--token-file", "--namespace", "--ca-file", "--allow-http", "--json", "--yes"}
"""Options that the page describes once, for all commands."""


@pytest.mark.parametrize("words", TREE, ids=" ".join)
def test_cli_has_each_command_with_its_options(words: tuple[str, ...]) -> None:
    """Under a heading of its own, so that nobody needs --help to know what there is."""
    text = section("cli", f"wardgate {' '.join(words)}")
    options = {name for one in TREE[words].params if isinstance(one, click.Option) for name in one.opts}
    assert set() == {name for name in options - SHARED if not re.search(rf"{name}\b", text)}


def test_cli_has_no_heading_for_a_command_that_is_gone() -> None:
    """Commands in the order of ``--help``, those of a group below it."""
    found = [heading for heading in headings(page("cli"), 2) if heading.startswith("wardgate ")]
    assert [f"wardgate {name}" for name in COMMANDS] == found
    below = {f"wardgate {' '.join(words)}" for words in TREE if len(words) > 1}
    assert below == set(headings(page("cli"), 3))


@pytest.mark.parametrize("option", sorted(SHARED))
def test_cli_describes_what_all_commands_share(option: str) -> None:
    """Before the first of them."""
    assert f"`{option}`" in page("cli").partition("\n## wardgate")[0]


def typed(text: str) -> Iterator[str]:
    """The lines that a page tells its reader to type."""
    for code in blocks(text, "sh"):
        yield from code.splitlines()
    for code in blocks(text, "console"):
        yield from (line[2:] for line in code.splitlines() if line.startswith("$ "))


def calls(line: str) -> Iterator[list[str]]:
    """The arguments of each ``wardgate`` in a line of shell, up to the next pipe, redirection or comment."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    words: list[str] | None = None
    for word in lexer:
        if set(word) <= set("|&;<>"):
            if words is not None:
                yield words
            words = None
        elif word == "wardgate" and words is None:
            words = []
        elif words is not None:
            words.append(word)
    if words is not None:
        yield words


def parse(arguments: list[str]) -> None:
    """Let the command line read the arguments without running anything. Raises what click raises."""
    command: click.Command = wardgate
    while isinstance(command, click.Group):
        context = click.Context(command)
        found = command.get_command(context, arguments[0]) if arguments else None
        if found is None:
            raise click.UsageError(f"no such command: {' '.join(arguments)}")
        command, arguments = found, arguments[1:]
    command.make_context(command.name, list(arguments))


TYPED = [
    pytest.param(arguments, id=f"{path.name}: {' '.join(arguments)}"[:100])
    for path in PAGES
    for line in typed(path.read_text())
    for arguments in calls(line)
]


@pytest.mark.parametrize("arguments", TYPED)
def test_a_command_that_a_page_shows_is_one(arguments: list[str]) -> None:
    """The real command line knows it, its options and the types of what they are given."""
    parse(arguments)


def test_a_command_that_does_not_exist_is_found() -> None:
    """The check above can fail: a wrong command, option or value, and a line is read as a shell reads it."""
    for line in ("wardgate gett secret/app", "wardgate get secret/app --fields a", "wardgate key create a --ttl soon"):
        (arguments,) = calls(line)
        with pytest.raises(click.ClickException):
            parse(arguments)
    assert [["put", "a", "b=-"], ["get", "a"]] == list(
        calls("echo x | wardgate put a b=- && wardgate get a > file # c")
    )
    assert len(TYPED) > 20


def mentioned() -> Iterator[tuple[str, str]]:
    for path in PAGES:
        for words in re.findall(r"`wardgate ([a-z][^`]*)`", BLOCK.sub("", path.read_text())):
            yield path.name, words


@pytest.mark.parametrize(("name", "words"), sorted(set(mentioned())))
def test_a_command_that_a_page_mentions_exists(name: str, words: str) -> None:
    """By its words and its options; what stands for an argument is free."""
    tokens = [token.strip("[]…") for token in words.split()]
    matches = [found for found in TREE if tuple(tokens[: len(found)]) == found]
    if not matches:
        assert any(found[: len(tokens)] == tuple(tokens) for found in TREE), f"{name}: wardgate {words}"
        return
    known = {option for one in TREE[matches[0]].params for option in one.opts}
    assert set() == {token for token in tokens if token.startswith("--")} - known


def test_start_s_policy_passes_its_tests(tmp_path: Path) -> None:
    """The documents as they stand on the page."""
    policy, tests = (code for code in blocks(page("start"), "toml"))
    (tmp_path / "payments.toml").write_text(policy)
    (tmp_path / "payments.test.toml").write_text(tests)
    results = run_tests([tmp_path / "payments.test.toml"])
    assert [True, True] == [result.passed for result in results]


def test_readme_s_python_is_python() -> None:
    """What talks to a server is run by the end-to-end tests; here it must at least be a program."""
    (program,) = blocks((ROOT / "README.md").read_text(), "python")
    compile(program, "README.md", "exec")


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as web hosts of repositories make them."""
    found = re.findall(r"^#+ (.+)$", BLOCK.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    """To a file that is there, and a heading that is there."""
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        linked = (path.parent / file).resolve() if file else path
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked.read_text()), target


def test_each_page_is_reached_from_the_readme() -> None:
    """None is left lying about."""
    text = (ROOT / "README.md").read_text()
    assert [] == [page.name for page in sorted(DOCS.glob("*.md")) if f"docs/{page.name}" not in text]


def test_contributing_explains_each_part_of_make_test() -> None:
    """Every red light of the one command has its row, and none names a part that is gone."""
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[1].split())  # type: ignore[index]
    parts = re.search(r"^test: (.+)$", makefile, re.MULTILINE)[1].split()  # type: ignore[index]
    text = (ROOT / "CONTRIBUTING.md").read_text()
    assert [] == [part for part in parts if f"`make {part}`" not in text]
    for path in PAGES:
        assert set(re.findall(r"`make (\w+)`", path.read_text())) <= targets


def made(*arguments: str) -> str:
    """What ``make`` would run."""
    return subprocess.run(["make", "-n", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_make_run_listens_where_the_readme_says() -> None:
    """LISTEN= reaches the command, and is left out when it is not given."""
    (argument,) = re.findall(r"`make run (LISTEN=[^`]*)`", (ROOT / "README.md").read_text())
    _, _, address = argument.partition("=")
    assert f"wardgate dev --listen '{address}'" in made("run", argument)
    assert "--listen" not in made("run", "LISTEN=")


def test_make_install_says_what_it_begins() -> None:
    """Nothing else is said while the packages come."""
    assert 'echo "installing into .venv ..."' in made("install")


@pytest.mark.parametrize(("given", "used"), [({}, "1"), ({"UV_SYSTEM_CERTS": "0"}, "0")])
def test_make_trusts_what_the_machine_trusts(given: dict[str, str], used: str) -> None:
    """So that a proxy's own authority is enough; whoever says otherwise is heard."""
    environment = {name: value for name, value in os.environ.items() if name != "UV_SYSTEM_CERTS"} | given
    command = ["make", "--no-print-directory", "--eval", "shown: ; @echo $$UV_SYSTEM_CERTS", "shown"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert f"{used}\n" == ended.stdout


def test_the_readme_counts_the_lines_to_paste() -> None:
    """As many as ``dev`` prints."""
    exported = re.findall(r"^  export ", welcome("http://127.0.0.1:8200", "t"), re.MULTILINE)
    assert 3 == len(exported)
    assert "three indented lines that begin with `export`" in (ROOT / "README.md").read_text()


def test_contributing_names_tests_that_are_there() -> None:
    """A row that names a test file, or a folder, names one."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    for name in set(re.findall(r"`(test_\w+)`", text)):
        assert list(ROOT.glob(f"tests/**/{name}.py")), name
    for folder in set(re.findall(r"`(tests/\w+)`", text)):
        assert (ROOT / folder).is_dir(), folder
