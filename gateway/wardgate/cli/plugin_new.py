"""``wardgate plugin new``: a distribution with a small working backend, to begin from."""

from __future__ import annotations

import re
from pathlib import Path

import click

from wardgate.cli import output
from wardgate.cli.failure import Failure
from wardgate.cli.session import json_option

TEMPLATES = Path(__file__).parent / "templates"
"""The tree that is made: NAME stands for the plugin's in the names of files, and .txt is left out."""
NAME = re.compile(r"[a-z][a-z0-9]{0,39}")
MEMBER = "uv lock\nuv sync --all-packages\nuv run pytest -n0 {folder}"
STRANGER = """\
# where wardgate and wardgate-conformance are installed:
uv pip install --editable {folder}
pytest --import-mode=importlib {folder}"""


@click.group()
def plugin() -> None:
    """Plugins of your own: begin one."""


@plugin.command()
@click.argument("name")
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), help="The folder to make; else NAME.")
@json_option
def new(name: str, into: Path | None, *, as_json: bool) -> None:
    """Make a distribution NAME with a small working backend and its tests."""
    _check_name(name)
    folder = into or Path(name)
    if folder.exists():
        raise Failure(f"{folder} is there already; name another with --into", code="already_exists")
    if not folder.parent.is_dir():
        told = f"there is no folder {folder.parent} to make {folder.name} in; make it first, or see --into"
        raise Failure(told, code="invalid_value")
    try:
        _make(name, folder)
    except OSError as problem:
        raise Failure(f"{folder} could not be made: {problem.strerror}") from None
    if as_json:
        output.as_json({"plugin": name, "folder": str(folder)})
        return
    click.echo((MEMBER if _in_workspace(folder) else STRANGER).format(folder=folder))


def _check_name(name: str) -> None:
    from importlib.metadata import entry_points  # noqa: PLC0415  # what only a run needs
    from importlib.util import find_spec  # noqa: PLC0415

    if not NAME.fullmatch(name):
        plain = NAME.search(re.sub(r"[^a-z0-9]", "", name.lower()))
        hint = f": {plain[0]}, for example" if plain else ""
        told = f"a plugin's name is up to 40 small letters and digits, and begins with a letter{hint}"
        raise Failure(told, code="invalid_value")
    # A gateway that is told to load one of two plugins of one name does not start.
    if find_spec(f"wardgate_{name}") or entry_points(group="wardgate.plugins", name=name):
        told = f"there is a plugin or a package wardgate_{name} already; choose another name"
        raise Failure(told, code="already_exists")


def _make(name: str, folder: Path) -> None:
    from string import Template  # noqa: PLC0415  # what only a run needs

    for template in sorted(TEMPLATES.rglob("*.txt")):
        place = template.relative_to(TEMPLATES).as_posix().removesuffix(".txt").replace("NAME", name)
        file = folder / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(Template(template.read_text()).substitute(name=name, title=name.capitalize()))


def _in_workspace(folder: Path) -> bool:
    """Whether it became a member of Wardgate's own workspace, which uv brings up to date by itself."""
    around = folder.resolve().parent
    return around.name == "plugins" and (around.parent / "uv.lock").is_file()
