"""``wardgate key``: API keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from wardgate.cli import output, terminal
from wardgate.cli.duration import Duration
from wardgate.cli.failure import Failure
from wardgate.cli.paths import path_of
from wardgate.cli.recovery import recover
from wardgate.cli.session import Session, client_options

if TYPE_CHECKING:
    from wardgate.cli.client import Client

OWN = "It is the key you are using: nothing more can be done with it."
LAST = (
    "It is the namespace's last administrator's key that has not expired: without another way in, only "
    "`wardgate key recover`, on the gateway's machine, makes a new one."
)


@click.group()
def key() -> None:
    """API keys: tokens that an administrator hands out."""


key.add_command(recover)


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
    """End the key ID now, in every worker.

    On a terminal it says first when that is the key in use, or the namespace's last administrator's.
    """
    output.must_be_askable(yes=yes)
    with session.client() as client:
        # A script asks for one thing and gets it: looking would use up a token of one use, and revoke nothing.
        if not yes or terminal.somebody_watches():
            for sentence in _warnings(client, key_id):
                click.echo(sentence, err=True)
        output.confirm(f"Revoke the key {key_id}?", yes=yes)
        client.request("DELETE", f"keys/{path_of(key_id)}")
    output.done(session.json, f"Revoked the key {key_id}.")


def _warnings(client: Client, key_id: str) -> list[str]:
    """What the end of this key takes away; what the caller may not know is not said."""
    from wardgate.spi.operations.policies import ADMINISTRATOR  # noqa: PLC0415  # --help does without

    own = _if_allowed(client, "token")
    keys = (_if_allowed(client, "keys") or {}).get("keys", ())
    administrators = [one["id"] for one in keys if ADMINISTRATOR in one["policies"]]
    said = [OWN] if own and own["id"] == key_id else []
    return [*said, LAST] if administrators == [key_id] else said


def _if_allowed(client: Client, path: str) -> Any:
    try:
        return client.json("GET", path)
    except Failure as failure:
        if failure.code in {"permission_denied", "secret_not_found"}:
            return None
        raise
