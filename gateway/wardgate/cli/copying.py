"""``wardgate copy``: secrets from one place to another, whatever stores hold them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import click

from wardgate.cli import known, progress
from wardgate.cli.failure import Failure
from wardgate.cli.paths import secret_of
from wardgate.cli.session import Session, client_options

if TYPE_CHECKING:
    from wardgate.cli.client import Client
    from wardgate.cli.copyist.door import Door
    from wardgate.cli.copyist.plan import Item, Planner

T = TypeVar("T")
WORKERS = 4
TOGETHER = 50
"""Secrets compared at a time by one worker: their values are in memory, and of no others."""
WRITTEN = 25
"""Secrets written in one request: what an interruption waits for."""
SINGLY = 16
"""Workers for what is asked of one secret at a time."""


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
    from wardgate.cli.copyist.plan import Outcome, Planner  # noqa: PLC0415
    from wardgate.cli.copyist.report import Report  # noqa: PLC0415
    from wardgate.cli.copyist.stores import Stores, notes  # noqa: PLC0415

    source, destination = _apart(source, destination, recursive=recursive)
    items: list[Item] = []
    report = Report(session, items)
    with session.client() as client:
        door = Door(client)
        try:
            stores = Stores(client.json("GET", "folders/")["entries"])
            items += _items(door, source, destination, recursive=recursive)
            pairs = {(stores.of(item.source), stores.of(item.destination)): None for item in items}
            lost = [note for one, other in pairs for note in notes(one, other, history=versions)]
            report.notes.extend(dict.fromkeys(lost))
            _compare(Planner(door, stores, history=versions, overwrite=overwrite), items)
        except KeyboardInterrupt:
            return report.interrupted(compared=False, dry_run=dry_run)
        if not recursive:
            _explain(client, items[0])
        if dry_run:
            return report.planned(overwrite=overwrite)
        report.announce()
        carrier = Carrier(door, overwrite)
        try:
            with progress.shown("Copying", total=len(items), unit="secrets") as tick:
                simple = [one for one in items if one.simple and stores.of(one.destination).can("compare_and_set")]
                for chunk in _at_once(carrier.carry_new, _chunks(simple, WRITTEN), WORKERS):
                    tick(sum(one.outcome is not Outcome.UNTRIED for one in chunk))
                for _ in _at_once(carrier.carry, [one for one in items if one.outcome is Outcome.UNTRIED], SINGLY):
                    tick(1)
        except KeyboardInterrupt:
            return report.interrupted()
    return report.ended()


def _compare(planner: Planner, items: Sequence[Item]) -> None:
    """Find out the state of all."""
    with progress.shown("Comparing", total=len(items), unit="secrets") as tick:
        for chunk in _at_once(planner.values, _chunks(items, TOGETHER), WORKERS):
            tick(len(chunk))
    with progress.shown("Describing", total=len(items), unit="secrets") as tick:
        for _ in _at_once(planner.more, items, SINGLY):
            tick(1)


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
        hint = "`wardgate copy --recursive` copies every secret anywhere below it."
        raise known.explained(client, item.source, Failure(item.reason, code=item.code), folder=hint)


def _chunks(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _at_once(work: Callable[[T], object], parts: Sequence[T], workers: int) -> Iterator[T]:
    """Each part once it is done, in their order, a few at once; after a failure no further one is begun."""
    pool = ThreadPoolExecutor(workers)
    try:
        for part, _ in zip(parts, pool.map(work, parts), strict=True):
            yield part
    finally:
        pool.shutdown(cancel_futures=True)
