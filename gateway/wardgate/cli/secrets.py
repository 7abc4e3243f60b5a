"""``wardgate get``, ``put``, ``list``, ``delete``, ``undelete`` and ``destroy``."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from wardgate.cli import known, output, terminal, values
from wardgate.cli.client import Client, Reply, folder_of, secret_of
from wardgate.cli.failure import Failure
from wardgate.cli.session import Session, client_options
from wardgate.cli.terminal import printable
from wardgate.spi.values import JSON, Value

PAGE = 1_000
VERSION = click.IntRange(min=1)


@click.command()
@click.argument("path")
@click.option("--field", help="Print this field alone, as it is.")
@click.option("--version", type=VERSION, help="This version instead of the current one.")
@click.option("--info", is_flag=True, help="What is known of the secret and its versions, without any value.")
@client_options
def get(session: Session, path: str, field: str | None, version: int | None, *, info: bool) -> None:
    """Read the secret at PATH.

    On a terminal the fields are shown as a table. Into a pipe or a file go the bytes of the value, exactly.
    """
    if info and (field is not None or version is not None):
        raise click.UsageError("--info shows the whole secret; leave out --field and --version")
    with session.client() as client:
        if info:
            _show_info(_read(client, "metadata", path).json(), as_json=session.json)
            return
        reply = _read(client, "secrets", path, {} if version is None else {"version": version})
    reply.header("x-wardgate-version")
    _warn(reply)
    value = Value(reply.body, reply.headers.get("content-type", ""))
    if field is not None:
        _show_field(value, field, as_json=session.json)
    elif session.json:
        output.as_json(_described(path, reply, value))
    else:
        _show_value(value)


def _read(client: Client, kind: str, path: str, query: Mapping[str, int] | None = None) -> Reply:
    try:
        return client.request("GET", f"{kind}/{secret_of(path)}", query=query)
    except Failure as failure:
        raise known.explained(client, path, failure) from None


def _warn(reply: Reply) -> None:
    if "x-wardgate-warning" in reply.headers:
        click.echo(f"Warning: {printable(reply.headers['x-wardgate-warning'])}", err=True)
    if "x-wardgate-stale" in reply.headers:
        age = printable(reply.headers.get("age", "?"))
        click.echo(f"Warning: the store does not answer; this was read {age} seconds ago", err=True)


def _described(path: str, reply: Reply, value: Value) -> dict[str, Any]:
    fields, text = value.fields(), value.text()
    if fields is not None:
        shown: dict[str, Any] = {"value": fields}
    elif text is not None:
        shown = {"value": json.loads(text) if value.media_type == JSON else text}
    else:
        shown = {"value_base64": base64.b64encode(value.data).decode()}
    return {
        "path": path,
        "version": int(reply.header("x-wardgate-version")),
        "etag": reply.headers.get("etag", ""),
        "created_at": reply.headers.get("x-wardgate-created-at", ""),
        "media_type": value.media_type,
        **shown,
    }


def _show_field(value: Value, field: str, *, as_json: bool) -> None:
    fields = value.fields()
    if fields is None:
        raise Failure(
            "the value is no JSON object: it has no fields",
            code="secret_not_found",
            hint="`wardgate get` without --field prints it whole.",
        )
    if field not in fields:
        has = f"it has {', '.join(fields)}" if fields else "it has none"
        raise Failure(f"the secret has no field {field!r}; {has}", code="secret_not_found")
    found = fields[field]
    if as_json:
        output.as_json(found)
        return
    text = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
    click.echo(text, nl=terminal.somebody_reads())


def _show_value(value: Value) -> None:
    if not terminal.somebody_reads():
        click.echo(value.data, nl=False)
        return
    fields, text = value.fields(), value.text()
    if fields is not None:
        rows = [(name, one if isinstance(one, str) else json.dumps(one)) for name, one in fields.items()]
        output.table(("Field", "Value"), rows, empty="The value has no fields.")
    elif text is not None:
        click.echo(printable(text))
    else:
        click.echo(f"{len(value.data)} bytes that are not text; send them into a file: wardgate get PATH > FILE")


def _show_info(info: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.as_json(info)
        return
    rows = [
        (
            str(version["ordinal"]),
            version["state"],
            version["created_at"] or "",
            version["deleted_at"] or version["expires_at"] or "",
            " ".join(version["stages"]),
            version["id"],
        )
        for version in info["versions"]
    ]
    output.table(("Version", "State", "Created", "Ends", "Stages", "Id"), rows, empty="There are no versions.")
    for name, text in info["labels"].items():
        click.echo(printable(f"label {name}={text}"))


@click.command()
@click.argument("path")
@click.argument("source", nargs=-1)
@click.option("--file", type=click.Path(dir_okay=False, path_type=Path), help="Take the whole value from this file.")
@click.option("--plain", multiple=True, metavar="NAME=TEXT", help="A field that is no secret. May be repeated.")
@click.option("--type", "kind", type=click.Choice(tuple(values.TYPES)), help="What a whole value is; else guessed.")
@click.option("--expect", metavar="VERSION", help="Write only if the current version has this id.")
@click.option("--create", is_flag=True, help="Write only if there is no version yet.")
@client_options
def put(
    session: Session,
    path: str,
    source: tuple[str, ...],
    file: Path | None,
    plain: tuple[str, ...],
    kind: str | None,
    expect: str | None,
    *,
    create: bool,
) -> None:
    """Store a value at PATH as a new version.

    \b
    wardgate put PATH -                      the whole value, from stdin exactly
    wardgate put PATH --file FILE            the whole value, from a file exactly
    wardgate put PATH                        the whole value, from a hidden prompt
    wardgate put PATH password=- ca=@FILE    fields: stdin or hidden prompt, and files
    wardgate put PATH password=- --plain user=app

    A value itself is never taken from the command line, where every process of the machine and the shell's history
    would see it. --plain is for fields that are no secret.
    """  # noqa: D301  # \b is click's mark for lines to keep
    if expect is not None and create:
        raise click.UsageError("--expect and --create exclude one another")
    data, media_type = _given(source, file, plain, kind)
    headers = {"content-type": media_type}
    if create:
        headers["if-none-match"] = "*"
    if expect is not None:
        headers["if-match"] = expect if expect.startswith('"') else f'"{expect}"'
    with session.client() as client:
        reply = client.request("PUT", f"secrets/{secret_of(path)}", content=data, headers=headers)
    written = reply.json()
    if session.json:
        output.as_json({"path": path, **written, "etag": reply.headers.get("etag", "")})
    else:
        click.echo(f"Stored version {written['ordinal']} of {path}.", err=True)


def _given(source: tuple[str, ...], file: Path | None, plain: tuple[str, ...], kind: str | None) -> tuple[bytes, str]:
    """The bytes to store and their media type."""
    whole = source in {(), ("-",)} and not plain
    if not whole:
        if file is not None or kind is not None:
            raise click.UsageError("--file and --type are for a whole value; a field takes name=@FILE")
        return values.encode(values.fields(source, plain)), JSON
    if source and file is not None:
        raise click.UsageError("the value comes from stdin or from --file, not both")
    if not source and file is None and not terminal.somebody_is_there():
        raise click.UsageError("where is the value? `put PATH -` reads stdin, `put PATH --file FILE` a file")
    data = values.Sources().whole(file)
    return data, values.media_type(data, kind)


@click.command("list")
@click.argument("path", default="")
@client_options
def list_(session: Session, path: str) -> None:
    """List the names in the folder PATH; without PATH the mounts you may see. Folders end in a slash."""
    entries: list[dict[str, Any]] = []
    cursor: str | None = None
    with session.client() as client:
        while True:
            query: dict[str, str | int] = {"limit": PAGE}
            if cursor is not None:
                query["cursor"] = cursor
            page = client.json("GET", f"folders/{folder_of(path)}", query=query)
            entries += page["entries"]
            cursor = page["cursor"]
            if cursor is None:
                break
    if session.json:
        output.as_json({"entries": entries})
        return
    if not entries:
        click.echo("There is nothing here that you may see.", err=True)
    for entry in entries:
        click.echo(printable(entry["name"] + ("/" if entry["folder"] else "")))


@click.command()
@click.argument("path")
@click.option("--version", type=VERSION, help="This version instead of the current one.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@client_options
def delete(session: Session, path: str, version: int | None, *, yes: bool) -> None:
    """Delete the current version of PATH. `undelete` recovers it where the store can; others delete for good."""
    what = "the current version" if version is None else f"version {version}"
    output.confirm(f"Delete {what} of {path}?", yes=yes)
    query = {} if version is None else {"version": version}
    with session.client() as client:
        known.require(client, path, () if version is None else (version,), kept=True)
        client.request("DELETE", f"secrets/{secret_of(path)}", query=query)
    output.done(session.json, f"Deleted {what} of {path}.")


@click.command()
@click.argument("path")
@click.option("--version", "versions", type=VERSION, multiple=True, required=True, help="May be repeated.")
@client_options
def undelete(session: Session, path: str, versions: tuple[int, ...]) -> None:
    """Recover deleted versions of PATH."""
    with session.client() as client:
        known.require(client, path, versions, kept=True)
        client.request("POST", f"undelete/{secret_of(path)}", body={"versions": list(versions)})
    output.done(session.json, f"Recovered {_numbers(versions)} of {path}.")


@click.command()
@click.argument("path")
@click.option("--version", "versions", type=VERSION, multiple=True, help="May be repeated.")
@click.option("--all", "everything", is_flag=True, help="The whole secret and its history.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@client_options
def destroy(session: Session, path: str, versions: tuple[int, ...], *, everything: bool, yes: bool) -> None:
    """Destroy versions of PATH, or all of it, for ever."""
    if everything == bool(versions):
        raise click.UsageError("say which: --version N (as often as you like), or --all")
    what = "the whole secret" if everything else _numbers(versions)
    output.confirm(f"Destroy {what} at {path}, for ever?", yes=yes)
    body: dict[str, Any] = {"all": True} if everything else {"versions": list(versions)}
    with session.client() as client:
        known.require(client, path, versions)
        client.request("POST", f"destroy/{secret_of(path)}", body=body)
    output.done(session.json, f"Destroyed {what} at {path}.")


def _numbers(versions: tuple[int, ...]) -> str:
    return f"version {', '.join(map(str, versions))}"
