"""``wardgate approle``: roles for machines, their ids, and the login."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from wardgate.cli import output, values
from wardgate.cli.duration import Duration
from wardgate.cli.paths import path_of
from wardgate.cli.session import Session, client_options

REFUSED = "Check both ids; a secret id may be expired or used up."


@click.group()
def approle() -> None:
    """AppRole: machines prove themselves by a role id and a secret id."""


@approle.command("list")
@client_options
def list_(session: Session) -> None:
    """List the roles."""
    with session.client() as client:
        answer = client.json("GET", "approle/roles")
    if session.json:
        output.as_json(answer)
        return
    output.table(("Role",), [(name,) for name in answer["roles"]], empty="There are no roles.")


@approle.command()
@click.argument("name")
@client_options
def read(session: Session, name: str) -> None:
    """Show the role NAME."""
    with session.client() as client:
        answer = client.json("GET", f"approle/roles/{path_of(name)}")
    if session.json:
        output.as_json(answer)
        return
    answer["policies"] = " ".join(answer["policies"])
    output.facts([(field, str(value)) for field, value in answer.items()])


@approle.command()
@click.argument("name")
@click.option("--policy", "policies", multiple=True, help="A policy its tokens carry. May be repeated.")
@click.option("--token-ttl", type=Duration(), default="0", help="How long a token lives; 0: the gateway's default.")
@click.option("--token-max-ttl", type=Duration(), default="0", help="How long renewals can keep it alive.")
@click.option("--secret-id-ttl", type=Duration(), default="0", help="How long a secret id lives.")
@click.option("--secret-id-uses", type=click.IntRange(min=0), default=0, help="Logins of a secret id; 0: any number.")
@client_options
def write(
    session: Session,
    name: str,
    policies: tuple[str, ...],
    token_ttl: int,
    token_max_ttl: int,
    secret_id_ttl: int,
    secret_id_uses: int,
) -> None:
    """Create the role NAME, or replace it whole."""
    body: dict[str, Any] = {
        "policies": list(policies),
        "token_ttl_seconds": token_ttl,
        "token_max_ttl_seconds": token_max_ttl,
        "secret_id_ttl_seconds": secret_id_ttl,
        "secret_id_uses": secret_id_uses,
    }
    with session.client() as client:
        client.request("PUT", f"approle/roles/{path_of(name)}", body=body)
    output.done(session.json, f"Wrote the role {name}.")


@approle.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@client_options
def delete(session: Session, name: str, *, yes: bool) -> None:
    """Delete the role NAME, its secret ids, and the tokens they brought."""
    output.confirm(f"Delete the role {name}, its secret ids and its tokens?", yes=yes)
    with session.client() as client:
        client.request("DELETE", f"approle/roles/{path_of(name)}")
    output.done(session.json, f"Deleted the role {name}.")


@approle.command("role-id")
@click.argument("name")
@client_options
def role_id(session: Session, name: str) -> None:
    """Print the id of the role NAME."""
    with session.client() as client:
        answer = client.json("GET", f"approle/roles/{path_of(name)}/role-id")
    if session.json:
        output.as_json(answer)
    else:
        click.echo(answer["role_id"])


@approle.command("secret-id")
@click.argument("name")
@client_options
def secret_id(session: Session, name: str) -> None:
    """Issue a secret id for the role NAME; it is printed on stdout, this once."""
    with session.client() as client:
        answer = client.json("POST", f"approle/roles/{path_of(name)}/secret-ids")
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
@client_options
def login(session: Session, role: str, secret_id_file: Path | None) -> None:
    """Prove a role, and print the token it brings on stdout."""
    sources = values.Sources()
    proof = sources.text("secret id", "-" if secret_id_file is None else f"@{secret_id_file}").strip()
    with session.client(anonymous=True, refused=REFUSED) as client:
        answer = client.json("POST", "approle/login", body={"role_id": role, "secret_id": proof})
    if session.json:
        output.as_json(answer)
        return
    info = answer["info"]
    output.once(answer["token"], f"Token of {info['name']}, ends {info['expires_at'] or 'never'}:")
