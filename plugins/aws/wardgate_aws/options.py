"""What mounts of the AWS stores can be told, and the checks no type can make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wardgate.spi.checks import check_bounds, check_files, check_url, check_words
from wardgate.spi.errors import InvalidValue
from wardgate.spi.options import option

RECOVERY_DAYS = (7, 30)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsManagerOptions(Options):
    """Options of the backend type ``aws-secrets-manager``."""

    kms_key_id: str | None = option(help="KMS key for secrets made here; without it the account's own", default=None)
    metadata: bool = option(
        help="tell a secret's labels with each read, which costs a second request to the store", default=False
    )
    recovery_days: int = option(help="days in which a deleted secret can be recovered, 7 to 30", default=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterStoreOptions(Options):
    """Options of the backend type ``aws-parameter-store``."""

    prefix: str = option(help="the part of the hierarchy that the mount shows, such as /team/", default="/")
    metadata: bool = option(
        help="tell labels and stages with each read, which costs two more requests to the store", default=False
    )
    kms_key_id: str | None = option(help="the KMS key of new versions; without it the account's own", default=None)
    tier: Literal["Standard", "Advanced"] = option(help="Advanced holds 8 KiB, and costs", default="Standard")


def check_secrets_manager(options: SecretsManagerOptions) -> None:
    """Refuse options that cannot work together.

    Raises:
        InvalidValue: names the option, never its value.
    """
    _check(options)
    least, most = RECOVERY_DAYS
    if not least <= options.recovery_days <= most:
        raise InvalidValue(f"option 'recovery_days' must be between {least} and {most}")


def check_parameter_store(options: ParameterStoreOptions) -> None:
    """The same for Parameter Store."""
    _check(options)
    if options.kms_key_id == "":
        raise InvalidValue("option 'kms_key_id' is empty; leave it out for the account's own key")


def _check(options: Options) -> None:
    check_words(options, "region", "profile")
    if options.endpoint is not None:
        check_url(
            "endpoint", options.endpoint, example="https://vpce-1.example", path=True, plain_http=options.plain_http
        )
    check_files(options, "ca_file")
    check_bounds(options, BOUNDS)
