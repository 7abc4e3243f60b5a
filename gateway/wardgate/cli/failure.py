"""How a command says that it failed: what happened, what to do, on stderr, and an exit code."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import click

from wardgate.cli import exits
from wardgate.cli.terminal import printable
from wardgate.spi.errors import WardgateError

OF_COMMANDS = frozenset({"--json", "--address", "--token-file", "--namespace", "--ca-file", "--allow-http"})
"""Options that commands have, and groups of commands have not."""


@dataclass
class Manner:
    """How this run speaks: ``json`` once ``--json`` was seen."""

    json: bool = False


class Failure(click.ClickException):
    """A command could not do its work. ``code`` is the closed list's, or ``failed``; ``hint`` stands in for its own."""

    def __init__(self, message: str, *, code: str = "failed", request_id: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.request_id = request_id
        self.hint = hint

    def reworded(self, message: str, *, hint: str = "") -> Failure:
        """The same failure in other words, or with another hint."""
        return Failure(message, code=self.code, request_id=self.request_id, hint=hint or self.hint)


def of(error: WardgateError) -> Failure:
    """The failure that an error of the closed list is."""
    return Failure(error.message or error.code, code=error.code)


def report(failure: click.ClickException, manner: Manner) -> int:
    """Write the failure to stderr and return its exit code."""
    if isinstance(failure, click.exceptions.NoArgsIsHelpError):
        click.echo(failure.format_message(), err=True)  # whoever asks for nothing is told what there is
        return exits.USAGE
    code = failure.code if isinstance(failure, Failure) else "usage"
    hint = (failure.hint if isinstance(failure, Failure) else "") or exits.HINTS.get(code, "")
    if isinstance(failure, click.UsageError) and failure.ctx is not None:
        hint = f"Try '{failure.ctx.command_path} --help'."
    request_id = failure.request_id if isinstance(failure, Failure) else ""
    message = failure.format_message()
    if misplaced := _misplaced(failure):
        message, hint = failure.message, misplaced  # without the nearest option of the group's own
    ending = exits.of(code) if isinstance(failure, Failure) else exits.USAGE
    if manner.json:
        import json  # noqa: PLC0415  # --help and completion do without

        error = {"code": code, "message": message, "hint": hint, "request_id": request_id}
        click.echo(json.dumps({"error": {name: text for name, text in error.items() if text}}), err=True)
        return ending
    click.echo(f"Error: {printable(message)}", err=True)
    if hint:
        click.echo(printable(hint), err=True)
    if request_id:
        click.echo(f"(request {printable(request_id)})", err=True)
    return ending


def _misplaced(failure: click.ClickException) -> str:
    """What to do about an option of every command that stands before its command; empty where it is no such thing."""
    if not isinstance(failure, click.NoSuchOption) or failure.option_name not in OF_COMMANDS:
        return ""
    if failure.ctx is None or not isinstance(failure.ctx.command, click.Group):
        return ""
    return f"Put {failure.option_name} after the command."


def unexpected(error: Exception, manner: Manner) -> int:
    """A defect: name it without its message, which could hold what was being worked on."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" at {place.tb_frame.f_code.co_name}:{place.tb_lineno}" if place else ""
    sys.stdout.flush()
    return report(Failure(f"internal error: {type(error).__name__}{where}; please report it"), manner)
