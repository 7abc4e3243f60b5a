"""``wardgate namespace``: the children of a namespace."""

from __future__ import annotations

import shlex

import click

from wardgate.cli import output
from wardgate.cli.failure import Failure
from wardgate.cli.paths import name_of, path_of
from wardgate.cli.session import Session, client_options


@click.group()
def namespace() -> None:
    """Child namespaces: hard boundaries of mounts, policies, principals and keys."""


@namespace.command("list")
@client_options
def list_(session: Session) -> None:
    """List the direct children of the namespace."""
    with session.client() as client:
        answer = client.json("GET", "namespaces")
    if session.json:
        output.as_json(answer)
        return
    rows = [(one["path"], one["id"], output.moment(one["created_at"])) for one in answer["namespaces"]]
    output.table(("Path", "Id", "Created"), rows, empty="There are no child namespaces.")


@namespace.command()
@click.argument("name")
@client_options
def create(session: Session, name: str) -> None:
    """Create the child NAME, and print its first administrator's key, once, on stdout."""
    with session.client() as client:
        answer = client.json("POST", "namespaces", body={"name": _named(name)})
    if session.json:
        output.as_json(answer)
        return
    administrator = answer["administrator"]
    note = (
        f"Created the namespace {answer['namespace']['path']}. Its administrator's key, shown this once, "
        f"ends {administrator['info']['expires_at'] or 'never'}:"
    )
    output.once(administrator["token"], note)


@namespace.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@client_options
def delete(session: Session, name: str, *, yes: bool) -> None:
    """Delete the child NAME, which must have no mounts and no children. Its keys and policies end with it."""
    name = _named(name)
    output.confirm(f"Delete the namespace {name}, its keys and its policies, for ever?", yes=yes)
    with session.client() as client:
        try:
            client.request("DELETE", f"namespaces/{path_of(name)}")
        except Failure as failure:
            if failure.code == "conflict" and "has mounts" in failure.message:
                whole = "/".join(part for part in (session.namespace.strip("/"), name) if part)
                failure.hint = f"There, `wardgate mount remove PREFIX --namespace {shlex.quote(whole)}` does it."
            raise
    output.done(session.json, f"Deleted the namespace {name}.")


def _named(name: str) -> str:
    return name_of(name, "child namespace", such_as="team")
