"""The page for a plugin's author shows the code of a plugin that is shipped, and it cannot drift from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/plugins.md").read_text()
CODE = re.compile(r"\]\((\.\./plugins/[^)]+\.\w+)\)|^```(?:python|toml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def pieces() -> list[tuple[str, str]]:
    """Each piece of code with the file that was linked last before it."""
    found, file = [], ""
    for linked, code in CODE.findall(PAGE):
        file = linked or file
        if code:
            found.append((file, code))
    return found


@pytest.mark.parametrize(("file", "code"), pieces())
def test_the_code_on_the_page_is_the_plugin_s_own(file: str, code: str) -> None:
    """Line for line, from the file that the text before it names."""
    assert code in (ROOT / "docs" / file).read_text(), f"{file} has changed: show what it says now"


def test_every_module_of_the_example_is_shown() -> None:
    """A reader has seen a piece of each; an empty one, and the package's own, have nothing to show."""
    shown = {Path(file).name for file, _ in pieces()}
    modules = {path.name for path in ROOT.glob("plugins/files/wardgate_files/*.py")} - {"__init__.py"}
    assert modules | {"pyproject.toml", "test_files_conforms.py"} == shown


def test_the_files_of_a_new_plugin_are_told() -> None:
    """Those that the template makes and an author edits."""
    templates = ROOT / "gateway/wardgate/cli/templates"
    made = {str(path.relative_to(templates)).replace("NAME", "demo") for path in templates.rglob("*.py.txt")}
    told = set(re.findall(r"^\| `(.+\.py)` \|", PAGE, re.MULTILINE))
    assert {path.removesuffix(".txt") for path in made} - {"wardgate_demo/__init__.py"} == told


def test_the_example_is_as_short_as_the_page_says() -> None:
    """Within ten lines."""
    (said,) = re.findall(r"in some (\d+) lines", PAGE)
    lines = len((ROOT / "plugins/files/wardgate_files/backend.py").read_text().splitlines())
    assert abs(int(said) - lines) < 10
