"""Options of a plugin's type: a frozen dataclass whose fields say what they are.

One description serves configuration checks, redaction, ``wardgate plugins`` and the documentation::

    @dataclass(frozen=True)
    class Options:
        address: str = option(help="URL of the server")
        token: str | None = option(help="A token", default=None, secret=True)
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass
from typing import Any, TypeVar

from wardgate.spi.errors import InvalidValue

T = TypeVar("T")
REDACTED = "********"


@dataclass(frozen=True, slots=True)
class Option:
    """One option as shown to people: its name, type, default, help, and whether it is a secret."""

    name: str
    type: str
    required: bool
    secret: bool
    help: str
    default: object = None


def option(*, help: str, default: Any = MISSING, secret: bool = False) -> Any:  # noqa: A002  # reads as argparse's
    """Declare one option of a plugin's options dataclass; secret options never show in ``repr``."""
    return dataclasses.field(default=default, repr=not secret, metadata={"help": help, "secret": secret})


def describe(options: type) -> tuple[Option, ...]:
    """The options a dataclass declares, in order."""
    hints = typing.get_type_hints(options)
    return tuple(
        Option(
            name=field.name,
            type=_type_name(hints[field.name]),
            required=field.default is MISSING,
            secret=bool(field.metadata.get("secret")),
            help=str(field.metadata.get("help", "")),
            default=None if field.default is MISSING else field.default,
        )
        for field in dataclasses.fields(options)
    )


def parse(options: type[T], given: Mapping[str, object], *, of: str) -> T:
    """Check ``given`` against the declaration and build the options.

    Args:
        options: the dataclass that declares them.
        given: names to values, as read from a configuration or an API.
        of: whose options these are, for the message: ``mount secret/``.

    Raises:
        InvalidValue: unknown (with the nearest right name), missing or wrongly typed; never quotes a value.
    """
    hints = typing.get_type_hints(options)
    for name in given:
        if name not in hints:
            raise InvalidValue(f"{of}: unknown option {name!r}{nearest(name, hints)}")
    for declared in describe(options):
        if declared.required and declared.name not in given:
            raise InvalidValue(f"{of}: option {declared.name!r} is missing: {declared.help}")
        if declared.name in given and not _fits(given[declared.name], hints[declared.name]):
            raise InvalidValue(f"{of}: option {declared.name!r} must be {declared.type}")
    return options(**given)


def redact(options: type, given: Mapping[str, object]) -> dict[str, object]:
    """The options as they may be shown: secret ones that are set become asterisks."""
    secret = {declared.name for declared in describe(options) if declared.secret}
    return {name: REDACTED if name in secret and value is not None else value for name, value in given.items()}


def nearest(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` or a list of what there is."""
    import difflib  # noqa: PLC0415  # only a slip of the pen needs it, and the command line is to start quickly

    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; there are: {', '.join(names)}" if names else "; there are none"


def _members(hint: Any) -> tuple[Any, ...]:
    if typing.get_origin(hint) in {typing.Union, types.UnionType}:
        return typing.get_args(hint)
    return (hint,)


def _fits(value: object, hint: Any) -> bool:
    return any(_fits_one(value, member) for member in _members(hint))


def _fits_one(value: object, hint: Any) -> bool:
    if typing.get_origin(hint) is typing.Literal:
        return value in typing.get_args(hint)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, typing.get_origin(hint) or hint)


def _type_name(hint: Any) -> str:
    names = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
    shown = [
        " or ".join(repr(choice) for choice in typing.get_args(member))
        if typing.get_origin(member) is typing.Literal
        else names.get(member, getattr(member, "__name__", str(member)))
        for member in _members(hint)
        if member is not type(None)
    ]
    return " or ".join(shown)
