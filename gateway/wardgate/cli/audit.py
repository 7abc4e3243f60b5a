"""``wardgate audit``: checks the audit's files offline."""

from __future__ import annotations

from pathlib import Path

import click

from wardgate.cli import exits, output
from wardgate.cli.failure import Failure
from wardgate.cli.session import json_option
from wardgate.cli.terminal import printable


@click.group()
def audit() -> None:
    """The audit: one chain of records a worker."""


@audit.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--config", type=click.Path(dir_okay=False, path_type=Path), help="Take the folder from this file.")
@json_option
@click.pass_context
def verify(ctx: click.Context, folder: Path | None, config: Path | None, *, as_json: bool) -> None:
    """Check every chain in FOLDER; needs no key and changes nothing. Ends in 1 when a record does not hold."""
    from wardgate.pipeline.audit.verify import verify as check  # noqa: PLC0415  # what only this command needs

    if (folder is None) == (config is None):
        raise click.UsageError("say where the audit is: FOLDER, or --config FILE")
    try:
        report = check(folder or _folder_of(config))
    except OSError as error:
        where = error.filename or folder
        raise Failure(f"{where} cannot be read: {error.strerror}", code="invalid_configuration") from None
    if as_json:
        output.as_json(report.as_dict())
    else:
        for sentence in report.sentences():
            click.echo(printable(sentence))
    if not report.shards:
        ctx.exit(exits.NOT_FOUND)
    ctx.exit(exits.OK if report.ok else exits.FAILURE)


def _folder_of(config: Path | None) -> Path:
    from wardgate.config import load  # noqa: PLC0415  # only with --config

    assert config is not None
    return load(config).audit.folder
