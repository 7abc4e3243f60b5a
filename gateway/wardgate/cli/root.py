"""``wardgate`` itself: its commands are imported when they are run, so that ``--help`` and completion are quick."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
from click.exceptions import NoSuchCommand

from wardgate import __version__
from wardgate.cli import exits, failure
from wardgate.cli.failure import Failure, Manner
from wardgate.spi.errors import WardgateError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "init": ("setup:init", "Make a data folder, its key file and a first administrator's key."),
    "serve": ("run:serve", "Run the gateway from a configuration file."),
    "dev": ("run:dev", "Run a gateway to try things out, on this machine only."),
    "get": ("secrets:get", "Read a secret."),
    "put": ("secrets:put", "Store a secret, from stdin, a file or a prompt."),
    "patch": ("secrets:patch", "Change fields of a secret."),
    "list": ("secrets:list_", "List a folder, or all secrets below it."),
    "history": ("versions:history", "Show a secret's versions."),
    "delete": ("versions:delete", "Delete a secret's version."),
    "undelete": ("versions:undelete", "Recover deleted versions."),
    "destroy": ("versions:destroy", "Destroy versions for ever."),
    "copy": ("copying:copy", "Copy a secret, or all below a folder, from one store to another."),
    "namespace": ("namespaces:namespace", "Child namespaces: list, create, delete."),
    "mount": ("mounts:mount", "Mounts: list, show, add, tune, remove."),
    "key": ("keys:key", "API keys: list, create, revoke, recover."),
    "auth": ("methods:auth", "Login methods: list, enable, tune, disable."),
    "approle": ("approle:approle", "AppRole: roles, their ids, and the login."),
    "policy": ("policies:policy", "Policies: list, read, write, delete, explain, lint, test."),
    "label": ("labels:label", "Labels of paths, for conditions of policies: list, set, remove."),
    "audit": ("audit:audit", "The audit: tail, verify."),
    "backup": ("backup:backup", "Backups of the data folder: create, verify, restore."),
    "plugins": ("plugins:plugins", "What the installed plugins offer, and their options."),
    "plugin": ("plugin_new:plugin", "Plugins of your own: new."),
    "doctor": ("doctor:doctor", "Check configuration, key file, data folder, audit and port."),
}

EPILOG = "\b\nExit codes:\n" + "\n".join(f"  {code}  {meaning}" for code, meaning in exits.MEANINGS.items())


class LazyGroup(click.Group):
    """A group that knows its commands by name and help, and imports one when it is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """All names, in the order a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's
        """Import the command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(f"wardgate.cli.{module}"), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; a misspelt one names its neighbours, without importing any."""
        try:
            return super().resolve_command(ctx, args)
        except NoSuchCommand as error:
            raise NoSuchCommand(error.command_name, possibilities=COMMANDS, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002  # click's
        """Complete a command's name without importing any."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415  # only a shell asks

        names = [CompletionItem(name, help=summary) for name, (_, summary) in COMMANDS.items()]
        return [item for item in names if item.value.startswith(incomplete)]

    def main(  # type: ignore[override]  # click's overloads differ by standalone_mode, which is ours to choose
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> Any:
        """Run one command and end the process; every failure is told in one way."""
        manner = Manner()
        extra |= {"standalone_mode": False, "obj": manner}
        try:
            ended = super().main(args, prog_name, **extra)
        except click.Abort:
            click.echo("Stopped.", err=True)
            sys.exit(exits.FAILURE)
        except click.ClickException as error:
            sys.exit(failure.report(error, manner))
        except WardgateError as error:
            sys.exit(failure.report(failure.of(error), manner))
        except BrokenPipeError:
            # Whoever read our output has enough; let the interpreter's last flush go nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(exits.FAILURE)
        except OSError as error:
            told = Failure(f"{error.filename or 'input or output'}: {error.strerror or type(error).__name__}")
            sys.exit(failure.report(told, manner))
        except Exception as error:  # noqa: BLE001  # the last door: a traceback could show what was worked on
            sys.exit(failure.unexpected(error, manner))
        sys.exit(ended if isinstance(ended, int) else exits.OK)


@click.command(
    cls=LazyGroup,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="wardgate", message="%(prog)s %(version)s")
def wardgate() -> None:
    """One secrets gateway: any SDK in, any backend out, one policy and one audit between."""
