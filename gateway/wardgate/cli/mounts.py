"""``wardgate mount``: which store answers below which prefix."""

from __future__ import annotations

import json
from typing import Any

import click

from wardgate.cli import output, values
from wardgate.cli.duration import Duration
from wardgate.cli.failure import Failure
from wardgate.cli.paths import folder_of
from wardgate.cli.session import Session, client_options

CHECKS = ("all", "reading", "none")
NOT_MADE = "the mount was not made"
LACKS = "the mount's credential lacks these permissions"
UNKNOWN_TYPE = "unknown mount type"
OPTIONS = "`wardgate plugins` shows the options; numbers and truths are written NAME:=1, NAME:=true."


@click.group()
def mount() -> None:
    """Mounts: opened stores at prefixes of the namespace's paths."""


@mount.command("list")
@client_options
def list_(session: Session) -> None:
    """List all mounts of the namespace."""
    with session.client() as client:
        answer = client.json("GET", "mounts")
    if session.json:
        output.as_json(answer)
        return
    rows = [
        (f"{one['prefix']}/", one["type"], _pairs(one["presentation"]), one["fault"] or "open", one["description"])
        for one in answer["mounts"]
    ]
    output.table(
        ("Prefix", "Type", "Shown as", "State", "Description"), rows,
        empty="There are no mounts; `wardgate mount add secret --type native` makes one.",
    )  # fmt: skip


@mount.command()
@click.argument("prefix")
@client_options
def show(session: Session, prefix: str) -> None:
    """Show one mount; secret options are asterisks."""
    with session.client() as client:
        answer = client.json("GET", f"mounts/{folder_of(prefix)}")
    if session.json:
        output.as_json(answer)
        return
    options = [(f"option {name}", json.dumps(value)) for name, value in answer.pop("options").items()]
    answer["presentation"] = _pairs(answer["presentation"])
    output.facts([(name, str(value or "")) for name, value in answer.items()] + options)


@mount.command()
@click.argument("prefix")
@click.option("--type", "kind", required=True, help="The kind of store; `wardgate plugins` lists them.")
@click.option(
    "--option", "given", multiple=True, metavar="NAME=TEXT",
    help="An option of the store. NAME:=JSON for numbers and truths, NAME=@FILE and NAME=- for secrets.",
)  # fmt: skip
@click.option("--present", multiple=True, metavar="NAME=TEXT", help="How a front-end shows it: vault.kv=2.")
@click.option("--description", default="", help="A sentence for people.")
@click.option(
    "--check", type=click.Choice(CHECKS), default=CHECKS[0], show_default=True,
    help="Which permissions the store is asked for before the mount is kept.",
)  # fmt: skip
@client_options
def add(  # one for each option
    session: Session,
    prefix: str,
    kind: str,
    *,
    given: tuple[str, ...],
    present: tuple[str, ...],
    description: str,
    check: str,
) -> None:
    """Ask the store whether it answers and allows what the mount needs, and keep it at PREFIX."""
    body: dict[str, Any] = {
        "prefix": prefix,
        "type": kind,
        "options": _options(kind, given),
        "presentation": dict(_presentation(one) for one in present),
        "description": description,
    }
    if check != CHECKS[0]:
        body["check"] = check  # a gateway of before knows no other
    with session.client() as client:
        try:
            answer = client.json("POST", "mounts", body=body)
        except Failure as failure:
            raise Failure(
                _in_lines(failure.message),
                code=failure.code,
                request_id=failure.request_id,
                hint=_what_to_do(failure, kind, check),
            ) from None
    if session.json:
        output.as_json(answer)
    else:
        click.echo(f"Mounted {kind} at {answer['prefix']}/.", err=True)


@mount.command()
@click.argument("prefix")
@click.option("--description", default=None, help="A sentence for people.")
@click.option("--present", multiple=True, metavar="NAME=TEXT", help="How a front-end shows it: vault.kv=2.")
@click.option("--cache-ttl", default=None, help="How long reads are remembered: 30s, 5m, 0 for never, or default.")
@client_options
def tune(
    session: Session, prefix: str, description: str | None, present: tuple[str, ...], cache_ttl: str | None
) -> None:
    """Change how the mount at PREFIX is described, shown and remembered; what is left out stays."""
    body: dict[str, Any] = {"presentation": dict(_presentation(one) for one in present)}
    if description is not None:
        body["description"] = description
    if cache_ttl is not None:
        body["cache_ttl_seconds"] = None if cache_ttl == "default" else Duration().convert(cache_ttl, None, None)
    if len(body) == 1 and not present:
        raise click.UsageError("say what to change: --description, --present or --cache-ttl")
    with session.client() as client:
        answer = client.json("PATCH", f"mounts/{folder_of(prefix)}", body=body)
    if session.json:
        output.as_json(answer)
    else:
        click.echo(f"Tuned the mount at {answer['prefix']}/.", err=True)


@mount.command()
@click.argument("prefix")
@click.option("--yes", is_flag=True, help="Do not ask.")
@client_options
def remove(session: Session, prefix: str, *, yes: bool) -> None:
    """Forget the mount at PREFIX; what its store holds stays there."""
    output.confirm(f"Forget the mount at {prefix}?", yes=yes)
    with session.client() as client:
        client.request("DELETE", f"mounts/{folder_of(prefix)}")
    output.done(session.json, f"Forgot the mount at {prefix}.")


def _in_lines(message: str) -> str:
    """A line for each missing permission; other messages as they are."""
    if not message.startswith(f"{NOT_MADE}: {LACKS}"):
        return message
    head, _, listed = message.removeprefix(f"{NOT_MADE}: ").partition(": ")
    *permissions, _ = listed.split("; ")  # the last says what a request can do about it
    return "\n  ".join([f"{NOT_MADE}: {head}:", *permissions])


def _what_to_do(failure: Failure, kind: str, check: str) -> str:
    """Of a mount that was not made; the store's refusals are none of this gateway's policies."""
    if failure.message.startswith(UNKNOWN_TYPE):
        return _whose(kind)
    if not failure.message.startswith(NOT_MADE):
        return OPTIONS if failure.code == "invalid_value" and "option" in failure.message else failure.hint
    if LACKS in failure.message:
        less = "--check reading asks for less" if check == CHECKS[0] else "--check none asks for none"
        return f"Grant them to the mount's credential; {less}."
    if failure.code == "permission_denied":
        return "Give the mount a credential that the store accepts, by its options or in the gateway's environment."
    if failure.code == "unavailable":
        return f"Unless this names an option, see that the store can be reached from the gateway's machine. {OPTIONS}"
    return failure.hint


def _whose(kind: str) -> str:
    """What to do about a type that the gateway does not know, as far as this machine's plugins tell it."""
    from wardgate.cli import plugins  # noqa: PLC0415  # what only this command needs

    found = plugins.offering(kind)
    if found is None:
        return f"Check --type: {plugins.unknown(kind)}"
    return (
        f"The plugin {found[0]!r} offers it: name it in the gateway's configuration, plugins = […], and start the "
        f"gateway again (`wardgate dev --plugin {found[0]}`)."
    )


def _options(kind: str, given: tuple[str, ...]) -> dict[str, object]:
    """The options given; which are secret, the type says, if a plugin of this machine knows it as the gateway's may."""
    from wardgate.cli import plugins  # noqa: PLC0415  # what only this command needs
    from wardgate.spi.options import describe  # noqa: PLC0415

    found = plugins.offering(kind) if given else None
    if found is None:
        return values.options(given, None, unknown=plugins.unknown(kind) if given else "")
    return values.options(given, {option.name for option in describe(found[1].options) if option.secret})


def _presentation(given: str) -> tuple[str, str]:
    name, equals, text = given.partition("=")
    if not equals or not name:
        raise click.UsageError("a presentation is written NAME=TEXT, such as vault.kv=2")
    return name, text


def _pairs(given: dict[str, str]) -> str:
    return " ".join(f"{name}={text}" for name, text in given.items())
