"""``wardgate auth``: the ways to log in."""

from __future__ import annotations

from typing import Any

import click

from wardgate.cli import output
from wardgate.cli.duration import Duration
from wardgate.cli.paths import name_of, path_of
from wardgate.cli.session import Session, client_options

_OWN = "the gateway's own"


@click.group()
def auth() -> None:
    """Login methods: AppRole, under one name or several."""


@auth.command("list")
@client_options
def list_(session: Session) -> None:
    """List all login methods of the namespace."""
    with session.client() as client:
        answer = client.json("GET", "auth-methods")
    if session.json:
        output.as_json(answer)
        return
    rows = [
        (
            f"{one['name']}/",
            one["type"],
            _lasting(one["default_lease_ttl_seconds"]),
            _lasting(one["max_lease_ttl_seconds"]),
            one["description"],
        )
        for one in answer["methods"]
    ]
    output.table(("Name", "Type", "Default TTL", "Max TTL", "Description"), rows, empty="There are no login methods.")


@auth.command()
@click.argument("name")
@click.option("--description", default="", help="A sentence for people.")
@click.option(
    "--default-ttl", type=Duration(), default=0, help="How long its tokens live where their role says nothing."
)
@click.option("--max-ttl", type=Duration(), default=0, help="The longest its tokens live, whatever their role says.")
@client_options
def enable(session: Session, name: str, description: str, default_ttl: int, max_ttl: int) -> None:
    """Enable AppRole under a further NAME, with roles of its own."""
    body = {
        "name": _named(name),
        "description": description,
        "default_lease_ttl_seconds": default_ttl,
        "max_lease_ttl_seconds": max_ttl,
    }
    with session.client() as client:
        answer = client.json("POST", "auth-methods", body=body)
    if session.json:
        output.as_json(answer)
    else:
        click.echo(f"Enabled {answer['type']} at {answer['name']}/.", err=True)


@auth.command()
@click.argument("name")
@click.option("--description", default=None, help="A sentence for people.")
@click.option("--default-ttl", type=Duration(), default=None, help="As of enable; 0 for the gateway's own.")
@click.option("--max-ttl", type=Duration(), default=None, help="As of enable; 0 for the gateway's own.")
@client_options
def tune(session: Session, name: str, **named: Any) -> None:
    """Change how the method NAME is described and how long its tokens to come live; what is left out stays."""
    fields = {
        "description": "description",
        "default_ttl": "default_lease_ttl_seconds",
        "max_ttl": "max_lease_ttl_seconds",
    }
    body = {fields[option]: given for option, given in named.items() if given is not None}
    if not body:
        raise click.UsageError("say what to change: --description, --default-ttl or --max-ttl")
    with session.client() as client:
        answer = client.json("PATCH", f"auth-methods/{path_of(_named(name))}", body=body)
    if session.json:
        output.as_json(answer)
    else:
        click.echo(f"Tuned the login method {answer['name']}/.", err=True)


@auth.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@client_options
def disable(session: Session, name: str, *, yes: bool) -> None:
    """Disable the method NAME: its roles, their secret ids and the tokens they brought end."""
    name = _named(name)
    output.confirm(f"Disable {name}/, with its roles, their secret ids and the tokens they brought?", yes=yes)
    with session.client() as client:
        client.request("DELETE", f"auth-methods/{path_of(name)}")
    output.done(session.json, f"Disabled {name}/.")


def _named(name: str) -> str:
    return name_of(name, "login method", such_as="ci")


def _lasting(seconds: int) -> str:
    return f"{seconds}s" if seconds else _OWN
