"""``wardgate serve`` and ``wardgate dev``: run the gateway until a signal stops it."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wardgate.cli.failure import Failure
from wardgate.cli.session import json_option

if TYPE_CHECKING:
    from wardgate.config import Config

MOUNTS = {"secret": "2", "kv1": "1"}
"""What ``dev`` mounts, and as which version of KV Vault's clients see it."""
ADMINISTRATOR_NAME = "dev"


@click.command()
@click.option("--config", "file", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The TOML file.")
@json_option
@click.pass_context
def serve(ctx: click.Context, file: Path, *, as_json: bool) -> None:
    """Run the gateway. SIGTERM lets what is under way finish; off this machine it listens with TLS only."""
    from wardgate.config import load  # noqa: PLC0415  # what only these commands need
    from wardgate.server.run import serve as run  # noqa: PLC0415

    def ready(address: str) -> None:
        said = json.dumps({"address": address}) if as_json else f"Wardgate serves {address}"
        click.echo(said, err=not as_json)

    ctx.exit(run(load(file), on_ready=ready))


@click.command()
@click.option("--listen", default="127.0.0.1:8200", show_default=True, metavar="HOST:PORT", help="On loopback only.")
@click.option("--token", help="The administrator's token; without it a random one. Others on this machine can see it.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Worker processes.")
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path),
    help="Keep state and key in this folder; without it they vanish at the end.",
)  # fmt: skip
@click.option("--plugin", "plugins", multiple=True, metavar="NAME", help="Load this plugin too; can be repeated.")
@json_option
@click.pass_context
def dev(
    ctx: click.Context,
    listen: str,
    token: str | None,
    workers: int,
    data: Path | None,
    plugins: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Run a gateway to try things out: the native store at secret/ and kv1/, AppRole, an administrator's token.

    Never for real secrets: the key lies beside the data.
    """
    import asyncio  # noqa: PLC0415  # --help does without

    from wardgate.config import Config  # noqa: PLC0415  # what only these commands need
    from wardgate.server.run import serve as run  # noqa: PLC0415

    if token is not None and (not token or not token.isascii() or not token.isprintable() or " " in token):
        raise click.UsageError("--token must be printable ASCII without spaces")
    if plugins:
        from wardgate.registry import Registry  # noqa: PLC0415  # only who asks for more pays for it

        Registry.load(plugins)  # a wrong name is told before anything is made
    if data is not None:
        data = data.absolute()
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = Config.for_dev(listen=listen, workers=workers, folder=data, plugins=plugins)
    try:
        _must_be_free(config)
        issued = asyncio.run(_prepare(config, token))
    except BaseException:
        if config.dev and config.dev.temporary:
            shutil.rmtree(config.dev.temporary, ignore_errors=True)
        raise

    def ready(address: str) -> None:
        click.echo(json.dumps({"address": address, "token": issued}) if as_json else _welcome(address, issued))

    ctx.exit(run(config, on_ready=ready))


def _must_be_free(config: Config) -> None:
    """Refuse a folder or a port in use before anything is changed: the token of the one that runs must go on working.

    Raises:
        Failure: what is taken, and what to choose instead.
    """
    from wardgate.cli.doctor import serving  # noqa: PLC0415  # what only this command needs
    from wardgate.server.listener import Stop, listen  # noqa: PLC0415

    if serving(config):
        raise Failure(f"another gateway runs on {config.data.parent}; stop it or name another folder")
    try:
        listen(config).close()
    except Stop as stop:
        raise Failure(
            str(stop), hint="Another address: --listen HOST:PORT, or make run LISTEN=127.0.0.1:9000."
        ) from None


async def _prepare(config: Config, token: str | None) -> str:
    """Make the state, or open the one that is there, and return this run's administrator's token."""
    from wardgate.cli import founding  # noqa: PLC0415  # the database library takes a while to load

    fresh = not config.key_file.exists()
    state = (founding.create if fresh else founding.reopen)(config.data, config.key_file)
    try:
        if fresh:
            for prefix, version in MOUNTS.items():
                await founding.mount_native(state, prefix, shown_as=version)
        else:
            await founding.revoke_administrators(state, name=ADMINISTRATOR_NAME)
        if token is not None:
            await founding.chosen_administrator(state, name=ADMINISTRATOR_NAME, token=token)
            return token
        return (await founding.administrator(state, name=ADMINISTRATOR_NAME, ttl=None)).token
    finally:
        await state.close()


def _welcome(address: str, token: str) -> str:
    # From a virtual environment `wardgate` is found only by a shell that knows the environment's folder.
    folder = Path(sys.executable).parent
    path = f"  export PATH={shlex.quote(str(folder))}:$PATH\n" if sys.prefix != sys.base_prefix else ""
    shown = shlex.quote(token)
    return f"""\
Wardgate dev answers at {address}
Administrator's token: {token}

{path}\
  export WARDGATE_ADDR={address} WARDGATE_TOKEN={shown}
  export VAULT_ADDR={address} VAULT_TOKEN={shown}

Three lines to try, in another shell with these variables:

  echo s3cr3t | wardgate put secret/app password=- && wardgate get secret/app
  bao kv get secret/app        # or: vault kv get secret/app
  curl -H "Authorization: Bearer $WARDGATE_TOKEN" $WARDGATE_ADDR/api/v1/secrets/secret/app

secret/ is KV version 2 to Vault's clients, kv1/ is version 1.

Ctrl-C stops it."""
