"""The login before a vault: the vendor's own credentials, unmodified, against the stand-in for it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from typing import Any

import aiohttp.connector
import pytest
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.identity import CredentialUnavailableError
from azure.keyvault.secrets._shared import http_challenge_cache
from tests.servers.key_vault import CLIENT_ID, CLIENT_SECRET, TENANT, KeyVaultServer, LoginRefused
from tests.servers.key_vault_client import CLOCK
from tests.servers.key_vault_store import Refused
from wardgate.spi.errors import Unauthenticated, Unavailable, WardgateError
from wardgate.spi.path import Path
from wardgate.spi.values import TEXT, Value
from wardgate_azure import errors
from wardgate_azure.backend import KeyVaultBackend
from wardgate_azure.options import Options
from wardgate_azure.plugin import open_with

PATH = Path.parse("team/database")
APPLICATION = {"tenant_id": TENANT, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


def answered(status: int) -> ClientAuthenticationError:
    """What a login's answer becomes once it was repeated in vain."""
    problem = ClientAuthenticationError("canary")
    problem.status_code = status
    return problem


@pytest.fixture
def login(key_vault: KeyVaultServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyVaultServer]:
    """An empty vault, and the login where Microsoft's libraries look for it."""
    key_vault.empty()
    # aiohttp makes its own context when it is imported, before this authority was.
    trusting = ssl.create_default_context(cafile=str(key_vault.ca_file))
    monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", trusting)
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", key_vault.url)
    for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.delenv(f"AZURE_{name}", raising=False)
    yield key_vault
    key_vault.empty()


async def wrote_and_read(backend: KeyVaultBackend) -> bytes:
    """A value, there and back."""
    await backend.write(PATH, Value(b"swordfish", TEXT))
    return (await backend.read(PATH)).value.data


def use(server: KeyVaultServer, **options: Any) -> bytes | WardgateError:
    """What a write and a read answer, or the first error."""

    async def used() -> bytes | WardgateError:
        given = {"vault_url": server.url, "ca_file": str(server.ca_file), "retries": 0, **options}
        backend = open_with(Options(**given), CLOCK)
        try:
            return await wrote_and_read(backend)
        except WardgateError as error:
            return error
        finally:
            await backend.close()

    return asyncio.run(used())


def test_an_application_of_the_options_logs_in(login: KeyVaultServer) -> None:
    """Once, for as long as its token lasts."""
    assert use(login, **APPLICATION) == b"swordfish"
    assert login.logins == 1


def test_the_default_chain_finds_an_application_in_the_environment(
    login: KeyVaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no credential among the options."""
    for name, text in login.environment.items():
        monkeypatch.setenv(name, text)
    assert use(login) == b"swordfish"
    assert login.logins == 1


@pytest.mark.parametrize(
    ("refused", "expected"),
    [
        (LoginRefused(401, "invalid_client", 7_000_215), Unauthenticated),
        (LoginRefused(400, "invalid_scope", 70_011), Unauthenticated),
        (LoginRefused(503, "temporarily_unavailable", 90_033), Unavailable),
        (LoginRefused(429, "temporarily_unavailable", 90_033), Unavailable),
        (Refused(500, "InternalServerError"), Unavailable),
    ],
    ids=lambda each: getattr(each, "__name__", str(each)),
)
def test_a_login_that_refuses_is_told_as_the_login(
    login: KeyVaultServer, refused: Refused, expected: type[WardgateError]
) -> None:
    """A write was not sent, and is never unknown; nothing that the login said is passed on."""
    login.login_refuses = refused
    # The vendor's library repeats what may pass, and the mount's timeout ends that.
    error = use(login, **APPLICATION, timeout=1.0 if expected is Unavailable else 10.0)
    assert isinstance(error, WardgateError)
    assert type(error) is expected
    assert "login" in error.message
    assert "AADSTS" not in error.message
    assert login.vault.seen == []


def test_a_login_that_is_not_trusted_is_told_as_that(login: KeyVaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trying again would not help; the file of authorities does."""
    monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", ssl.create_default_context())
    error = use(login, **APPLICATION)
    assert isinstance(error, Unavailable)
    assert "the login to the store's certificate is not trusted" in error.message
    assert "SSL_CERT_FILE" in error.message


@pytest.mark.parametrize("resource", ["https://management.azure.com", "https://vault.azure.net.example"])
def test_the_gateway_s_own_credential_is_for_vaults_alone(
    login: KeyVaultServer, monkeypatch: pytest.MonkeyPatch, resource: str
) -> None:
    """Whoever answers at a mount's URL can name any resource, and gets no token for it."""
    for name, text in login.environment.items():
        monkeypatch.setenv(name, text)
    login.resource = resource
    http_challenge_cache.clear()  # the SDK keeps what a URL said
    error = use(login)
    assert isinstance(error, Unavailable)
    assert "a resource that is not Key Vault's" in error.message
    # The stand-in's login is asked only with a credential of the mount's own, and knows one resource.
    assert isinstance(use(login, **APPLICATION), Unauthenticated)
    assert login.logins == 0
    http_challenge_cache.clear()


def test_a_wrong_secret_is_refused(login: KeyVaultServer) -> None:
    """By the stand-in as by the login itself."""
    assert isinstance(use(login, **{**APPLICATION, "client_secret": "wrong"}), Unauthenticated)


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (CredentialUnavailableError("canary"), Unauthenticated),
        (ClientAuthenticationError("canary"), Unauthenticated),
        (answered(403), Unauthenticated),
        (answered(429), Unavailable),
        (ServiceRequestError("canary"), Unavailable),
        (TimeoutError(), Unavailable),
        (ValueError("canary"), Unavailable),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_login_that_fails_is_one_error(problem: Exception, expected: type[WardgateError]) -> None:
    """Whatever it raises; the default chain tells only that it has no token."""
    error = errors.of_login(problem)
    assert type(error) is expected
    assert "canary" not in error.message


def test_a_login_that_hangs_changed_nothing(login: KeyVaultServer) -> None:
    """A write that waited for its token was not sent: it is Unavailable, not unknown."""

    class Hanging:
        async def get_token_info(self, *_scopes: str, **_named: Any) -> Any:
            await asyncio.Event().wait()

        async def close(self) -> None:
            pass

    async def used() -> None:
        options = Options(vault_url=login.url, ca_file=str(login.ca_file), timeout=0.2)
        backend = open_with(options, CLOCK, Hanging())
        with pytest.raises(Unavailable, match="login"):
            await backend._client.change(lambda sdk: sdk.set_secret("n", "v"))  # a write of the backend's reads first
        await backend.close()

    asyncio.run(used())
