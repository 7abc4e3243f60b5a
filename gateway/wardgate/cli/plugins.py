"""``wardgate plugins``: what plugins offer, from their own descriptions."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wardgate.cli import output
from wardgate.cli.session import json_option
from wardgate.cli.terminal import printable
from wardgate.spi.errors import WardgateError

if TYPE_CHECKING:
    from wardgate.spi.hookspecs import BackendType


@click.command()
@click.argument("names", nargs=-1)
@click.option("--config", type=click.Path(dir_okay=False, path_type=Path), help="Show the plugins this file names.")
@click.option("--table", is_flag=True, help="Print what their stores can do, as a table in Markdown.")
@json_option
def plugins(names: tuple[str, ...], config: Path | None, *, table: bool, as_json: bool) -> None:
    """Show what the plugins NAMES offer, and the options of each type; without NAMES those that `serve` loads."""
    import importlib.metadata  # noqa: PLC0415  # what only a run needs

    from wardgate.config import DEFAULT_PLUGINS, load  # noqa: PLC0415  # what only some commands need
    from wardgate.registry import Registry  # noqa: PLC0415
    from wardgate.spi.hookspecs import ENTRY_POINT_GROUP  # noqa: PLC0415

    named = names or (load(config).plugins if config else DEFAULT_PLUGINS)
    registry = Registry.load(named)  # all at once, so that a clash shows
    if table and not as_json:
        from wardgate.cli import declared  # noqa: PLC0415  # what only this option needs

        click.echo(declared.table(registry.backend_types.values()))
        return
    shown = [_described(name) for name in named]
    installed = sorted({point.name for point in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP)})
    if as_json:
        output.as_json({"plugins": shown, "installed": installed})
        return
    for plugin in shown:
        _print(plugin)
    others = sorted(set(installed) - set(named))
    if others:
        click.echo(f"Installed, and not shown: {', '.join(others)}")


def offering(kind: str) -> tuple[str, BackendType] | None:
    """The installed plugin that offers backends of this type, and the type.

    Only if the plugins that `serve` loads by default do not know it, the others that are installed are imported.
    """
    import importlib.metadata  # noqa: PLC0415  # what only a run needs

    from wardgate.config import DEFAULT_PLUGINS  # noqa: PLC0415  # what only some commands need
    from wardgate.registry import Registry  # noqa: PLC0415
    from wardgate.spi.hookspecs import ENTRY_POINT_GROUP  # noqa: PLC0415

    installed = sorted(importlib.metadata.entry_points(group=ENTRY_POINT_GROUP).names)
    for name in dict.fromkeys((*DEFAULT_PLUGINS, *installed)):
        with contextlib.suppress(WardgateError):
            found = Registry.load((name,)).backend_types.get(kind)
            if found is not None:
                return name, found
    return None


def _described(name: str) -> dict[str, Any]:
    from wardgate.registry import Registry  # noqa: PLC0415

    registry = Registry.load((name,))
    kinds: Sequence[tuple[str, Mapping[str, Any]]] = (
        ("backend", registry.backend_types),
        ("front-end", registry.frontend_types),
        ("authenticator", registry.authenticator_types),
    )
    return {"name": name, "types": [_type(kind, one) for kind, types in kinds for one in types.values()]}


def _type(kind: str, one: Any) -> dict[str, Any]:
    from wardgate.spi.options import describe  # noqa: PLC0415

    options = [
        {
            "name": option.name,
            "type": option.type,
            "required": option.required,
            "secret": option.secret,
            "default": None if option.secret else option.default,
            "help": option.help,
        }
        for option in describe(one.options)
    ]
    claims = list(one.claims.path_prefixes) if kind == "front-end" else []
    return {
        "kind": kind, "name": one.name, "status": one.status, "help": one.help, "claims": claims, "options": options,
    }  # fmt: skip


def _print(plugin: dict[str, Any]) -> None:
    click.echo(f"{plugin['name']}")
    for one in plugin["types"]:
        claims = f" at {' '.join(one['claims'])}" if one["claims"] else ""
        click.echo(printable(f"  {one['kind']} {one['name']}{claims} ({one['status']}): {one['help']}"))
        for option in one["options"]:
            marks = ", ".join(mark for mark in ("required", "secret") if option[mark])
            default = "" if option["required"] or option["default"] is None else f" (default: {option['default']})"
            of = f"{option['type']}, {marks}" if marks else option["type"]
            click.echo(printable(f"    {option['name']}: {of}. {option['help']}{default}"))
