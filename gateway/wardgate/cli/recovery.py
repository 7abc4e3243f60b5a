"""``wardgate key recover``: a new administrator's key, for whoever holds the data folder and the key file."""

from __future__ import annotations

import math
import os
import uuid
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wardgate.cli import output
from wardgate.cli.failure import Failure
from wardgate.cli.session import json_option
from wardgate.spi.errors import Sealed

if TYPE_CHECKING:
    from wardgate.config import AuditConfig, Config
    from wardgate.spi.operations.tokens import TokenIssued
    from wardgate.state import State

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--config", "file", type=FILE, required=True, help="The file `serve` reads; names data and key file.")
@click.option("--namespace", default="", envvar="WARDGATE_NAMESPACE", help="Path of the namespace.")
@json_option
def recover(file: Path, namespace: str, *, as_json: bool) -> None:
    """Print a new administrator's key that lives 24 hours, whether or not the gateway runs.

    Works on this machine's files: run it as the user who runs the gateway. No token is shown and no policy is asked.
    The audit records it; `wardgate key list` shows the key as recovered-DATE.
    """
    import asyncio  # noqa: PLC0415  # --help does without

    from wardgate.cli.setup import ends_at  # noqa: PLC0415
    from wardgate.config import load  # noqa: PLC0415

    config = load(file)
    for folder in (config.data, config.audit.folder) if config.audit.folder.exists() else (config.data,):
        _must_own(folder)
    path = namespace.strip("/")
    issued = asyncio.run(_recovered(config, path))
    made = issued.info.principal
    if as_json:
        output.as_json({
            "id": made.id,
            "name": made.name,
            "namespace": path,
            "token": issued.token,
            "expires_at": ends_at(issued),
        })  # fmt: skip
        return
    click.echo(
        "With the key below in WARDGATE_TOKEN, make one that lasts, and end this one:\n"
        f"  wardgate key create NAME --policy administrator\n  wardgate key revoke {made.id}",
        err=True,
    )
    where = f"namespace {path!r}" if path else "the root namespace"
    output.once(issued.token, f"\nThe key {made.name} of {where}, shown this once; it ends in 24 hours:")


def _must_own(folder: Path) -> None:
    """Refuse another user's folder: files that this user made in it could shut its gateway out."""
    try:
        owner = folder.stat().st_uid
    except OSError as error:
        raise Failure(f"the folder {folder}: {error.strerror}", code="invalid_configuration") from None
    if owner != os.geteuid():
        raise Failure(
            f"the folder {folder} belongs to another user",
            code="invalid_configuration",
            hint="Run this as the user who runs the gateway.",
        )


async def _recovered(config: Config, path: str) -> TokenIssued:
    from wardgate.cli import founding  # noqa: PLC0415  # the database library takes a while
    from wardgate.state import files  # noqa: PLC0415

    try:
        state = founding.reopen(config.data, config.key_file)
    except Sealed as error:
        # A wrong key file is wrong input: waiting does not help.
        raise Failure(error.message, code="invalid_configuration") from None
    try:
        namespace = _found(state, path)
        with files.writers_lock(config.data / "recovery"):  # a shard has one writer at a time
            return await _audited(state, namespace, config.audit)
    finally:
        await state.close()


async def _audited(state: State, namespace: str, audit: AuditConfig) -> TokenIssued:
    """Make the key as a worker makes one: on record before and after. Raises Unavailable where that cannot be written.

    In a shard that no worker has, so that it can be done beside a gateway that runs.
    """
    from wardgate.cli import founding  # noqa: PLC0415
    from wardgate.cli.setup import DAY  # noqa: PLC0415
    from wardgate.clock import SystemClock  # noqa: PLC0415
    from wardgate.config import MOST_WORKERS  # noqa: PLC0415
    from wardgate.context import Context  # noqa: PLC0415
    from wardgate.pipeline.audit import Audit, Journal  # noqa: PLC0415
    from wardgate.pipeline.begin import Begin  # noqa: PLC0415
    from wardgate.spi.frontend import Arrival, Outcome  # noqa: PLC0415
    from wardgate.spi.operations.keys import CreateKey  # noqa: PLC0415
    from wardgate.spi.operations.policies import ADMINISTRATOR  # noqa: PLC0415

    clock = SystemClock()
    name = f"recovered-{datetime.now(UTC):%Y-%m-%d}"
    operation = CreateKey(key_name=name, policies=(ADMINISTRATOR,), ttl=DAY)
    context = Context(Arrival(str(uuid.uuid4()), clock.now(), math.inf, ""), operation, None, namespace)

    async def make(_: Context) -> Outcome[TokenIssued]:
        return Outcome(await founding.administrator(state, name=name, ttl=DAY, namespace=namespace))

    journal = Journal.of(audit, MOST_WORKERS, state.root, clock, reserve_bytes=0)
    await journal.open(lambda record: "committed" if state.committed(record.pair, ()) else "absent")
    try:
        outcome: Outcome[TokenIssued] = await Audit(journal)(context, partial(Begin(journal), call_next=make))
    finally:
        await journal.close()
    return outcome.result


def _found(state: State, path: str) -> str:
    found = state.namespaces.resolve(path)
    if not found and not path:
        raise Failure("the root namespace was changed outside the gateway; restore a backup", code="unavailable")
    if not found:
        raise Failure(f"there is no namespace {path!r}", code="secret_not_found")
    return found
