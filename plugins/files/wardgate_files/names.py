"""Segments of paths as file names: an injective mapping, and back. ``a.age`` is always a secret, ``a`` a folder."""

from __future__ import annotations

import string

from wardgate.spi.errors import TooLarge
from wardgate.spi.names import Names
from wardgate.spi.path import Path

ENDING = ".age"
ESCAPED_ENDING = "%2Eage"
MAX_NAME_BYTES = 255
NAMES = Names(plain=string.ascii_letters + string.digits + "_-.", escape="%", max_length=3 * MAX_NAME_BYTES)


def folder_name(segment: str) -> str:
    """The name of the folder that stands for ``segment``. Raises TooLarge."""
    name = NAMES.name_of(Path((segment,)))
    if name.endswith(ENDING):
        # The folder a.age is not to be the file of the secret a.
        name = name.removesuffix(ENDING) + ESCAPED_ENDING
    return _bounded(name)


def file_name(segment: str) -> str:
    """The name of the file that stands for ``segment``. Raises TooLarge."""
    return _bounded(folder_name(segment) + ENDING)


def segment_of(name: str) -> str | None:
    """The segment that a folder's name, or a file's without its ending, stands for; None where there is none."""
    plain = name.removesuffix(ESCAPED_ENDING) + ENDING if name.endswith(ESCAPED_ENDING) else name
    path = NAMES.path_of(plain)
    if path is None or len(path.segments) != 1 or len(name) > MAX_NAME_BYTES:
        return None
    return path.segments[0] if folder_name(path.segments[0]) == name else None


def _bounded(name: str) -> str:
    if len(name) > MAX_NAME_BYTES:
        raise TooLarge(f"the path takes a file name of more than the {MAX_NAME_BYTES} bytes a folder can hold")
    return name
