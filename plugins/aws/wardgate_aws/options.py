"""What every mount of an AWS store can be told, and the checks no type can make."""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.spi.checks import check_bounds, check_files, check_url, check_words
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
    check_words(options, "region", "profile")
    if options.endpoint is not None:
        check_url(
            "endpoint", options.endpoint, example="https://vpce-1.example", path=True, plain_http=options.plain_http
        )
    check_files(options, "ca_file")
    check_bounds(options, BOUNDS)
