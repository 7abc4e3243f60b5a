"""What a mount of an Azure Key Vault can be told, and the checks no type can make."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path as FilePath
from urllib.parse import urlsplit

from wardgate.spi.errors import InvalidValue
from wardgate.spi.options import option

BOUNDS = {"timeout": (0.1, 300.0), "pool_size": (1, 128), "retries": (0, 10)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of the backend type ``azure-key-vault``; :func:`check` refuses what cannot work."""

    vault_url: str = option(help="URL of the vault, such as https://example.vault.azure.net")
    tenant_id: str | None = option(help="the application's tenant; with client_id and client_secret", default=None)
    client_id: str | None = option(help="the application's id, or a managed identity's", default=None)
    client_secret: str | None = option(help="the application's secret", default=None, secret=True)
    managed_identity: bool = option(help="use the machine's managed identity and nothing else", default=False)
    ca_file: str | None = option(
        help="PEM file of the authority behind the vault's certificate, where it is not a public one", default=None
    )
    timeout: float = option(
        help="seconds to wait for a connection, and for each part of an answer; three times as long in all",
        default=10.0,
    )
    pool_size: int = option(help="connections to it at once", default=16)
    retries: int = option(help="how often a read is tried again; a change never is", default=3)

    @property
    def verify_challenge_resource(self) -> bool:
        """Whether a token is asked for only when the vault's challenge names the vault's own domain.

        A vault behind an authority of one's own has a name of one's own, which no challenge names.
        """
        return self.ca_file is None


def check(options: Options) -> None:
    """Refuse options that cannot work together.

    Raises:
        InvalidValue: names the option, never its value.
    """
    _check_url(options)
    for name in ("tenant_id", "client_id", "client_secret"):
        text = getattr(options, name)
        if text is not None and not (text and text.isascii() and text.isprintable() and " " not in text):
            raise InvalidValue(f"option {name!r} must be printable ASCII without spaces")
    if options.managed_identity:
        if options.tenant_id is not None or options.client_secret is not None:
            raise InvalidValue("option 'managed_identity' takes 'client_id' alone")
    elif len({options.tenant_id is None, options.client_id is None, options.client_secret is None}) > 1:
        raise InvalidValue("options 'tenant_id', 'client_id' and 'client_secret' go together, or leave out all three")
    if options.ca_file is not None and not FilePath(options.ca_file).is_file():
        raise InvalidValue("option 'ca_file' names no file")
    for name, (least, most) in BOUNDS.items():
        if not least <= getattr(options, name) <= most:
            raise InvalidValue(f"option {name!r} must be between {least} and {most}")


def _check_url(options: Options) -> None:
    try:
        url = urlsplit(options.vault_url)
        _ = url.port  # reading it is what checks it
    except ValueError:
        raise InvalidValue("option 'vault_url' is not a URL") from None
    # The SDK sends no token over plain HTTP, to this machine neither.
    if url.scheme != "https" or not url.hostname:
        raise InvalidValue("option 'vault_url' must be a URL such as https://example.vault.azure.net")
    if url.username is not None or url.query or url.fragment or url.path.strip("/"):
        raise InvalidValue("option 'vault_url' must be a bare URL, without user, path, query or fragment")
