"""What every mount of an AWS store can be told, and the checks no type can make."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path as FilePath
from urllib.parse import urlsplit

from wardgate.spi.errors import InvalidValue
from wardgate.spi.networks import is_loopback
from wardgate.spi.options import option

BOUNDS = {"timeout": (0.1, 300.0), "pool_size": (1, 128)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the stores share. Credentials come from the named profile, or from the SDK's default chain."""

    region: str = option(help="the region, such as eu-central-1")
    profile: str | None = option(
        help="a profile of the AWS configuration files; without it the default credential chain", default=None
    )
    endpoint: str | None = option(help="URL to speak to instead of the region's own", default=None)
    ca_file: str | None = option(help="PEM file of the authority behind the endpoint's certificate", default=None)
    plain_http: bool = option(help="allow http:// to another machine; values then travel in plain", default=False)
    timeout: float = option(help="seconds to wait for a connection, and for each part of an answer", default=10.0)
    pool_size: int = option(help="requests to it at once", default=16)


def check(options: Options) -> None:
    """Refuse options that cannot work together.

    Raises:
        InvalidValue: names the option, never its value.
    """
    for name in ("region", "profile"):
        text = getattr(options, name)
        if text is not None and not (text and text.isascii() and text.isprintable() and " " not in text):
            raise InvalidValue(f"option {name!r} must be printable ASCII without spaces")
    if options.endpoint is not None:
        _check_endpoint(options.endpoint, plain_http=options.plain_http)
    if options.ca_file is not None and not FilePath(options.ca_file).is_file():
        raise InvalidValue("option 'ca_file' names no file")
    for name, (least, most) in BOUNDS.items():
        if not least <= getattr(options, name) <= most:
            raise InvalidValue(f"option {name!r} must be between {least} and {most}")


def _check_endpoint(endpoint: str, *, plain_http: bool) -> None:
    try:
        address = urlsplit(endpoint)
        _ = address.port  # reading it is what checks it
    except ValueError:
        raise InvalidValue("option 'endpoint' is not a URL") from None
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise InvalidValue("option 'endpoint' must be a URL such as https://vpce-1.example")
    if address.username is not None or address.query or address.fragment:
        raise InvalidValue("option 'endpoint' must be a bare URL, without user, query or fragment")
    if address.scheme == "http" and not plain_http and not is_loopback(address.hostname):
        raise InvalidValue("option 'endpoint' must be https:// unless the server is on this machine; or set plain_http")
