"""What a mount of a Vault or OpenBao server can be told, and the checks no type can make."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from wardgate.spi.checks import check_bounds, check_files, check_url, check_words
from wardgate.spi.errors import InvalidValue
from wardgate.spi.options import option

BOUNDS = {"kv_version": (1, 2), "timeout": (0.1, 300.0), "pool_size": (1, 128)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of the backend type ``vault``; :func:`check` refuses what cannot work."""

    address: str = option(help="URL of the server, such as https://vault.example:8200")
    mount: str = option(help="where its KV engine is mounted", default="secret")
    kv_version: int = option(help="the engine's version, 1 or 2", default=2)
    namespace: str | None = option(help="its namespace, if it has them", default=None)
    token: str | None = option(help="a token; or use role_id", default=None, secret=True)
    role_id: str | None = option(help="an AppRole's role id; or use token", default=None)
    secret_id: str | None = option(help="the AppRole's secret id", default=None, secret=True)
    approle_mount: str = option(help="where AppRole is mounted", default="approle")
    ca_file: str | None = option(help="PEM file of the authority behind its certificate", default=None)
    plain_http: bool = option(help="allow http:// to another machine; the token then travels in plain", default=False)
    timeout: float = option(
        help="seconds to wait for a connection, and for each part of an answer; three times as long in all",
        default=10.0,
    )
    pool_size: int = option(help="requests to it at once", default=16)


def check(options: Options) -> None:
    """Refuse options that cannot work together.

    Raises:
        InvalidValue: names the option, never its value.
    """
    url = check_url(
        "address", options.address, example="https://vault.example:8200", path=True, plain_http=options.plain_http
    )
    if (options.token is None) == (options.role_id is None):
        raise InvalidValue("give either 'token' or 'role_id' (with 'secret_id'), and not both")
    if options.secret_id is not None and options.role_id is None:
        raise InvalidValue("option 'secret_id' needs 'role_id'")
    check_words(options, "token", "role_id", "secret_id", "namespace")
    if url.path.strip("/"):
        _check_place("address", url.path)
    for name in ("mount", "approle_mount", "namespace"):
        place = getattr(options, name)
        if place is not None:
            _check_place(name, place)
    check_files(options, "ca_file")
    check_bounds(options, BOUNDS)


def _check_place(name: str, text: str) -> None:
    """It is a place in the server, and names no other: a client takes dots out of a URL, and what stands above them."""
    place = unquote(text)
    segments = place.strip("/").split("/")
    if not {"", ".", ".."}.isdisjoint(segments) or not {"?", "#", "\\"}.isdisjoint(place) or not place.isprintable():
        raise InvalidValue(f"option {name!r} must be a path without empty, '.' or '..' segments, '?', '#' and '\\'")
