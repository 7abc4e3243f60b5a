"""What a mount of an Azure Key Vault can be told, and the checks no type can make."""

from __future__ import annotations

from dataclasses import dataclass

from wardgate.spi.checks import check_bounds, check_files, check_url, check_words
from wardgate.spi.errors import InvalidValue
from wardgate.spi.options import option

EXAMPLE = "https://example.vault.azure.net"
BOUNDS = {"timeout": (0.1, 300.0), "pool_size": (1, 128), "retries": (0, 10)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of the backend type ``azure-key-vault``; :func:`check` refuses what cannot work."""

    vault_url: str = option(help=f"URL of the vault, such as {EXAMPLE}")
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
    def ambient(self) -> bool:
        """Whether the credential is what the machine or the environment has, and none of the mount's own."""
        return self.client_secret is None

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
    # The SDK sends no token over plain HTTP, to this machine neither.
    check_url("vault_url", options.vault_url, example=EXAMPLE, always_tls=True)
    check_words(options, "tenant_id", "client_id", "client_secret")
    if options.managed_identity:
        if options.tenant_id is not None or options.client_secret is not None:
            raise InvalidValue("option 'managed_identity' takes 'client_id' alone")
    elif len({options.tenant_id is None, options.client_id is None, options.client_secret is None}) > 1:
        raise InvalidValue("options 'tenant_id', 'client_id' and 'client_secret' go together, or leave out all three")
    check_files(options, "ca_file")
    check_bounds(options, BOUNDS)
