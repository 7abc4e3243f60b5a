"""``wardgate plugin new``: a distribution with a small working backend, to begin from."""

from __future__ import annotations

import re
from pathlib import Path

import click

from wardgate.cli import output
from wardgate.cli.failure import Failure
from wardgate.cli.session import json_option

TEMPLATES = Path(__file__).parent / "templates"
FILES = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "wardgate_{name}/backend.py": "backend.py",
    "wardgate_{name}/plugin.py": "plugin.py",
    "tests/test_{name}_conforms.py": "conforms.py",
}


@click.group()
def plugin() -> None:
    """Plugins of your own: begin one."""


@plugin.command()
@click.argument("name")
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), help="The folder to make; else NAME.")
@json_option
def new(name: str, into: Path | None, *, as_json: bool) -> None:
    """Make a distribution NAME with a small working backend and its tests."""
    from string import Template  # noqa: PLC0415  # what only a run needs

    if not re.fullmatch(r"[a-z][a-z0-9]{0,39}", name):
        raise Failure("a plugin's name is small letters and digits, and begins with a letter")
    folder = into or Path(name)
    if folder.exists():
        raise Failure(f"{folder} is there already; name another with --into")
    for target, template in FILES.items():
        file = folder / target.format(name=name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(Template((TEMPLATES / f"{template}.txt").read_text()).substitute(name=name))
    (folder / f"wardgate_{name}" / "__init__.py").write_text(f'"""The backend {name}."""\n')
    (folder / f"wardgate_{name}" / "py.typed").touch()
    if as_json:
        output.as_json({"plugin": name, "folder": str(folder)})
        return
    click.echo(
        f"uv pip install --editable {folder} wardgate-conformance pytest\npytest --import-mode=importlib {folder}"
    )
