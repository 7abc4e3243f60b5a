"""``wardgate plugins``: what plugins offer, from their own descriptions."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wardgate.cli import output
from wardgate.cli.session import json_option
from wardgate.cli.terminal import printable
from wardgate.spi.errors import WardgateError

if TYPE_CHECKING:
    from wardgate.spi.capabilities import Declaration
    from wardgate.spi.hookspecs import BackendType


@click.command()
@click.argument("names", nargs=-1)
@click.option("--config", type=click.Path(dir_okay=False, path_type=Path), help="Show the plugins this file names.")
@click.option("--table", is_flag=True, help="Print what their stores can do, as a table in Markdown.")
@json_option
def plugins(names: tuple[str, ...], config: Path | None, *, table: bool, as_json: bool) -> None:
    """Show what the plugins NAMES offer, and the options of each type; without NAMES those that `serve` loads."""
    from wardgate.config import DEFAULT_PLUGINS, load  # noqa: PLC0415  # what only some commands need
    from wardgate.registry import Registry, installed  # noqa: PLC0415

    named = names or (load(config).plugins if config else DEFAULT_PLUGINS)
    registry = Registry.load(named)  # all at once, so that a clash shows
    if as_json:
        output.as_json({"plugins": [_described(name) for name in named], "installed": list(installed())})
        return
    if table:
        from wardgate.cli import declared  # noqa: PLC0415  # what only this option needs

        click.echo(declared.table(registry.backend_types.values()))
    else:
        for name in named:
            _print(_described(name))
    others = [name for name in installed() if name not in named]
    if others:
        click.echo(f"Installed, and not shown unless they are named: {', '.join(others)}", err=table)


def offering(kind: str) -> tuple[str, BackendType] | None:
    """The installed plugin that offers backends of this type, and the type.

    Only if the plugins that `serve` loads by default do not know it, the others that are installed are imported.
    """
    return next(((plugin, found) for plugin, found in _offered() if found.name == kind), None)


def unknown(kind: str) -> str:
    """That no installed plugin offers this type of store, and what may be meant by it."""
    from wardgate.spi.options import nearest  # noqa: PLC0415  # what only a slip of the pen needs

    offered = [(plugin, found.name) for plugin, found in _offered()]
    types = [name for plugin, name in offered if plugin == kind]
    if types:
        return f"{kind!r} is a plugin, and its types are {', '.join(types)}"
    return f"no plugin on this machine offers the type {kind!r}{nearest(kind, [name for _, name in offered])}"


def _offered() -> Iterator[tuple[str, BackendType]]:
    from wardgate.config import DEFAULT_PLUGINS  # noqa: PLC0415  # what only some commands need
    from wardgate.registry import Registry, installed  # noqa: PLC0415

    for name in dict.fromkeys((*DEFAULT_PLUGINS, *installed())):
        with contextlib.suppress(WardgateError):
            for found in Registry.load((name,)).backend_types.values():
                yield name, found


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
    told = {
        "kind": kind, "name": one.name, "status": one.status, "help": one.help, "claims": claims, "options": options,
    }  # fmt: skip
    if kind == "backend":
        told["stores"] = [_store(declaration) for declaration in one.declarations]
    return told


def _store(declaration: Declaration) -> dict[str, Any]:
    """What one kind of store can do, as the table has it."""
    from dataclasses import asdict  # noqa: PLC0415  # what only --json needs

    from wardgate.cli import declared  # noqa: PLC0415

    return {
        "name": declaration.name,
        "capabilities": asdict(declaration.capabilities),
        "emulated": sorted(declaration.emulated),
        "by_gateway": declared.by_gateway(declaration),
        "notes": dict(declaration.notes),
    }


def _print(plugin: dict[str, Any]) -> None:
    click.echo(f"{plugin['name']}")
    for one in plugin["types"]:
        claims = f" at {' '.join(one['claims'])}" if one["claims"] else ""
        click.echo(printable(f"  {one['kind']} {one['name']}{claims} ({one['status']}): {one['help']}"))
        for option in one["options"]:
            marks = ", ".join(mark for mark in ("required", "secret") if option[mark])
            default = "" if option["required"] or option["default"] is None else f" (default: {_as_given(option)})"
            of = f"{option['type']}, {marks}" if marks else option["type"]
            click.echo(printable(f"    {option['name']}: {of}. {option['help']}{default}"))


def _as_given(option: dict[str, Any]) -> str:
    """The default as ``mount add`` would be given it."""
    default = option["default"]
    return str(default).lower() if isinstance(default, bool) else str(default)
