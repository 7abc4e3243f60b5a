"""``wardgate get``, ``put``, ``patch`` and ``list``."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wardgate.cli import known, output, progress, terminal, values
from wardgate.cli.failure import Failure
from wardgate.cli.paths import folder_of, secret_of
from wardgate.cli.session import Session, client_options
from wardgate.cli.terminal import printable

if TYPE_CHECKING:
    from wardgate.cli.client import Client, Reply
    from wardgate.spi.values import Value

PAGE = 10_000
VERSION = click.IntRange(min=1)


@click.command()
@click.argument("path")
@click.option("--field", help="Print this field alone, as it is.")
@click.option("--version", type=VERSION, help="This version instead of the current one.")
@client_options
def get(session: Session, path: str, field: str | None, version: int | None) -> None:
    """Read the secret at PATH.

    On a terminal the fields are shown as a table. Into a pipe or a file go the bytes of the value, exactly.
    """
    from wardgate.spi.values import Value  # noqa: PLC0415  # --help does without

    with session.client() as client:
        reply = _read(client, path, {} if version is None else {"version": version})
    reply.header("x-wardgate-version")
    _warn(reply)
    value = Value(reply.body, reply.headers.get("content-type", ""))
    if field is not None:
        _show_field(value, field, as_json=session.json)
    elif session.json:
        output.as_json(_described(path, reply, value))
    else:
        _show_value(value)


def _read(client: Client, path: str, query: Mapping[str, int]) -> Reply:
    try:
        return client.request("GET", f"secrets/{secret_of(path)}", query=query)
    except Failure as failure:
        raise known.explained(client, path, failure) from None


def _warn(reply: Reply) -> None:
    if "x-wardgate-stale" in reply.headers:
        age = printable(reply.headers.get("age", "?"))
        click.echo(f"Warning: the store does not answer; this was read {age} seconds ago", err=True)


def _described(path: str, reply: Reply, value: Value) -> dict[str, Any]:
    from wardgate.spi.values import JSON  # noqa: PLC0415  # --help does without

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


@click.command()
@click.argument("path")
@click.argument("source", nargs=-1)
@click.option("--file", type=click.Path(dir_okay=False, path_type=Path), help="Take the whole value from this file.")
@click.option("--plain", multiple=True, metavar="NAME=TEXT", help="A field that is no secret. May be repeated.")
@click.option("--type", "kind", type=click.Choice(values.TYPES), help="What a whole value is; else guessed.")
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
    headers = {"content-type": media_type, **_expecting(expect)}
    if create:
        headers["if-none-match"] = "*"
    with session.client() as client:
        try:
            reply = client.request("PUT", f"secrets/{secret_of(path)}", content=data, headers=headers)
        except Failure as failure:
            if not create or failure.code != "conflict":
                raise
            # What the gateway says is for whoever expects a version: to read it would not help here.
            raise failure.reworded(
                f"{path} has a version already, perhaps a deleted one",
                hint="Without --create, or with --expect VERSION, a new one is written.",
            ) from None
    _stored(session, path, reply)


def _given(source: tuple[str, ...], file: Path | None, plain: tuple[str, ...], kind: str | None) -> tuple[bytes, str]:
    """The bytes to store and their media type."""
    whole = source in {(), ("-",)} and not plain
    if not whole:
        if file is not None or kind is not None:
            raise click.UsageError("--file and --type are for a whole value; a field takes name=@FILE")
        return values.encode(values.fields(source, plain)), values.media_type(b"", "json")
    if source and file is not None:
        raise click.UsageError("the value comes from stdin or from --file, not both")
    if not source and file is None and not terminal.somebody_is_there():
        raise click.UsageError("where is the value? `put PATH -` reads stdin, `put PATH --file FILE` a file")
    data = values.Sources().whole(file)
    return data, values.media_type(data, kind)


@click.command()
@click.argument("path")
@click.argument("source", nargs=-1)
@click.option("--plain", multiple=True, metavar="NAME=TEXT", help="A field that is no secret. May be repeated.")
@click.option("--remove", multiple=True, metavar="NAME", help="Take this field away. May be repeated.")
@click.option("--expect", metavar="VERSION", help="Change it only if the current version has this id.")
@client_options
def patch(
    session: Session, path: str, source: tuple[str, ...], plain: tuple[str, ...], remove: tuple[str, ...],
    expect: str | None,
) -> None:  # fmt: skip
    """Change fields of the secret at PATH, and leave the others as they are.

    \b
    wardgate patch PATH password=- ca=@FILE        fields: stdin or hidden prompt, and files
    wardgate patch PATH --remove old --plain user=app

    What is there is never shown, so that it takes no right to read. The value must be a JSON object.
    """  # noqa: D301  # \b is click's mark for lines to keep
    if not (source or plain or remove):
        raise click.UsageError("what is to be changed? NAME=- (stdin or prompt), NAME=@FILE, --plain, or --remove")
    given = values.fields(source, plain)
    if both := sorted(given.keys() & set(remove)):
        raise click.UsageError(f"the field {both[0]!r} is given and taken away")
    changes: dict[str, str | None] = {**given, **dict.fromkeys(remove)}
    headers = {"content-type": "application/merge-patch+json", **_expecting(expect)}
    with session.client() as client:
        reply = client.request("PATCH", f"secrets/{secret_of(path)}", content=values.encode(changes), headers=headers)
    _stored(session, path, reply)


def _expecting(version: str | None) -> dict[str, str]:
    if version is None:
        return {}
    return {"if-match": version if version.startswith('"') else f'"{version}"'}


def _stored(session: Session, path: str, reply: Reply) -> None:
    written = reply.json()
    if session.json:
        output.as_json({"path": path, **written, "etag": reply.headers.get("etag", "")})
    else:
        click.echo(f"Stored version {written['ordinal']} of {path}.", err=True)


@click.command("list")
@click.argument("path", default="")
@click.option("--recursive", "-r", is_flag=True, help="Every secret anywhere below, by its whole path.")
@client_options
def list_(session: Session, path: str, *, recursive: bool) -> None:
    """List the names in the folder PATH; without PATH the mounts you may see. Folders end in a slash."""
    listed: list[dict[str, Any]] = []
    failed: list[Failure] = []
    count = 0
    with session.client() as client, progress.shown("Listing", unit="names", aside=session.json) as tick:
        for entries in _recursive(client, path, failed) if recursive else _pages(client, path):
            tick(len(entries))
            count += len(entries)
            if session.json:
                listed += entries
                continue
            for entry in entries:
                click.echo(printable(entry["name"] + ("/" if entry["folder"] else "")))
        nothing = "" if count or failed or session.json else _nothing(client, path)
    if session.json:
        output.as_json({"entries": listed})
    elif nothing:
        click.echo(nothing, err=True)
    if failed:
        raise failed[0].reworded("; ".join(one.message for one in failed))


def _nothing(client: Client, path: str) -> str:
    """What is said of an empty list: perhaps nothing is mounted at all, as far as the gateway tells who asks."""
    if not path:
        with contextlib.suppress(Failure):
            if not client.json("GET", "mounts")["mounts"]:
                return "Nothing is mounted; `wardgate mount add` mounts a store."
    return "There is nothing here that you may see."


def _recursive(client: Client, path: str, failed: list[Failure]) -> Iterator[list[dict[str, Any]]]:
    """Pages of the secrets anywhere below, named by their whole paths; at the root, mount by mount.

    There a mount that may not or cannot be listed is told on stderr and passed over, and one whose store does not do
    it is noted in ``failed``.
    """
    folder = path.removesuffix("/")
    if folder:
        yield from _below(client, folder)
        return
    for mounts in _pages(client, ""):
        for mount in mounts:
            try:
                yield from _below(client, mount["name"])
            except Failure as failure:
                of_store = failure.message.startswith("mount ")  # so the gateway begins what a store says
                if failure.code == "unsupported" or (failure.code == "permission_denied" and not of_store):
                    click.echo(printable(f"{mount['name']}/ is left out: {failure.message}"), err=True)
                elif of_store:
                    failed.append(failure)
                else:
                    raise


def _below(client: Client, folder: str) -> Iterator[list[dict[str, Any]]]:
    for entries in _pages(client, folder, recursive="true"):
        yield [{**entry, "name": f"{folder}/{entry['name']}"} for entry in entries]


def _pages(client: Client, path: str, **query: str | int) -> Iterator[list[dict[str, Any]]]:
    query["limit"] = PAGE
    while True:
        page = client.json("GET", f"folders/{folder_of(path)}", query=query)
        yield page["entries"]
        if page["cursor"] is None:
            return
        query["cursor"] = page["cursor"]
