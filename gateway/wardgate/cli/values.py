"""Where the value of ``put`` and the options of ``mount add`` come from: stdin, a file, a prompt."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import click

from wardgate.cli import terminal
from wardgate.spi import strict_json
from wardgate.spi.errors import Malformed

TYPES = ("json", "text", "bytes")
WHOLE = "the value"
PROOF = "secret id"
"""What a login reads; it is never stored."""
MAX_BYTES = 64 * 1024 * 1024


class Sources:
    """Reads stdin once, and files; what is asked of a person is not shown."""

    def __init__(self) -> None:
        self._stdin_taken_by = ""

    def whole(self, file: Path | None) -> bytes:
        """The bytes of a file, or of stdin, exactly; from a terminal: a hidden prompt."""
        if file is not None:
            return _file(file)
        if terminal.somebody_is_there():
            return _prompt("Value").encode()
        return self._stdin(WHOLE)

    def text(self, name: str, source: str) -> str:
        """The text that ``-`` or ``@file`` stands for. Stdin loses one final newline, a file nothing."""
        if source == "-":
            if terminal.somebody_is_there():
                return _prompt(name)
            data = self._stdin(name).removesuffix(b"\n").removesuffix(b"\r")
        else:
            data = _file(Path(source[1:]))
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise click.UsageError(
                f"the field {name!r} is not text; store bytes as a whole value with --file"
            ) from None

    def _stdin(self, taker: str) -> bytes:
        if self._stdin_taken_by:
            raise click.UsageError(f"stdin went to {self._stdin_taken_by!r} already; use @file for {taker!r}")
        self._stdin_taken_by = taker
        data = sys.stdin.buffer.read(MAX_BYTES + 1)
        if not data:
            if taker == PROOF:
                raise click.UsageError("stdin is empty: give the secret id there, or --secret-id-file FILE")
            instead = "--file /dev/null" if taker == WHOLE else f"{taker}=@/dev/null"
            raise click.UsageError(
                f"stdin is empty, so there is nothing to store for {taker!r}; did the command before it fail? "
                f"To store an empty one on purpose, give {instead}"
            )
        return _bounded(data)


def _prompt(name: str) -> str:
    return str(click.prompt(name, hide_input=True, confirmation_prompt=True, err=True))


def _file(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return _bounded(opened.read(MAX_BYTES + 1))
    except OSError as error:
        raise click.UsageError(f"{file} cannot be read: {error.strerror}") from None


def _bounded(data: bytes) -> bytes:
    if len(data) > MAX_BYTES:
        raise click.UsageError(f"a value of more than {MAX_BYTES >> 20} MiB is no secret")
    return data


def fields(given: Sequence[str], plain: Sequence[str]) -> dict[str, str]:
    """``name=-`` and ``name=@file`` of ``given``, and the ``name=value`` of ``plain``, as one JSON object.

    A value in ``given`` itself is refused: other processes and the shell's history would see it.
    """
    sources = Sources()
    result: dict[str, str] = {}
    for argument, is_plain in [(one, False) for one in given] + [(one, True) for one in plain]:
        name, equals, source = argument.partition("=")
        if not equals or not name:
            how = (
                "--plain is written NAME=TEXT"
                if is_plain
                else "a field is written name=- (stdin or prompt) or name=@FILE"
            )
            raise click.UsageError(how)
        if name in result:
            raise click.UsageError(f"the field {name!r} is given twice")
        if is_plain:
            result[name] = source
        elif source == "-" or (source.startswith("@") and len(source) > 1):
            result[name] = sources.text(name, source)
        else:
            raise _would_show(name, ", or --plain for what is no secret")
    return result


def _would_show(name: str, otherwise: str = "") -> click.UsageError:
    return click.UsageError(
        f"the value of {name!r} would show in the process list and the shell's history; "
        f"write {name}=- (stdin or prompt) or {name}=@FILE{otherwise}"
    )


def encode(given: Mapping[str, str | None]) -> bytes:
    """Fields as the JSON object that is stored, or as the patch of one."""
    return json.dumps(given, ensure_ascii=False, separators=(",", ":")).encode()


def media_type(data: bytes, chosen: str | None) -> str:
    """The media type said, or the one the bytes look like: a JSON object, text, bytes."""
    from wardgate.spi.values import BYTES, JSON, TEXT  # noqa: PLC0415  # --help does without

    if chosen is not None:
        return {"json": JSON, "text": TEXT, "bytes": BYTES}[chosen]
    try:
        if data.lstrip()[:1] == b"{" and isinstance(strict_json.loads(data), dict):
            return JSON
    except Malformed:
        pass
    try:
        data.decode()
    except UnicodeDecodeError:
        return BYTES
    return TEXT


def options(given: Sequence[str], secret: Collection[str] | None = (), *, unknown: str = "") -> dict[str, object]:
    """Options of a mount: ``name=text`` or ``name:=JSON``, either of which can come from ``-`` or ``@FILE``.

    For the names in ``secret`` only those two are taken, as in :func:`fields`; None: nobody knows which are secret,
    for the reason ``unknown``, so for all of them.
    """
    sources = Sources()
    result: dict[str, object] = {}
    for argument in given:
        left, equals, source = argument.partition("=")
        name = left.removesuffix(":")
        if not equals or not name:
            raise click.UsageError("an option is written name=text, name:=JSON, name=- or name=@FILE")
        if source == "-" or (source.startswith("@") and len(source) > 1):
            source = sources.text(name, source).removesuffix("\n")
        elif secret is None:
            raise click.UsageError(
                f"{unknown}{'' if unknown.endswith('?') else '.'} "
                "If the gateway knows more: which of its options are secret cannot be told here, so write "
                f"{name}=- (stdin or prompt) or {name}=@FILE ({name}:=@FILE for numbers)"
            )
        elif name in secret:
            raise _would_show(name)
        result[name] = source if name == left else _json(name, source)
    return result


def _json(name: str, text: str) -> object:
    try:
        return strict_json.loads(text.encode())
    except Malformed:
        ending = "; write true or false" if text.lower() in {"true", "false", "yes", "no"} else ', such as 5 or ["a"]'
        raise click.UsageError(f"what follows {name}:= is not JSON{ending}") from None


def pairs(given: Sequence[str]) -> dict[str, str]:
    """``NAME=TEXT`` each, none twice. Raises UsageError."""
    found: dict[str, str] = {}
    for one in given:
        name, equals, text = one.partition("=")
        if not equals or not name or name in found:
            raise click.UsageError(f"{one!r}: write NAME=TEXT, and each name once")
        found[name] = text
    return found
