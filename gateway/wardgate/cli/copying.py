"""``wardgate copy``: secrets from one place to another, whatever stores hold them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import click

from wardgate.cli import exits, known, output, progress
from wardgate.cli.failure import Failure
from wardgate.cli.paths import secret_of
from wardgate.cli.session import Session, client_options
from wardgate.cli.terminal import printable

if TYPE_CHECKING:
    from wardgate.cli.client import Client
    from wardgate.cli.copyist.carry import Outcome
    from wardgate.cli.copyist.door import Door
    from wardgate.cli.copyist.plan import Item

T = TypeVar("T")
R = TypeVar("R")
WORKERS = 4
TOGETHER = 50
"""Secrets compared at a time by one worker: their values are in memory, and of no others."""


@click.command()
@click.argument("source", metavar="SRC")
@click.argument("destination", metavar="DST")
@click.option("--recursive", "-r", is_flag=True, help="SRC and DST are folders: copy every secret anywhere below SRC.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--versions", is_flag=True, help="Copy the history too, oldest first, where SRC's store can tell it.")
@click.option("--overwrite", is_flag=True, help="Write over what differs at DST.")
@client_options
def copy(
    session: Session, source: str, destination: str, *, recursive: bool, dry_run: bool, versions: bool, overwrite: bool
) -> int:
    """Copy the secret SRC to DST, or with --recursive all secrets below a folder.

    What is at DST already is compared: what is equal is done, what differs is left and reported. So the same command
    once more goes on where it was interrupted. No value is ever shown.
    """
    from wardgate.cli.copyist.carry import Carrier  # noqa: PLC0415  # --help does without
    from wardgate.cli.copyist.door import Door  # noqa: PLC0415
    from wardgate.cli.copyist.plan import Planner  # noqa: PLC0415

    source, destination = _apart(source, destination, recursive=recursive)
    with session.client() as client:
        door = Door(client)
        items = _items(door, source, destination, recursive=recursive)
        planner = Planner(door, history=versions, overwrite=overwrite)
        chunks = [items[start : start + TOGETHER] for start in range(0, len(items), TOGETHER)]
        with progress.shown("Comparing", total=len(items), unit="secrets") as tick:
            for chunk, _ in _at_once(planner.settle, chunks):
                tick(len(chunk))
        if not recursive:
            _explain(client, items[0])
        _doubt(client, items)
        if dry_run:
            return _planned(session, items, overwrite=overwrite)
        if not session.json:
            click.echo(f"Planned: {_counted(item.state.value for item in items)}.", err=True)
        carrier = Carrier(door, overwrite)
        ended: list[tuple[Item, Outcome]] = []
        with progress.shown("Copying", total=len(items), unit="secrets") as tick:
            for one in _at_once(carrier.carry, items):
                ended.append(one)
                tick(1)
    return _reported(session, ended)


def _apart(source: str, destination: str, *, recursive: bool) -> tuple[str, str]:
    """Both as paths. Raises UsageError where one is within the other."""
    if recursive:
        source, destination = source.removesuffix("/"), destination.removesuffix("/")
    secret_of(source)
    secret_of(destination)
    inside = recursive and (f"{source}/".startswith(f"{destination}/") or f"{destination}/".startswith(f"{source}/"))
    if inside or source == destination:
        raise click.UsageError("SRC and DST are the same, or one is within the other")
    return source, destination


def _items(door: Door, source: str, destination: str, *, recursive: bool) -> list[Item]:
    from wardgate.cli.copyist.plan import Item  # noqa: PLC0415  # --help does without

    if not recursive:
        return [Item(source, destination)]
    items: list[Item] = []
    with progress.shown("Listing", unit="secrets") as tick:
        for names in door.below(source):
            items += [Item(f"{source}/{name}", f"{destination}/{name}") for name in names]
            tick(len(names))
    if not items:
        hint = "Check the name; a single secret is copied without --recursive."
        raise Failure(f"{source} holds no secret that you may see", code="secret_not_found", hint=hint)
    return items


def _explain(client: Client, item: Item) -> None:
    """A single secret that is not there is a failure of the command, as of any other."""
    if item.code == "secret_not_found":
        raise known.explained(client, item.source, Failure(item.reason, code=item.code))


def _doubt(client: Client, items: Sequence[Item]) -> None:
    """Warn where no mount is to be seen: what does not exist is not told from what one may not see."""
    try:
        page = client.json("GET", "folders/", query={"limit": 1_000})
    except Failure:
        return
    seen = tuple(f"{entry['name'].removesuffix('/')}/" for entry in page["entries"])
    missed = next((item.destination for item in items if not item.destination.startswith(seen)), None)
    if seen and missed is not None and page["cursor"] is None:
        click.echo(f"Warning: no mount that you may see holds {printable(missed)}", err=True)


def _at_once(work: Callable[[T], R], parts: Sequence[T]) -> Iterator[tuple[T, R]]:
    """Each part and its result, in their order, a few at once; after a failure no further one is begun."""
    pool = ThreadPoolExecutor(WORKERS)
    try:
        yield from zip(parts, pool.map(work, parts), strict=True)
    finally:
        pool.shutdown(cancel_futures=True)


def _planned(session: Session, items: Sequence[Item], *, overwrite: bool) -> int:
    from wardgate.cli.copyist.plan import State  # noqa: PLC0415  # --help does without

    states = [item.state.value for item in items]
    _show(session, items, "state", states, dry_run=True)
    left = not overwrite and any(item.state is State.DIFFERS for item in items)
    return _ending(failed=any(item.state is State.CANNOT for item in items), left=left)


def _reported(session: Session, ended: Sequence[tuple[Item, Outcome]]) -> int:
    from wardgate.cli.copyist.carry import Outcome  # noqa: PLC0415  # --help does without
    from wardgate.cli.copyist.plan import State  # noqa: PLC0415

    outcomes = [outcome.value for _, outcome in ended]
    _show(session, [item for item, _ in ended], "outcome", outcomes, dry_run=False)
    left = any(outcome is Outcome.SKIPPED and item.state is State.DIFFERS for item, outcome in ended)
    return _ending(failed=any(outcome is Outcome.FAILED for _, outcome in ended), left=left)


def _ending(*, failed: bool, left: bool) -> int:
    """Whoever removes the source after a copy must hear that not all of it is there."""
    return exits.FAILURE if failed else exits.CONFLICT if left else exits.OK


def _show(session: Session, items: Sequence[Item], name: str, words: Sequence[str], *, dry_run: bool) -> None:
    if session.json:
        output.as_json(
            {
                "dry_run": dry_run,
                "counts": dict(Counter(words)),
                "secrets": [_described(item, name, word) for item, word in zip(items, words, strict=True)],
            }
        )
        return
    rows = [(word, item.source, item.destination, item.reason) for item, word in zip(items, words, strict=True)]
    output.table((name.title(), "Source", "Destination", "Why"), rows, empty="There is nothing to copy.")
    click.echo(f"{'Dry run: ' if dry_run else ''}{_counted(words)}.", err=True)


def _described(item: Item, name: str, word: str) -> dict[str, Any]:
    facts = {"source": item.source, "destination": item.destination, name: word}
    return facts | {key: text for key, text in (("code", item.code), ("reason", item.reason)) if text}


def _counted(words: Iterator[str] | Sequence[str]) -> str:
    return ", ".join(f"{count} {word}" for word, count in Counter(words).items())
