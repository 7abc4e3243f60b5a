"""``wardgate audit``: follows the audit's files, and checks them offline."""

from __future__ import annotations

import contextlib
import importlib
import json
import pkgutil
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wardgate.cli import exits, output, progress
from wardgate.cli.failure import Failure
from wardgate.cli.session import json_option
from wardgate.cli.terminal import printable

if TYPE_CHECKING:
    from wardgate.pipeline.audit.record import Record
    from wardgate.pipeline.audit.tail import Seen, Tail
    from wardgate.spi.operations.base import Operation

LOOK_EVERY = 0.25
"""Seconds between two looks at the files."""
FILE = click.Path(dir_okay=False, path_type=Path)
ENDINGS = ("ok", "cancelled", "internal")
"""How a request ends beside the closed list of errors: done, left by its caller, on a defect."""
WHERE = "say where the audit is: FOLDER, or --config FILE"


@click.group()
def audit() -> None:
    """The audit: one chain of records a worker."""


@audit.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--config", type=FILE, help="Take the folder from this file.")
@json_option
@click.pass_context
def verify(ctx: click.Context, folder: Path | None, config: Path | None, *, as_json: bool) -> None:
    """Check every chain in FOLDER; needs no key and changes nothing. Ends in 1 when a record does not hold."""
    from wardgate.pipeline.audit.verify import verify as check  # noqa: PLC0415  # what only this command needs

    if (folder is None) == (config is None):
        raise click.UsageError(WHERE)
    with _readable(), progress.shown("Checking", unit="records") as tick:
        report = check(folder or _folder_of(config), tick)
    if as_json:
        output.as_json(report.as_dict())
    else:
        for sentence in report.sentences():
            click.echo(printable(sentence))
    if not report.shards:
        ctx.exit(exits.NOT_FOUND)
    ctx.exit(exits.OK if report.ok else exits.FAILURE)


@audit.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--config", type=FILE, help="Take the folder from this file.")
@click.option("--principal", multiple=True, help="Only of this principal, by name or id. Each filter may be repeated.")
@click.option("--path", "paths", multiple=True, help="Only at this path or below.")
@click.option("--code", multiple=True, help="Only what ended so: ok, permission_denied, …")
@click.option("--operation", multiple=True, help="Only this operation: ReadSecret, …")
@click.option(
    "--lines", "-n", type=click.IntRange(0, 100_000), default=10, show_default=True, help="Begin so far back."
)
@click.option("--no-follow", is_flag=True, help="Show what is there, and end.")
@json_option
@click.pass_context
def tail(
    ctx: click.Context, folder: Path | None, config: Path | None, principal: tuple[str, ...], paths: tuple[str, ...],
    code: tuple[str, ...], operation: tuple[str, ...], lines: int, *, no_follow: bool, as_json: bool,
) -> None:  # fmt: skip
    """Follow the records that are written to FOLDER, from file to file, until Ctrl-C.

    Each record is checked against the one before it, from the first of the newest files on; `verify` checks the rest.
    One that does not hold is named, and ends this in 1.
    """
    from wardgate.pipeline.audit.sink import files_of  # noqa: PLC0415  # what only this command needs
    from wardgate.pipeline.audit.tail import Tail  # noqa: PLC0415

    if (folder is None) == (config is None):
        raise click.UsageError(WHERE)
    _must_be_known(operation, code)
    wanted = Filter(principal, tuple(path.strip("/") for path in paths), code, operation)
    where = folder or _folder_of(config)
    followed = Tail(where)
    with contextlib.suppress(KeyboardInterrupt), _readable():
        if not files_of(where):
            click.echo(f"There is no audit in {printable(str(where))}.", err=True)
            ctx.exit(exits.NOT_FOUND)
        begun = True
        while True:
            held = _show(followed, wanted, lines if begun else None, as_json=as_json)
            if not held or no_follow:
                ctx.exit(exits.OK if held else exits.FAILURE)
            begun = False
            time.sleep(LOOK_EVERY)


def _must_be_known(operations: tuple[str, ...], codes: tuple[str, ...]) -> None:
    """Raise UsageError for a name that no record can have, with the nearest one: it would show nothing, for ever."""
    from wardgate.spi import operations as package  # noqa: PLC0415  # what only this command needs
    from wardgate.spi.errors import CLOSED_LIST  # noqa: PLC0415
    from wardgate.spi.operations.base import Operation  # noqa: PLC0415
    from wardgate.spi.options import nearest  # noqa: PLC0415

    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
    names = {kind.__name__.casefold(): kind.__name__ for kind in _below_class(Operation)}
    for given in operations:
        if given.casefold() not in names:
            raise click.UsageError(f"there is no operation {given!r}{nearest(given, names.values())}")
    known = {*ENDINGS, *(error.code for error in CLOSED_LIST)}
    for given in codes:
        if given not in known:
            raise click.UsageError(f"there is no code {given!r}{nearest(given, known)}")


def _below_class(kind: type[Operation[Any]]) -> Iterator[type[Operation[Any]]]:
    for below in kind.__subclasses__():
        yield below
        yield from _below_class(below)


class Filter:
    """Which records are shown; what is not given lets all pass."""

    def __init__(
        self, principals: tuple[str, ...], paths: tuple[str, ...], codes: tuple[str, ...], operations: tuple[str, ...]
    ) -> None:
        self._principals = frozenset(principals)
        self._paths = paths
        self._codes = frozenset(codes)
        self._operations = frozenset(name.casefold() for name in operations)

    def passes(self, record: Record) -> bool:
        """Whether it is to be shown."""
        return (
            (not self._principals or bool(self._principals & {record.principal, record.name}))
            and (not self._codes or record.code in self._codes)
            and (not self._operations or record.operation.casefold() in self._operations)
            and (not self._paths or any(_below(path, wanted) for path in paths_of(record) for wanted in self._paths))
        )


def paths_of(record: Record) -> tuple[str, ...]:
    """What a record is about: one path, or those of a batch's items."""
    if not record.items:
        return (record.path,)
    return tuple(str(json.loads(bytes(item))["path"]) for item in record.items)


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _show(followed: Tail, wanted: Filter, last: int | None, *, as_json: bool) -> bool:
    """Show what is new, by time, or only the ``last`` of it; False when a record does not hold."""
    kept: deque[Seen] = deque(maxlen=last)
    wrong: list[Seen] = []
    for seen in followed.new():
        if seen.record is None:
            wrong.append(seen)
        elif wanted.passes(seen.record):
            kept.append(seen)
    for seen in sorted(kept, key=lambda one: one.record.time if one.record else ""):
        assert seen.record is not None
        click.echo(seen.line.decode().rstrip("\n") if as_json else printable(_line(seen.record)))
    for seen in wrong:
        place = f"{seen.file}, line {seen.number}" if seen.number else seen.file
        click.echo(printable(f"BROKEN: {place}: {seen.wrong}"), err=True)
    return not wrong


def _line(record: Record) -> str:
    """One record for people: when, how it ended, what, where, who, from where, how long."""
    ending = record.code or record.kind
    who = record.name or record.principal or "-"
    words = [record.time[:23] + "Z", f"{ending:<17}", record.operation or f"worker {record.shard}"]
    words += [
        f"{len(record.items)} items" if record.items else record.path,
        f"by {who}" if record.operation else "",
        f"from {record.source}" if record.source else "",
    ]
    if record.count:
        words.append(f"{record.count} times since {record.since[:19]}Z")
    if record.duration:
        words.append(f"{record.duration / 1_000:.1f} ms")
    return "  ".join(word for word in words if word)


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    """Raise Failure for a folder or file that cannot be read."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Failure(f"{error.filename} cannot be read: {error.strerror}", code="invalid_configuration") from None


def _folder_of(config: Path | None) -> Path:
    from wardgate.config import load  # noqa: PLC0415  # only with --config

    assert config is not None
    return load(config).audit.folder
