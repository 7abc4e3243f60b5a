"""What a mount of Google Secret Manager can be told, and the checks no type can make."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wardgate.spi.checks import check_bounds, check_files, check_url
from wardgate.spi.errors import InvalidValue
from wardgate.spi.options import option

BOUNDS = {"timeout": (0.1, 300.0)}
_WORD = re.compile(r"[a-z0-9][a-z0-9.:-]{0,62}")
"""A project's id (older ones begin with a domain), its number, or a location."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of the backend type ``google-secret-manager``; :func:`check` refuses what cannot work."""

    project: str = option(help="id or number of the Google Cloud project")
    location: str | None = option(
        help="keep regional secrets in this location, such as europe-west3; without it secrets are global",
        default=None,
    )
    credentials_file: str | None = option(
        help="JSON file of a service account or a workload identity; without it the application default credentials",
        default=None,
    )
    endpoint: str | None = option(
        help="another address of the service, with credentials_file; or http:// on this machine, with none",
        default=None,
    )
    ca_file: str | None = option(help="PEM file of the authority behind its certificate", default=None)
    metadata: bool = option(
        help="tell labels, stages and the time of creation with each read too, for two more requests to the store",
        default=False,
    )
    timeout: float = option(help="seconds to wait for an answer", default=10.0)


def check(options: Options) -> None:
    """Refuse options that cannot work together.

    Raises:
        InvalidValue: names the option, never its value.
    """
    for name in ("project", "location"):
        text = getattr(options, name)
        if text is not None and not _WORD.fullmatch(text):
            raise InvalidValue(f"option {name!r} must be small letters, digits and hyphens")
    check_files(options, "credentials_file", "ca_file")
    check_bounds(options, BOUNDS)
    host, secure = target(options)
    # The machine's own credential is good for all of Google Cloud: whoever else is asked would hold it.
    if secure and options.credentials_file is None and not _is_google(host):
        raise InvalidValue("option 'endpoint' needs 'credentials_file', unless it is one of Google's own")


def _is_google(host: str) -> bool:
    return host.rpartition(":")[0].endswith(".googleapis.com")


def target(options: Options) -> tuple[str, bool]:
    """Host and port to connect to, and whether over TLS.

    Raises:
        InvalidValue: ``endpoint`` is no bare URL, or plain HTTP to another machine.
    """
    if options.endpoint is None:
        place = f".{options.location}.rep" if options.location else ""
        return f"secretmanager{place}.googleapis.com:443", True
    address = check_url("endpoint", options.endpoint, example="https://secretmanager.example")
    name = address.hostname or ""
    host = f"[{name}]" if ":" in name else name
    secure = address.scheme == "https"
    return f"{host}:{address.port or (443 if secure else 80)}", secure
