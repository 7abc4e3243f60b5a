"""``wardgate key``: API keys."""

from __future__ import annotations

from typing import Any

import click

from wardgate.cli import output
from wardgate.cli.duration import Duration
from wardgate.cli.paths import path_of
from wardgate.cli.session import Session, client_options


@click.group()
def key() -> None:
    """API keys: tokens that an administrator hands out."""


@key.command("list")
@client_options
def list_(session: Session) -> None:
    """List the keys of the namespace, without their tokens."""
    with session.client() as client:
        answer = client.json("GET", "keys")
    if session.json:
        output.as_json(answer)
        return
    rows = [
        (
            one["id"],
            one["name"],
            " ".join(one["policies"]),
            output.moment(one["created_at"]),
            output.moment(one["expires_at"]) or "never",
        )
        for one in answer["keys"]
    ]
    output.table(("Id", "Name", "Policies", "Created", "Ends"), rows, empty="There are no keys.")


@key.command()
@click.argument("name")
@click.option("--policy", "policies", multiple=True, required=True, help="A policy it carries. May be repeated.")
@click.option(
    "--ttl",
    type=Duration(never=True),
    default="90d",
    show_default=True,
    help="How long it lives: 24h, 90d, or never; not 0.",
)
@client_options
def create(session: Session, name: str, policies: tuple[str, ...], ttl: int | None) -> None:
    """Issue a key called NAME; its token is printed on stdout, this once."""
    body: dict[str, Any] = {"name": name, "policies": list(policies), "ttl_seconds": ttl}
    with session.client() as client:
        answer = client.json("POST", "keys", body=body)
    if session.json:
        output.as_json(answer)
        return
    info = answer["info"]
    output.once(answer["token"], f"Key {info['id']}, ends {info['expires_at'] or 'never'}; shown this once:")


@key.command()
@click.argument("key_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@client_options
def revoke(session: Session, key_id: str, *, yes: bool) -> None:
    """End the key ID now, in every worker."""
    output.confirm(f"Revoke the key {key_id}?", yes=yes)
    with session.client() as client:
        client.request("DELETE", f"keys/{path_of(key_id)}")
    output.done(session.json, f"Revoked the key {key_id}.")
