"""``wardgate label``: labels of paths, which conditions of policies read."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import click

from wardgate.cli import output, values
from wardgate.cli.failure import Failure
from wardgate.cli.paths import folder_of
from wardgate.cli.session import Session, client_options

if TYPE_CHECKING:
    from wardgate.cli.client import Client


@click.group()
def label() -> None:
    """Labels of paths, kept by the gateway itself; conditions of policies read them."""


@label.command("list")
@click.argument("path", default="")
@client_options
def list_(session: Session, path: str) -> None:
    """List the labels that hold for PATH, and where each is set; without PATH, all labelled paths."""
    answer: dict[str, Any]
    with session.client() as client:
        answer = client.json("GET", f"labels/{folder_of(path)}") if path else {"items": _all(client)}
    if session.json:
        output.as_json(answer)
    elif path:
        held = [(name, one["value"], one["set_at"]) for name, one in sorted(answer["effective"].items())]
        output.table(("Label", "Value", "Set at"), held, empty="No label holds for this path.")
    else:
        rows = [(one["path"], _shown(one["labels"])) for one in answer["items"]]
        output.table(("Path", "Labels"), rows, empty="No path has labels.")


@label.command("set")
@click.argument("path")
@click.argument("labels", nargs=-1, required=True, metavar="NAME=TEXT...")
@client_options
def set_(session: Session, path: str, labels: tuple[str, ...]) -> None:
    """Set labels at PATH, for it and all below; those not named stay."""
    _change(session, path, dict(values.pairs(labels)))


@label.command()
@click.argument("path")
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option("--yes", is_flag=True, help="Do not ask.")
@client_options
def remove(session: Session, path: str, names: tuple[str, ...], *, yes: bool) -> None:
    """Take the labels NAME away from PATH; without NAME, all that are set at it."""
    what = " ".join(names) or "all labels"
    output.confirm(f"Take {what} away from {path}? Policies may turn on that.", yes=yes)
    with session.client() as client:
        _must_be_set(client, path, names)
    if names:
        _change(session, path, dict.fromkeys(names))
        return
    with session.client() as client:
        client.request("DELETE", f"labels/{folder_of(path)}")
    output.done(session.json, f"Took all labels away from {path}.")


def _must_be_set(client: Client, path: str, names: tuple[str, ...]) -> None:
    """Raise Failure for a label that is not set at the path itself; pass where that may not be looked at."""
    try:
        own = client.json("GET", f"labels/{folder_of(path)}")["labels"]
    except Failure as failure:
        if failure.code == "permission_denied":
            return
        raise
    hint = f"`wardgate label list {shlex.quote(path)}` shows which labels hold there, and where each is set."
    for name in names:
        if name not in own:
            raise Failure(f"{path} has no label {name!r} of its own", code="secret_not_found", hint=hint)
    if not own:
        raise Failure(f"{path} has no labels of its own", code="secret_not_found", hint=hint)


def _change(session: Session, path: str, changes: dict[str, str | None]) -> None:
    with session.client() as client:
        answer = client.json("PATCH", f"labels/{folder_of(path)}", body={"labels": changes})
    if session.json:
        output.as_json(answer)
    else:
        output.done(json_wanted=False, sentence=f"{path} has {_shown(answer['labels']) or 'no labels of its own'}.")


def _all(client: Client) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        page = client.json("GET", "labels", query={"after": after} if after else None)
        items += page["items"]
        after = page["after"]
    return items


def _shown(labels: dict[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted(labels.items()))
