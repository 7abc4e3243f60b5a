"""``wardgate policy``: what principals may do, and why."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wardgate.cli import exits, output, values
from wardgate.cli.client import path_of
from wardgate.cli.failure import Failure
from wardgate.cli.session import Session, client_options, json_option
from wardgate.cli.terminal import printable
from wardgate.spi import strict_json
from wardgate.spi.errors import Malformed
from wardgate.spi.operations.base import Action
from wardgate.spi.policy_document import parse_policy

if TYPE_CHECKING:
    from wardgate.pipeline.authorize.policy_tests import PolicyTestResult


@click.group()
def policy() -> None:
    """Policies: default deny, and an explicit deny wins."""


@policy.command("list")
@client_options
def list_(session: Session) -> None:
    """List the policies of the namespace."""
    with session.client() as client:
        answer = client.json("GET", "policies")
    if session.json:
        output.as_json(answer)
        return
    output.table(("Policy",), [(name,) for name in answer["policies"]], empty="There are no policies.")


@policy.command()
@click.argument("name")
@client_options
def read(session: Session, name: str) -> None:
    """Print the policy NAME as JSON that `write` takes back."""
    with session.client() as client:
        answer = client.json("GET", f"policies/{path_of(name)}")
    if not session.json:
        answer.pop("built_in")
    output.as_json(answer)


@policy.command()
@click.argument("name")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
@client_options
def write(session: Session, name: str, file: str) -> None:
    """Create or replace the policy NAME from FILE (or -), TOML or JSON. A bad one is refused, the old one kept."""
    data = values.Sources().whole(None if file == "-" else Path(file))
    document = _document(data, "stdin" if file == "-" else file)
    parse_policy(document, name=name)
    with session.client() as client:
        client.request("PUT", f"policies/{path_of(name)}", body=document)
    output.done(session.json, f"Wrote the policy {name}.")


def _document(data: bytes, file: str) -> dict[str, Any]:
    """JSON where it begins with a brace, else TOML. Raises Failure, which names the file and the place."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Failure(f"{file} is not UTF-8 text", code="malformed") from None
    if not text.lstrip().startswith("{"):
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise Failure(f"{file} is not TOML: {error}", code="malformed") from None
    try:
        document = strict_json.loads(data)
    except Malformed as error:
        raise Failure(f"{file} is not JSON: {_place(text) or error.message}", code="malformed") from None
    assert isinstance(document, dict)
    return document


def _place(text: str) -> str:
    """Where the JSON breaks off; empty when it is only the strict reader that refuses it."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return f"line {error.lineno}, column {error.colno}"
    except (ValueError, RecursionError):
        pass
    return ""


@policy.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@client_options
def delete(session: Session, name: str, *, yes: bool) -> None:
    """Delete the policy NAME; principals that carry it lose what it gave."""
    output.confirm(f"Delete the policy {name}?", yes=yes)
    with session.client() as client:
        client.request("DELETE", f"policies/{path_of(name)}")
    output.done(session.json, f"Deleted the policy {name}.")


@policy.command()
@click.argument("action", type=click.Choice([action.value for action in Action]))
@click.argument("path")
@click.option("--policy", "policies", multiple=True, help="A policy the principal carries. May be repeated.")
@client_options
def explain(session: Session, action: str, path: str, policies: tuple[str, ...]) -> None:
    """Would a principal with these policies be allowed ACTION at PATH, and which rule decides?

    A PATH that ends in a slash is a folder. Answers with 0, whichever way it is decided.
    """
    body: dict[str, Any] = {"policies": list(policies), "action": action, "path": path}
    with session.client() as client:
        answer = client.json("POST", "explain", body=body)
    if session.json:
        output.as_json(answer)
        return
    verdict = "allowed" if answer["allowed"] else "denied"
    if answer["rule"] is None:
        click.echo(f"{verdict}: no rule allows it")
        return
    rule = answer["rule"]
    said = f"{rule['effect']} {' '.join(rule['actions'])} on {' '.join(rule['paths'])}"
    click.echo(printable(f"{verdict} by policy {answer['policy']}: {said}"))


@policy.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@json_option
@click.pass_context
def test(ctx: click.Context, files: tuple[Path, ...], *, as_json: bool) -> None:
    """Run the tests in FILES (TOML) against the policies they load. Needs no gateway; ends in 1 when one fails."""
    from wardgate.pipeline.authorize.policy_tests import run_tests  # noqa: PLC0415  # the policy engine takes a while

    results = run_tests(files)
    failed = [result for result in results if not result.passed]
    if as_json:
        output.as_json({"ran": len(results), "failed": [_told(result) for result in failed]})
    else:
        for result in failed:
            told = _told(result)
            by = f"rule of {told['policy']}" if told["policy"] else "no rule"
            said = f"{told['file']}, test {told['number']}: {told['action']} {told['path']} is "
            click.echo(printable(f"{said}{told['got']}, not {told['expect']} (by {by})"))
        click.echo(f"{len(results)} tests, {len(failed)} failed")
    ctx.exit(exits.FAILURE if failed else exits.OK)


def _told(result: PolicyTestResult) -> dict[str, Any]:
    return {
        "file": str(result.test.file),
        "number": result.test.number,
        "action": result.test.action.value,
        "path": str(result.test.path),
        "expect": result.test.expect,
        "got": "allow" if result.explanation.allowed else "deny",
        "policy": result.explanation.policy,
    }
