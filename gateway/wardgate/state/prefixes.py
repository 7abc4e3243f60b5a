"""Where a mount or a child namespace may stand."""

from __future__ import annotations

from collections.abc import Iterable

from wardgate.spi.errors import AlreadyExists, InvalidValue
from wardgate.spi.path import OWN, Path


def check_prefix(prefix: Path, *, mounts: Iterable[Path], children: Iterable[str]) -> None:
    """Refuse a prefix that nests with a mount, equals a child namespace, or is reserved.

    Raises:
        InvalidValue: the prefix is empty, reserved, or a child namespace's.
        AlreadyExists: a mount is there, above it, or below it.
    """
    if not prefix.segments:
        raise InvalidValue("a mount needs a prefix, such as secret/")
    first = prefix.segments[0].casefold()
    if first in OWN:
        raise InvalidValue(f"the name {first!r} is reserved; choose another")
    if first in {child.casefold() for child in children}:
        raise InvalidValue(f"{first}/ is a child namespace; choose another prefix")
    for other in mounts:
        if prefix.starts_with(other) or other.starts_with(prefix):
            raise AlreadyExists(f"there is a mount at {other}/; mounts cannot nest")
