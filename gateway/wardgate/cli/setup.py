"""``wardgate init``: a data folder, its key file, and a first administrator's key."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from wardgate.cli import output
from wardgate.cli.failure import Failure
from wardgate.cli.session import json_option
from wardgate.spi.operations.tokens import TokenIssued

DAY = 24 * 3_600 * 1_000_000_000
FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Folder to make for the state.")
@click.option("--key-file", type=FILE, required=True, help="Key file to make; outside the data folder.")
@click.option("--config", type=FILE, help="Configuration file to write, for `wardgate serve --config`.")
@json_option
def init(data: Path, key_file: Path, config: Path | None, *, as_json: bool) -> None:
    """Make a data folder sealed by a new key file, and print an administrator's key that lives 24 hours.

    Nothing that exists is overwritten. Keep a copy of the key file away from this machine: without it nothing in the
    folder can be read again.
    """
    import asyncio  # noqa: PLC0415  # --help does without

    from wardgate.config import AuditConfig, Config  # noqa: PLC0415  # what only some commands need

    data, key_file = data.absolute(), key_file.absolute()
    Config(data=data, key_file=key_file, audit=AuditConfig(data / "audit"))  # refuses a key inside the folder
    if config is not None and config.exists():
        raise Failure(f"there is a file at {config} already; name another", code="already_exists")
    issued = asyncio.run(_found(data, key_file))
    text = _configuration(data, key_file)
    if config is not None:
        _write(config, text)
    if as_json:
        output.as_json({
            "data": str(data),
            "key_file": str(key_file),
            "config": None if config is None else str(config),
            "token": issued.token,
            "expires_at": ends_at(issued),
        })  # fmt: skip
        return
    _tell(data, key_file, config, text)
    output.once(issued.token, "\nThe administrator's key, shown this once; it ends in 24 hours:")


async def _found(data: Path, key_file: Path) -> TokenIssued:
    from wardgate.cli import founding  # noqa: PLC0415  # the database library takes a while

    state = founding.create(data, key_file)
    try:
        return await founding.administrator(state, name="first administrator", ttl=DAY)
    finally:
        await state.close()


def _configuration(data: Path, key_file: Path) -> str:
    return f"[data]\nfolder = {_toml(data)}\nkey_file = {_toml(key_file)}\n"


def ends_at(issued: TokenIssued) -> str:
    """When an administrator's key ends, in RFC 3339, to the second."""
    seconds = (issued.info.principal.expires_at or 0) // 1_000_000_000
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _toml(path: Path) -> str:
    import tomlkit  # noqa: PLC0415  # only here

    return str(tomlkit.string(str(path)).as_string())


def _write(config: Path, text: str) -> None:
    try:
        opened = os.open(config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        with open(opened, "w", encoding="utf-8") as file:  # noqa: PTH123  # a descriptor, made by O_EXCL
            file.write(text)
    except OSError as error:
        raise Failure(
            f"the data folder and the key file are made, but {config} cannot be written: {error.strerror}"
        ) from None


def _tell(data: Path, key_file: Path, config: Path | None, text: str) -> None:
    click.echo(f"Made the data folder {data}, sealed by {key_file}. Keep a copy of that file elsewhere.", err=True)
    if config is None:
        click.echo(f"\nA configuration for `wardgate serve --config FILE`:\n\n{text}", err=True)
    click.echo(
        "\nNext, with the key below in WARDGATE_TOKEN:\n"
        f"  wardgate serve --config {config or 'FILE'}\n"
        "  wardgate mount add secret --type native --present vault.kv=2\n"
        "  wardgate key create NAME --policy administrator",
        err=True,
    )
