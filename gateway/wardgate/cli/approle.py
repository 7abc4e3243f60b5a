"""``wardgate approle``: roles for machines, their ids, and the login."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wardgate.cli import output, values
from wardgate.cli.duration import Duration
from wardgate.cli.failure import Failure
from wardgate.cli.paths import path_of
from wardgate.cli.session import Session, client_options

if TYPE_CHECKING:
    from wardgate.cli.client import Client

REFUSED = "Check both ids; a secret id may be expired or used up."
_USES = click.IntRange(min=0)
_ANYWHERE = "any"
_FIRST = "approle"
_of_method = click.option(
    "--method", default=_FIRST, show_default=True, help="The login method; `wardgate auth list` shows them."
)


@click.group()
def approle() -> None:
    """AppRole: machines prove themselves by a role id and a secret id."""


@approle.command("list")
@_of_method
@client_options
def list_(session: Session, method: str) -> None:
    """List the roles."""
    with session.client() as client:
        try:
            answer = client.json("GET", "approle/roles", query=_query(method))
        except Failure as failure:
            if failure.code == "secret_not_found":
                failure.hint = "Check the name; `wardgate auth list` shows the login methods."
            raise
    if session.json:
        output.as_json(answer)
        return
    output.table(("Role",), [(name,) for name in answer["roles"]], empty="There are no roles.")


@approle.command()
@click.argument("name")
@_of_method
@client_options
def read(session: Session, name: str, method: str) -> None:
    """Show the role NAME."""
    with session.client() as client:
        answer = client.json("GET", f"approle/roles/{path_of(name)}", query=_query(method))
    if session.json:
        output.as_json(answer)
        return
    output.facts([(name, " ".join(held) if isinstance(held, list) else str(held)) for name, held in answer.items()])


@approle.command()
@click.argument("name")
@click.option("--policy", "policies", multiple=True, help="A policy its tokens carry. May be repeated.")
@click.option(
    "--token-ttl",
    "token_ttl_seconds",
    type=Duration(),
    help="How long a token lives; 0: what its login method says, or else an hour.",
)
@click.option(
    "--token-max-ttl",
    "token_max_ttl_seconds",
    type=Duration(),
    help="How long renewals keep it alive; 0: what its login method says, or else 24 hours.",
)
@click.option("--token-period", "token_period_seconds", type=Duration(), help="What each renewal gives; 0: no period.")
@click.option(
    "--token-explicit-max-ttl",
    "token_explicit_max_ttl_seconds",
    type=Duration(),
    help="What no renewal goes beyond, even with a period; 0: no such end.",
)
@click.option("--token-uses", type=_USES, help="Requests of a token; 0: any number.")
@click.option("--token-network", "token_networks", multiple=True, help="Where its tokens hold, such as 10.0.0.0/8.")
@click.option("--bind-to-source/--no-bind-to-source", default=None, help="A token holds where its login came from.")
@click.option(
    "--secret-id-ttl", "secret_id_ttl_seconds", type=Duration(), help="How long a secret id lives; 0: no end."
)
@click.option("--secret-id-uses", type=_USES, help="Logins of a secret id; 0: any number.")
@click.option("--secret-id-network", "secret_id_networks", multiple=True, help="Where secret ids may log in from.")
@click.option("--bind-secret-id/--no-bind-secret-id", default=None, help="A login shows a secret id.")
@_of_method
@client_options
def write(session: Session, name: str, method: str, **named: Any) -> None:
    """Create the role NAME, or change it: what is not named stays as it is.

    A network of "any" takes all networks away. Repeated options name all there are to be, not one more.
    """
    role = {field: given for field, given in named.items() if given is not None and given != ()}
    for networks in ("token_networks", "secret_id_networks"):
        if role.get(networks) == (_ANYWHERE,):
            role[networks] = ()
    path = f"approle/roles/{path_of(name)}"
    with session.client() as client:
        kept = _kept(client, path, method)
        client.request("PUT", path, body={**kept, **role}, query=_query(method))
    output.done(session.json, f"Wrote the role {name}.")


def _query(method: str) -> dict[str, str]:
    return {} if method == _FIRST else {"method": method}  # a gateway of before knows no other


def _kept(client: Client, path: str, method: str) -> dict[str, Any]:
    """The role as it is, and so all its bounds; nothing where there is none yet."""
    try:
        role: dict[str, Any] = client.json("GET", path, query=_query(method))
    except Failure as failure:
        if failure.code != "secret_not_found":
            raise
        return {}
    del role["name"]
    return role


@approle.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_of_method
@client_options
def delete(session: Session, name: str, method: str, *, yes: bool) -> None:
    """Delete the role NAME, its secret ids, and the tokens they brought."""
    output.confirm(f"Delete the role {name}, its secret ids and its tokens?", yes=yes)
    with session.client() as client:
        client.request("DELETE", f"approle/roles/{path_of(name)}", query=_query(method))
    output.done(session.json, f"Deleted the role {name}.")


@approle.command("role-id")
@click.argument("name")
@_of_method
@client_options
def role_id(session: Session, name: str, method: str) -> None:
    """Print the id of the role NAME."""
    with session.client() as client:
        answer = client.json("GET", f"approle/roles/{path_of(name)}/role-id", query=_query(method))
    if session.json:
        output.as_json(answer)
    else:
        click.echo(answer["role_id"])


@approle.command("secret-id")
@click.argument("name")
@click.option(
    "--ttl",
    "ttl_seconds",
    type=Duration(),
    help="How long it lives, within the role's; 0: for ever, if the role sets no end.",
)
@click.option("--uses", type=_USES, help="Its logins, within the role's.")
@click.option("--network", "networks", multiple=True, help="Where it may log in from, within the role's.")
@click.option("--token-network", "token_networks", multiple=True, help="Where its tokens hold, within the role's.")
@click.option("--metadata", multiple=True, metavar="NAME=TEXT", help="What its tokens say of themselves.")
@_of_method
@client_options
def secret_id(session: Session, name: str, method: str, *, metadata: tuple[str, ...], **named: Any) -> None:
    """Issue a secret id for the role NAME; it is printed on stdout, this once."""
    body = {field: given for field, given in named.items() if given is not None}
    with session.client() as client:
        answer = client.json(
            "POST",
            f"approle/roles/{path_of(name)}/secret-ids",
            body={**body, "metadata": values.pairs(metadata)},
            query=_query(method),
        )
    if session.json:
        output.as_json(answer)
    else:
        output.once(answer["secret_id"], f"Secret id {answer['accessor']}, shown this once:")


@approle.command()
@click.option("--role-id", "role", required=True, help="The role's id.")
@click.option(
    "--secret-id-file", type=click.Path(dir_okay=False, path_type=Path),
    help="File that holds the secret id; else stdin, or a prompt.",
)  # fmt: skip
@_of_method
@client_options
def login(session: Session, role: str, secret_id_file: Path | None, method: str) -> None:
    """Prove a role, and print the token it brings on stdout."""
    sources = values.Sources()
    proof = sources.text(values.PROOF, "-" if secret_id_file is None else f"@{secret_id_file}").strip()
    with session.client(anonymous=True, refused=REFUSED) as client:
        answer = client.json("POST", "approle/login", body={"role_id": role, "secret_id": proof}, query=_query(method))
    if session.json:
        output.as_json(answer)
        return
    info = answer["info"]
    output.once(answer["token"], f"Token of {info['name']}, ends {info['expires_at'] or 'never'}:")
