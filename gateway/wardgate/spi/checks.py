"""Checks of options that no type can make, for the plugins whose options have them in common.

Each raises InvalidValue, which names the option and never its value. ``options`` is a plugin's own dataclass; an option
that is None was not given.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from wardgate.spi.errors import InvalidValue
from wardgate.spi.networks import is_loopback


def check_words(options: object, *names: str) -> None:
    """These are printable ASCII without spaces: they go into a header or a URL."""
    for name in names:
        text = getattr(options, name)
        if text is not None and not (text and text.isascii() and text.isprintable() and " " not in text):
            raise InvalidValue(f"option {name!r} must be printable ASCII without spaces")


def check_absolute(options: object, *names: str) -> None:
    """These name places in full: where the gateway was started from is nothing that a mount should depend on."""
    for name in names:
        place = getattr(options, name)
        if place is not None and not Path(place).is_absolute():
            raise InvalidValue(f"option {name!r} must be an absolute path, one that begins with /")


def check_files(options: object, *names: str) -> None:
    """These name files, in full, that are there."""
    check_absolute(options, *names)
    for name in names:
        file = getattr(options, name)
        if file is not None and not _is_file(Path(file)):
            raise InvalidValue(f"option {name!r} names no file that the gateway's user can see; check the path")


def check_bounds(options: object, bounds: Mapping[str, tuple[float, float]]) -> None:
    """These lie between the least and the most."""
    for name, (least, most) in bounds.items():
        if not least <= getattr(options, name) <= most:
            raise InvalidValue(f"option {name!r} must be between {least} and {most}")


def check_url(
    name: str, text: str, *, example: str, path: bool = False, plain_http: bool | None = None, always_tls: bool = False
) -> SplitResult:
    """The parts of an option's URL: bare, and ``https://`` unless the server is on this machine.

    ``path``: it may have one. ``plain_http``: the option of that name, where the plugin has it. ``always_tls``: this
    machine is no exception.
    """
    try:
        url = urlsplit(text)
        _ = url.port  # reading it is what checks it
    except ValueError:
        raise InvalidValue(f"option {name!r} is not a URL") from None
    # Browsers and some libraries read a backslash as a slash: the host would be another than the one that is checked.
    if url.scheme not in {"http", "https"} or not url.hostname or "\\" in text:
        raise InvalidValue(f"option {name!r} must be a URL such as {example}")
    if url.username is not None or url.query or url.fragment or (url.path.strip("/") and not path):
        parts = "user, query or fragment" if path else "user, path, query or fragment"
        raise InvalidValue(f"option {name!r} must be a bare URL, without {parts}")
    if url.scheme == "http" and always_tls:
        raise InvalidValue(f"option {name!r} must be https://")
    if url.scheme == "http" and not plain_http and not is_loopback(url.hostname):
        hint = "" if plain_http is None else "; or set plain_http"
        raise InvalidValue(f"option {name!r} must be https:// unless the server is on this machine{hint}")
    return url


def _is_file(path: Path) -> bool:
    with suppress(OSError):  # a folder that may not be searched, a name that no file can have
        return path.is_file()
    return False
