"""Paths as they are typed and as a URL has them; apart from the HTTP library, which takes a while to load."""

from __future__ import annotations

import shlex
from urllib.parse import quote

from wardgate.spi.errors import Malformed
from wardgate.spi.path import Path


def path_of(text: str) -> str:
    """A path as it is written into a URL. Raises Malformed: what a gateway would refuse is not even sent."""
    if text.startswith("/") or text.endswith("/"):
        raise Malformed("leave out the slash at the beginning or end")
    return "/".join(quote(segment, safe="") for segment in Path.parse(text).segments)


def name_of(text: str, what: str, *, such_as: str) -> str:
    """The name of ``what``, one segment; one slash at its end, as lists print it, is left out. Raises Malformed."""
    name = text.removesuffix("/")
    if not name:
        raise Malformed(f"the name of the {what} is missing, such as {such_as}")
    if "/" in name:
        raise Malformed(f"a {what}'s name is one segment, such as {such_as}")
    Path.parse(name)
    return name


def secret_of(text: str) -> str:
    """A secret's path for a URL. Raises Malformed; for a folder's it says which command lists one."""
    bare = text.strip("/")
    if bare and text == f"/{bare}":
        raise Malformed(f"leave out the slash at the beginning: {bare}")
    if bare != text:
        raise Malformed(f"leave out the slash at the beginning or end; {lister(bare)} lists a folder")
    return path_of(text)


def lister(folder: str) -> str:
    """The command that lists a folder, as a sentence quotes it."""
    return f"`wardgate list {shlex.quote(folder)}`" if folder else "`wardgate list`"


def folder_of(text: str) -> str:
    """A folder's path for a URL: one slash at its end is allowed, and ``""`` is the root."""
    text = text.removesuffix("/")
    return path_of(text) if text else ""
