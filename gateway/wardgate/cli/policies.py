"""``wardgate policy``: what principals may do, and why."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wardgate.cli import exits, output, values
from wardgate.cli.failure import Failure
from wardgate.cli.paths import path_of
from wardgate.cli.session import Session, client_options, json_option
from wardgate.cli.terminal import printable
from wardgate.spi import strict_json
from wardgate.spi.errors import InvalidValue, Malformed
from wardgate.spi.operations.base import Action

if TYPE_CHECKING:
    from wardgate.pipeline.authorize.policy_tests import PolicyTestResult
    from wardgate.spi.operations.policies import Policy

_HCL = re.compile(r'^\s*path\s+"', re.MULTILINE)
"""How a rule begins in Vault's text."""
_FACT = re.compile(r"^(?:\$\.)?facts\.(time|source|method|role|name|id)\b:?")
"""How the gateway calls what an option supposes."""


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
    _parsed(document, name=name)
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
        import tomllib  # noqa: PLC0415  # --help does without

        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            hint = "A policy in Vault's text is written by `bao policy write NAME FILE`." if _HCL.search(text) else ""
            raise Failure(f"{file} is not TOML: {error}", code="malformed", hint=hint) from None
    try:
        document = strict_json.loads(data)
    except Malformed as error:
        raise Failure(f"{file} is not JSON: {_place(text) or error.message}", code="malformed") from None
    assert isinstance(document, dict)
    return document


def _parsed(document: dict[str, Any], *, name: str = "") -> Policy:
    from wardgate.spi.policy_document import parse_policy  # noqa: PLC0415  # --help does without

    return parse_policy(document, name=name)


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
@click.argument("action", type=click.Choice([action.value for action in Action]), metavar="ACTION")
@click.argument("path")
@click.option("--policy", "policies", multiple=True, help="A policy the principal carries. May be repeated.")
@click.option("--source", help="Suppose it comes from this address.")
@click.option("--time", "moment", help="Suppose it is this time: 2026-12-24T18:00:00+01:00. By default it is now.")
@click.option("--method", help="Suppose the principal proved itself so: key, approle.")
@click.option("--role", help="Suppose it has this role.")
@click.option("--name", help="Suppose the principal has this name.")
@click.option("--id", "identity", help="Suppose the principal has this id.")
@click.option("--attribute", "attributes", multiple=True, metavar="NAME=TEXT", help="Suppose the principal has this.")
@click.option(
    "--label", "labels", multiple=True, metavar="NAME=TEXT",
    help="Suppose the path has this label, and no others. By default it has those that are set.",
)  # fmt: skip
@client_options
def explain(session: Session, action: str, path: str, policies: tuple[str, ...], **supposed: Any) -> None:
    """Would a principal with these policies be allowed ACTION at PATH, and which rule decides?

    ACTION is read, describe, list, write, annotate, delete, undelete, destroy, rotate or manage.
    A PATH that ends in a slash is a folder. Answers with 0, whichever way it is decided.
    """
    body: dict[str, Any] = {"policies": list(policies), "action": action, "path": path, "facts": _facts(**supposed)}
    with session.client() as client:
        try:
            answer = client.json("POST", "explain", body=body)
        except Failure as failure:
            raise failure.reworded(_FACT.sub(r"--\1", failure.message)) from None
    if session.json:
        output.as_json(answer)
        return
    verdict = "allowed" if answer["allowed"] else "denied"
    rule = answer["rule"]
    if rule is None:
        alone = "" if policies else ", of the policy 'default' alone; name others with --policy"
        click.echo(f"{verdict}: no rule allows it{alone}")
    else:
        said = f"{rule['effect']} {' '.join(rule['actions'])} on {' '.join(rule['paths'])}"
        when = f" when {_one_line(rule['when'])}" if rule.get("when") else ""
        click.echo(printable(f"{verdict} by policy {answer['policy']}: {said}{when}"))
    for one in answer["considered"]:
        applies = "applies" if one["applies"] else "does not apply"
        read = ", ".join(f"{name} is {_shown(value)}" for name, value in one["attributes"].items())
        said = (
            f"  rule {one['number']} of {one['policy']} ({one['effect']}) {applies}: "
            f"{_one_line(one['when'])} is {one['outcome']}"
        )
        click.echo(printable(f"{said}; {read}"))


def _facts(
    source: str | None,
    moment: str | None,
    method: str | None,
    role: str | None,
    name: str | None,
    identity: str | None,
    attributes: tuple[str, ...],
    labels: tuple[str, ...],
) -> dict[str, Any]:
    plain = {"source": source, "time": moment, "method": method, "role": role, "name": name, "id": identity}
    facts: dict[str, Any] = {key: value for key, value in plain.items() if value is not None}
    if attributes:
        facts["attributes"] = values.pairs(attributes)
    if labels:
        facts["labels"] = values.pairs(labels)
    return facts


def _one_line(when: str) -> str:
    """A condition that stands on several lines."""
    return " ".join(line.strip() for line in when.splitlines()).strip()


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _shown(value: str | None) -> str:
    return "missing" if value is None else f"'{value}'"


@policy.command()
@click.argument("files", nargs=-1, type=click.Path(dir_okay=False, path_type=Path))
@client_options
@click.pass_context
def lint(ctx: click.Context, session: Session, files: tuple[Path, ...]) -> None:
    """Find rules that do nothing or give too much, in FILES (TOML or JSON) or in the gateway's policies.

    Without FILES the policies of the namespace are read. Ends in 1 when there is a finding.
    """
    from wardgate.pipeline.authorize.lint import lint as findings_of  # noqa: PLC0415  # the policy engine takes a while

    policies = [_read_file(file) for file in files] if files else _kept(session)
    findings = [finding for one in policies for finding in findings_of(one)]
    if session.json:
        told = [
            {"policy": f.policy, "rule": f.rule, "kind": f.kind.value, "by": list(f.by), "message": f.message}
            for f in findings
        ]
        output.as_json({"policies": len(policies), "findings": told})
    else:
        for finding in findings:
            click.echo(printable(f"{finding.policy}, rule {finding.rule}: {finding.kind.value}: {finding.message}"))
        click.echo(f"{_count(len(policies), 'policy', 'policies')}, {_count(len(findings), 'finding', 'findings')}")
    ctx.exit(exits.FAILURE if findings else exits.OK)


def _read_file(file: Path) -> Policy:
    """Raises Failure, which names the file."""
    document = _document(values.Sources().whole(file), str(file))
    if "test" in document and "rules" not in document:
        raise Failure(f"{file} holds tests", code="invalid_value", hint=f"`wardgate policy test {file}` runs them.")
    try:
        return _parsed(document)
    except InvalidValue as error:
        raise Failure(f"{file}: {error.message}", code="invalid_value") from None


def _kept(session: Session) -> list[Policy]:
    """The written policies of the gateway; the built-in ones are what they are."""
    with session.client() as client:
        answers = [
            client.json("GET", f"policies/{path_of(name)}") for name in client.json("GET", "policies")["policies"]
        ]
    return [_parsed({"name": answer["name"], "rules": answer["rules"]}) for answer in answers if not answer["built_in"]]


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
            by = f"rule {told['rule']} of {told['policy']}" if told["policy"] else "no rule"
            said = f"{told['file']}, test {told['number']}: {told['action']} {told['path']} is "
            click.echo(printable(f"{said}{told['got']}, not {told['expect']} (by {by})"))
        click.echo(f"{_count(len(results), 'test', 'tests')}, {len(failed)} failed")
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
        "rule": result.explanation.number,
    }
