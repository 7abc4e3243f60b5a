"""``wardgate backup``: an archive of the data folder, looking into one, and making a folder of it again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wardgate.cli import exits, output, progress
from wardgate.cli.failure import Failure
from wardgate.cli.session import json_option
from wardgate.cli.terminal import printable
from wardgate.spi.errors import Sealed

if TYPE_CHECKING:
    from wardgate.backup import Findings, Manifest
    from wardgate.config import Config
    from wardgate.crypto.seal import KeyFileSeal

FILE = click.Path(dir_okay=False, path_type=Path)
PLUGINS = click.option("--plugin", "plugins", multiple=True, help="A further plugin its mounts need. May be repeated.")
QUICK = click.option("--quick", is_flag=True, help="Do not read every secret.")


@contextlib.contextmanager
def _key_at_hand() -> Iterator[None]:
    """A key file that is not there, or another installation's, is wrong input: waiting does not help, nor a doctor."""
    try:
        yield
    except Sealed as error:
        raise Failure(error.message, code="invalid_configuration") from None


@click.group()
def backup() -> None:
    """Backups of the data folder: taken while the gateway runs, and never with its key file."""


@backup.command()
@click.argument("file", type=FILE)
@click.option("--config", type=FILE, required=True, help="The file `serve` reads; names data folder and key file.")
@click.option("--with-audit", is_flag=True, help="The audit's files too.")
@json_option
@_key_at_hand()
def create(file: Path, config: Path, *, with_audit: bool, as_json: bool) -> None:
    """Write a backup of the data folder to the new FILE, whether or not the gateway runs.

    Works on this machine's files: run it as the user who runs the gateway. No policy is asked and nothing is audited.
    """
    from wardgate import backup as backups  # noqa: PLC0415  # the database library takes a while
    from wardgate.config import load  # noqa: PLC0415
    from wardgate.crypto.seal import KeyFileSeal  # noqa: PLC0415

    settings = load(config)
    seal = KeyFileSeal.load(settings.key_file)
    audit = settings.audit.folder if with_audit else None
    with progress.shown("Copying", total=_bytes(settings, audit), unit="B") as tick:
        manifest = backups.create(settings.data, file.absolute(), seal, settings.plugins, audit=audit, tick=tick)
    if as_json:
        output.as_json({"file": str(file), **_told(manifest)})
    else:
        said = f"Wrote {file}: {len(manifest.files)} files, {manifest.size} bytes, as of {manifest.created_at}."
        click.echo(printable(said), err=True)
        click.echo(f"`wardgate backup verify {file} --config {config}` looks into it.", err=True)


@backup.command()
@click.argument("file", type=FILE)
@click.option("--key-file", type=FILE, help="The key file of that data folder.")
@click.option("--config", type=FILE, help="Take key file and plugins from this file.")
@PLUGINS
@QUICK
@json_option
@click.pass_context
@_key_at_hand()
def verify(
    ctx: click.Context, file: Path, key_file: Path | None, config: Path | None, plugins: tuple[str, ...],
    *, quick: bool, as_json: bool,
) -> None:  # fmt: skip
    """Look into the backup FILE: every byte, every code, every key, every secret. Ends in 1 when one does not hold.

    It is unpacked beside FILE for that, and removed again.
    """
    from wardgate import backup as backups  # noqa: PLC0415  # the database library takes a while

    seal, needed = _opening(key_file, config, plugins)
    _must_exist(file)
    with progress.shown("Checking", unit="secrets") as tick:
        manifest, findings = backups.verify(file.absolute(), seal, needed, values=not quick, tick=tick)
    _report(manifest, findings, as_json=as_json)
    if not as_json and findings.ok:
        click.echo(f"{file} holds." if not quick else f"{file} holds, as far as --quick looks.")
    ctx.exit(exits.OK if findings.ok else exits.FAILURE)


@backup.command()
@click.argument("file", type=FILE)
@click.option("--to", type=click.Path(path_type=Path), required=True, help="The data folder to make.")
@click.option("--key-file", type=FILE, help="The key file of that data folder.")
@click.option("--config", type=FILE, help="Take key file and plugins from this file.")
@PLUGINS
@QUICK
@json_option
@click.pass_context
@_key_at_hand()
def restore(
    ctx: click.Context, file: Path, to: Path, key_file: Path | None, config: Path | None, plugins: tuple[str, ...],
    *, quick: bool, as_json: bool,
) -> None:  # fmt: skip
    """Make a data folder of the backup FILE, after looking at all of it as `verify` does.

    What was undone since the backup is back: tokens revoked since then are valid again until they expire.
    """
    from wardgate import backup as backups  # noqa: PLC0415  # the database library takes a while

    seal, needed = _opening(key_file, config, plugins)
    _must_exist(file)
    with progress.shown("Checking", unit="secrets") as tick:
        manifest, findings = backups.restore(file.absolute(), to, seal, needed, values=not quick, tick=tick)
    _report(manifest, findings, as_json=as_json)
    if not as_json and findings.ok:
        click.echo(f"Made {to}, as of {manifest.created_at}. Nothing serves it yet.")
        click.echo("Keys and logins revoked since then are valid again: look at `wardgate key list`.", err=True)
    ctx.exit(exits.OK if findings.ok else exits.FAILURE)


def _opening(
    key_file: Path | None, config: Path | None, plugins: tuple[str, ...]
) -> tuple[KeyFileSeal, tuple[str, ...]]:
    from wardgate.config import DEFAULT_PLUGINS, load  # noqa: PLC0415  # what only some commands need
    from wardgate.crypto.seal import KeyFileSeal  # noqa: PLC0415

    if (key_file is None) == (config is None):
        raise click.UsageError("say where the key is: --key-file FILE, or --config FILE")
    if config is not None:
        settings = load(config)
        return KeyFileSeal.load(settings.key_file), _and(settings.plugins, plugins)
    assert key_file is not None
    return KeyFileSeal.load(key_file), _and(DEFAULT_PLUGINS, plugins)


def _and(first: Iterable[str], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *more)))


def _must_exist(file: Path) -> None:
    if not file.is_file():
        raise Failure(f"there is no backup at {file}", code="secret_not_found", hint="Check the name.")


def _bytes(config: Config, audit: Path | None) -> int:
    """How much `create` has to copy and write, about."""
    files = [config.data / "gateway.db", *(config.data / "namespaces").glob("*.db")]
    files += audit.glob("*.jsonl") if audit is not None else ()
    return 2 * sum(file.stat().st_size for file in files if file.exists())


def _told(manifest: Manifest) -> dict[str, Any]:
    return {
        "installation": manifest.installation,
        "created_at": manifest.created_at,
        "version": manifest.version,
        "files": [{"name": member.name, "size": member.size, "sha256": member.sha256} for member in manifest.files],
    }


def _report(manifest: Manifest, findings: Findings, *, as_json: bool) -> None:
    if as_json:
        output.as_json({"ok": findings.ok, **_told(manifest), **asdict(findings)})
        return
    output.facts([
        ("installation", manifest.installation),
        ("as of", manifest.created_at),
        ("written by", f"wardgate {manifest.version}"),
        ("files", f"{len(manifest.files)}, {manifest.size} bytes"),
        ("namespaces", str(findings.namespaces)),
        ("mounts", f"{findings.mounts}, {findings.foreign} of them of other systems, which no backup holds"),
        ("secrets read", f"{findings.secrets}, {findings.versions} versions"),
    ])  # fmt: skip
    for problem in findings.problems:
        click.echo(printable(f"BROKEN: {problem}"))
