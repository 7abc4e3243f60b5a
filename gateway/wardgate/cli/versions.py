"""``wardgate history``, ``delete``, ``undelete`` and ``destroy``: the versions of a secret, without their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from wardgate.cli import known, output
from wardgate.cli.failure import Failure
from wardgate.cli.paths import secret_of
from wardgate.cli.session import Session, client_options
from wardgate.cli.terminal import printable

if TYPE_CHECKING:
    from wardgate.cli.client import Client
    from wardgate.cli.copyist.stores import Store

VERSION = click.IntRange(min=1)


@click.command()
@click.argument("path")
@client_options
def history(session: Session, path: str) -> None:
    """Show the versions of PATH, its labels and its settings, without any value."""
    with session.client() as client:
        try:
            info = client.json("GET", f"metadata/{secret_of(path)}")
        except Failure as failure:
            raise known.explained(client, path, failure) from None
    if session.json:
        output.as_json(info)
        return
    rows = [
        (
            str(version["ordinal"]),
            version["state"],
            output.moment(version["created_at"]),
            output.moment(version["deleted_at"] or version["expires_at"]),
            " ".join(version["stages"]),
            version["id"],
        )
        for version in info["versions"]
    ]
    output.table(("Version", "State", "Created", "Ends", "Stages", "Id"), rows, empty="There are no versions.")
    for name, text in info["labels"].items():
        click.echo(printable(f"label {name}={text}"))
    for name, value in info["settings"].items():
        if value:
            click.echo(printable(f"setting {name}={value}"))


@click.command()
@click.argument("path")
@click.option("--version", type=VERSION, help="This version instead of the current one.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@client_options
def delete(session: Session, path: str, version: int | None, *, yes: bool) -> None:
    """Delete the current version of PATH, or all of it where its store deletes secrets whole. It says which, and asks.

    `undelete` recovers it where the store can; others delete for ever.
    """
    output.must_be_askable(yes=yes)
    query = {} if version is None else {"version": version}
    with session.client() as client:
        info = known.require(client, path, () if version is None else (version,), kept=True)
        store = _store(client, path)
        if version is None and store is not None and store.can("delete_versions"):
            _must_be_there(info, path)
        what, ending = _deleting(store, path, version, info)
        output.confirm(f"Delete {what}{ending}?", yes=yes)
        client.request("DELETE", f"secrets/{secret_of(path)}", query=query)
    output.done(session.json, f"Deleted {what}{ending}.")


def _store(client: Client, path: str) -> Store | None:
    """What the path's store can do, where the gateway tells it. Raises Malformed."""
    from wardgate.cli.copyist.stores import Stores  # noqa: PLC0415  # --help does without

    secret_of(path)
    try:
        store = Stores(client.json("GET", "folders/")["entries"]).of(path)
    except Failure:
        return None
    return store if store.capabilities else None


def _must_be_there(info: Mapping[str, Any] | None, path: str) -> None:
    """Refuse to delete the current version, where it can be seen that it is deleted or destroyed."""
    current = info["current"] if info is not None else None
    if current is None:
        return
    if current["state"] == known.DESTROYED:
        raise known.gone(current["ordinal"])
    if current["state"] == known.DELETED:
        raise Failure(f"the current version of {path}, {current['ordinal']}, is already deleted", code="gone")


def _deleting(store: Store | None, path: str, version: int | None, info: Mapping[str, Any] | None) -> tuple[str, str]:
    """What a delete takes away, and whether it can be recovered."""
    if version is not None:
        what = f"version {version} of {path}"
    elif store is None:
        return f"the current version of {path}", ", or all of it for ever where its store knows no other delete"
    elif store.can("delete_versions"):
        what = f"the current version of {path}"
    else:
        left = () if info is None else [one for one in info["versions"] if one["state"] != known.DESTROYED]
        what = f"the whole secret {path}" + (f" with its {len(left)} versions" if len(left) > 1 else "")
    if store is None:
        return what, ""
    return what, " (`wardgate undelete` recovers it)" if store.can("undelete") else ", for ever"


@click.command()
@click.argument("path")
@click.option("--version", "versions", type=VERSION, multiple=True, help="May be repeated; else the current one.")
@client_options
def undelete(session: Session, path: str, versions: tuple[int, ...]) -> None:
    """Recover the current version of PATH, or those named, after they were deleted."""
    with session.client() as client:
        store = _store(client, path)
        if store is not None and not store.can("undelete"):
            raise Failure(
                f"the store of {store.prefix} deletes for ever: nothing can be recovered there",
                code="unsupported",
                hint="`wardgate put` stores the value again, if you have it.",
            )
        info = known.require(client, path, versions, kept=True)
        versions = versions or (_deleted(info, path),)
        live = _live(info, versions)
        if len(live) == len(set(versions)):
            raise Failure(
                f"{_numbers(live)} of {path}: live already; nothing is to be recovered",
                code="conflict",
                hint="`wardgate history` shows the versions.",
            )
        client.request("POST", f"undelete/{secret_of(path)}", body={"versions": list(versions)})
    recovered = [version for version in versions if version not in live]
    untouched = f" Live already: {_numbers(live)}." if live else ""
    output.done(session.json, f"Recovered {_numbers(recovered)} of {path}.{untouched}")


def _live(info: Mapping[str, Any] | None, versions: Sequence[int]) -> Sequence[int]:
    """Those of the versions that are seen to be live."""
    states = {} if info is None else {version["ordinal"]: version["state"] for version in info["versions"]}
    return sorted({version for version in versions if states.get(version) == known.LIVE})


def _deleted(info: Mapping[str, Any] | None, path: str) -> int:
    """The current version, which must be a deleted one."""
    current = info["current"] if info is not None else None
    if current is None:
        raise click.UsageError("which version is the current one cannot be seen; say --version N")
    if current["state"] == known.DESTROYED:
        raise known.gone(current["ordinal"])
    if current["state"] != known.DELETED:
        raise Failure(
            f"the current version of {path}, {current['ordinal']}, is {current['state']}; nothing is to be recovered",
            code="conflict",
            hint="--version N recovers another; `wardgate history` shows them.",
        )
    return int(current["ordinal"])


@click.command()
@click.argument("path")
@click.option("--version", "versions", type=VERSION, multiple=True, help="May be repeated.")
@click.option("--all", "everything", is_flag=True, help="The whole secret and its history.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@client_options
def destroy(session: Session, path: str, versions: tuple[int, ...], *, everything: bool, yes: bool) -> None:
    """Destroy versions of PATH, or all of it, for ever. It says what that is before it asks."""
    if everything == bool(versions):
        raise click.UsageError("say which: --version N (as often as you like), or --all")
    output.must_be_askable(yes=yes)
    what = "the whole secret" if everything else _numbers(versions)
    body: dict[str, Any] = {"all": True} if everything else {"versions": list(versions)}
    with session.client() as client:
        info = known.require(client, path, versions)
        output.confirm(f"Destroy {what} at {path}, for ever?{_dying(info, versions)}", yes=yes)
        client.request("POST", f"destroy/{secret_of(path)}", body=body)
    output.done(session.json, f"Destroyed {what} at {path}.")


def _dying(info: Mapping[str, Any] | None, versions: Sequence[int]) -> str:
    """What would be gone, as far as it can be seen."""
    if info is None:
        return " What is there cannot be seen."
    gone = [each for each in info["versions"] if not versions or each["ordinal"] in versions]
    said = ", ".join(f"{each['ordinal']} ({_state(each)})" for each in gone)
    text = f" Versions: {said or 'none'}."
    if not versions and info["labels"]:
        text += f" Labels: {len(info['labels'])}."
    return text


def _state(version: Mapping[str, Any]) -> str:
    stages = " ".join(version["stages"])
    return f"{version['state']}, {stages}" if stages else str(version["state"])


def _numbers(versions: Sequence[int]) -> str:
    return f"version {', '.join(map(str, versions))}"
