"""The STAND-IN for Azure Key Vault against Microsoft's reference, point by point, through Microsoft's unmodified SDK.

Each test names the page that its points were held against:

- SPEC: the reference itself as Microsoft publishes it for machines,
  at the version that the plugin speaks (a test of it at 7.5 is left),
  https://github.com/Azure/azure-rest-api-specs/blob/07de5c4a7e99ce23b17f008f8209255d87640ab6/specification/keyvault/data-plane/Secrets/stable/7.6/secrets.json
- ABOUT: https://learn.microsoft.com/azure/key-vault/secrets/about-secrets
- NAMES: https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates
- REQUESTS: https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses
- SOFT DELETE: https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview
- THROTTLING: https://learn.microsoft.com/azure/key-vault/general/overview-throttling
- LOGIN: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
- SDK: what azure-keyvault-secrets 4.12 itself says, in its code and comments
- or an answer of a real vault that somebody published, by its address.
"""

from __future__ import annotations

import json
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.keyvault.secrets import SecretClient
from tests.servers.key_vault import CLIENT_ID, CLIENT_SECRET, RESOURCE, TENANT, TOKEN, KeyVaultServer
from tests.servers.key_vault_store import Refused, Vault
from wardgate_azure.client import API_VERSION


class Credential:
    """Knows one token."""

    def __init__(self, token: str = TOKEN) -> None:
        self.token = token

    def get_token(self, *_scopes: str, **_named: Any) -> AccessToken:
        """The token, for an hour."""
        return AccessToken(self.token, int(time.time()) + 3_600)


def client_of(server: KeyVaultServer, token: str = TOKEN, version: str = API_VERSION) -> SecretClient:
    """The SDK's own client; only the check that the vault's name is Microsoft's is off."""
    return SecretClient(
        server.url,
        Credential(token),
        api_version=version,
        verify_challenge_resource=False,
        connection_verify=str(server.ca_file),
        retry_total=0,
    )


@pytest.fixture
def vault(key_vault: KeyVaultServer) -> Vault:
    """Empty."""
    return key_vault.empty()


@pytest.fixture
def sdk(key_vault: KeyVaultServer, vault: Vault) -> Iterator[SecretClient]:
    """The SDK's client of the empty vault."""
    with client_of(key_vault) as client:
        yield client


def code_of(call: Callable[[], object]) -> tuple[int | None, str, str]:
    """Status, code and inner code of the error that a call raises."""
    with pytest.raises(HttpResponseError) as raised:
        call()
    assert raised.value.response is not None
    error = json.loads(raised.value.response.text())["error"]
    assert error["message"]
    return raised.value.status_code, error["code"], error.get("innererror", {}).get("code", "")


def test_a_secret_is_set_and_read(sdk: SecretClient, key_vault: KeyVaultServer) -> None:
    """SPEC, SetSecret and GetSecret: what is given comes back, with times in seconds and an id with 32 digits."""
    attributes = {"enabled": True, "content_type": "text/plain", "tags": {"owner": "ada"}}
    made = sdk.set_secret("n", "v", **attributes)  # type: ignore[arg-type]  # as keywords
    for found in (made, sdk.get_secret("n"), sdk.get_secret("n", made.properties.version)):
        properties = found.properties
        assert (found.value, properties.content_type, properties.tags) == ("v", "text/plain", {"owner": "ada"})
        assert re.fullmatch("[0-9a-f]{32}", properties.version or "")
        assert found.id == f"{key_vault.url}/secrets/n/{properties.version}"
        assert properties.enabled is True
        assert properties.created_on is not None
        assert properties.created_on.microsecond == 0
        assert (properties.recoverable_days, properties.recovery_level) == (90, "Recoverable+Purgeable")


def test_the_recovery_level_tells_how_a_vault_was_made(vault: Vault) -> None:
    """SPEC, DeletionRecoveryLevel: by the days it keeps what is deleted, and whether it may be purged."""
    told = {}
    for days in (90, 7, 0):
        for protected in (False, True):
            vault.retention_days, vault.purge_protected = days, protected
            told[days, protected] = vault.put("n", "v")["attributes"]["recoveryLevel"]
    assert told == {
        (90, False): "Recoverable+Purgeable",
        (90, True): "Recoverable",
        (7, False): "CustomizedRecoverable+Purgeable",
        (7, True): "CustomizedRecoverable",
        (0, False): "Purgeable",
        (0, True): "Purgeable",
    }


def test_a_secret_that_is_set_again_has_another_version(sdk: SecretClient) -> None:
    """SPEC, SetSecret: and tags are of the version, https://github.com/Azure/AzureKeyVault/issues/17."""
    first = sdk.set_secret("n", "1", tags={"owner": "ada"}).properties
    second = sdk.set_secret("n", "2").properties
    assert sdk.get_secret("n").value == "2"
    assert sdk.get_secret("n", first.version).properties.tags == {"owner": "ada"}
    assert not sdk.get_secret("n", second.version).properties.tags


@pytest.mark.parametrize("name", ["n" * 127, "A-b-9", "-"])
def test_names_that_a_vault_takes(sdk: SecretClient, name: str) -> None:
    """NAMES: 1 to 127 of 0-9, a-z, A-Z and -; case does not tell them apart."""
    sdk.set_secret(name, "v")
    assert sdk.get_secret(name.swapcase()).value == "v"


@pytest.mark.parametrize("name", ["n" * 128, "a_b", "a.b", "ü"])
def test_names_that_a_vault_does_not_take(sdk: SecretClient, name: str) -> None:
    """SPEC, SetSecret: ``^[0-9a-zA-Z-]+$``; NAMES: at most 127."""
    assert code_of(lambda: sdk.set_secret(name, "v"))[:2] == (400, "BadParameter")


@pytest.mark.parametrize(
    "given",
    [
        {"value": "v" * (25 * 1024 + 1)},
        {"tags": {f"n{turn}": "" for turn in range(16)}},
        {"tags": {"n" * 257: ""}},
        {"tags": {"n": "v" * 257}},
        {"content_type": "t" * 256},
    ],
    ids=["value", "tags", "tag's name", "tag's value", "content type"],
)
def test_what_is_larger_than_a_vault_takes(sdk: SecretClient, given: dict[str, Any]) -> None:
    """ABOUT: 25k bytes of a value; 15 tags, 256 characters in a name and a value; 255 of a content type."""
    assert code_of(lambda: sdk.set_secret("n", **({"value": "v"} | given)))[0] == 400


def test_the_largest_that_a_vault_takes(sdk: SecretClient) -> None:
    """ABOUT: as above."""
    tags = {f"{turn:0256}": "v" * 256 for turn in range(15)}
    sdk.set_secret("n", "v" * (25 * 1024), tags=tags, content_type="t" * 255)
    assert sdk.get_secret("n").properties.tags == tags


def test_a_body_without_a_value_sets_nothing(key_vault: KeyVaultServer, vault: Vault) -> None:
    """SPEC, SecretSetParameters: ``value`` is required."""
    for body in (b"{}", b"[]", b"{"):
        assert asked(key_vault, "PUT", f"/secrets/n?api-version={API_VERSION}", body)[0] == 400
    assert vault.secrets == {}


def test_an_update_changes_what_it_names(sdk: SecretClient) -> None:
    """SPEC, UpdateSecret: nothing that it does not name, and never the value, which its answer does not hold."""
    made = sdk.set_secret("n", "v", tags={"owner": "ada"}, content_type="text/plain").properties
    assert sdk.update_secret_properties("n", made.version, content_type="x").tags == {"owner": "ada"}
    assert sdk.update_secret_properties("n", made.version, tags={"team": "a"}).content_type == "x"
    found = sdk.get_secret("n")
    assert (found.value, found.properties.version) == ("v", made.version)
    assert found.properties.tags == {"team": "a"}
    assert sdk.update_secret_properties("n", enabled=False).enabled is False


def test_a_disabled_version_is_not_served(sdk: SecretClient) -> None:
    """ABOUT, ``enabled``; the codes: https://github.com/Azure/azure-sdk-for-js/issues/24756. A list still tells it."""
    made = sdk.set_secret("n", "v", enabled=False).properties
    assert code_of(lambda: sdk.get_secret("n")) == (403, "Forbidden", "SecretDisabled")
    assert [one.version for one in sdk.list_properties_of_secret_versions("n")] == [made.version]


def test_an_expired_version_is_served(key_vault: KeyVaultServer, vault: Vault, sdk: SecretClient) -> None:
    """ABOUT, date-time controlled operations: get works outside the window of ``nbf`` and ``exp``."""
    vault.put("n", "v", attributes={"exp": 1, "nbf": 4_000_000_000})
    assert sdk.get_secret("n").value == "v"


def test_what_is_missing_is_not_found(sdk: SecretClient) -> None:
    """SDK: SecretNotFound; https://github.com/kubernetes-sigs/secrets-store-csi-driver/issues/567."""
    made = sdk.set_secret("n", "v").properties
    for call in (
        lambda: sdk.get_secret("missing"),
        lambda: sdk.get_secret("n", "0" * 32),
        lambda: sdk.update_secret_properties("n", "0" * 32, tags={}),
        lambda: sdk.begin_delete_secret("missing"),
        lambda: sdk.get_deleted_secret("n"),
        lambda: sdk.purge_deleted_secret("n"),
    ):
        assert code_of(call) == (404, "SecretNotFound", "")
    assert sdk.get_secret("n").properties.version == made.version


def test_lists_are_paged_and_hold_no_values(key_vault: KeyVaultServer, vault: Vault, sdk: SecretClient) -> None:
    """SPEC, GetSecrets: at most 25 in a page; ids without a version; nextLink until the end."""
    for turn in range(60):
        vault.put(f"n{turn:02}", "v", tags={"turn": str(turn)})
    pages = [list(page) for page in sdk.list_properties_of_secrets().by_page()]
    assert [len(page) for page in pages] == [25, 25, 10]
    assert {one.version for page in pages for one in page} == {None}
    assert [one.tags for one in pages[2]] == [{"turn": str(turn)} for turn in range(50, 60)]
    assert [len(list(page)) for page in sdk.list_properties_of_secrets(max_page_size=20).by_page()] == [20, 20, 20]
    for size in (0, 26):
        assert asked(key_vault, "GET", f"/secrets?api-version={API_VERSION}&maxresults={size}")[0] == 400
    page = asked(key_vault, "GET", f"/secrets?api-version={API_VERSION}")[1]
    assert all("value" not in item for item in page["value"])
    assert page["nextLink"].startswith(f"{key_vault.url}/secrets?api-version={API_VERSION}&$skiptoken=")


def test_versions_come_in_no_order_of_time(sdk: SecretClient) -> None:
    """SPEC, GetSecretVersions: ids with a version. The order: https://github.com/Azure/azure-sdk-for-net/issues/45792."""
    made = [sdk.set_secret("n", str(turn)).properties.version for turn in range(30)]
    listed = [one.version for one in sdk.list_properties_of_secret_versions("n")]
    assert listed == sorted(made, key=str)
    assert list(sdk.list_properties_of_secret_versions("missing")) == []


def test_a_deleted_secret_can_be_recovered(sdk: SecretClient, key_vault: KeyVaultServer) -> None:
    """SPEC, DeleteSecret, GetDeletedSecret(s), RecoverDeletedSecret; SOFT DELETE: all versions, for 90 days."""
    made = [sdk.set_secret("n", str(turn)).properties.version for turn in range(2)]
    deleted = sdk.begin_delete_secret("n").result()
    for found in (deleted, sdk.get_deleted_secret("n")):
        assert (found.properties.version, found.recovery_id) == (made[1], f"{key_vault.url}/deletedsecrets/n")
        assert found.deleted_date is not None
        assert found.scheduled_purge_date is not None
        assert (found.scheduled_purge_date - found.deleted_date).days == 90
    assert [one.name for one in sdk.list_deleted_secrets()] == ["n"]
    assert list(sdk.list_properties_of_secrets()) == []
    assert code_of(lambda: sdk.get_secret("n"))[0] == 404
    assert code_of(lambda: sdk.get_secret("n", made[0]))[0] == 404
    assert sdk.begin_recover_deleted_secret("n").result().version == made[1]
    assert [sdk.get_secret("n", version).value for version in made] == ["0", "1"]


def test_the_name_of_a_deleted_secret_is_taken(sdk: SecretClient) -> None:
    """SOFT DELETE; the codes: https://github.com/external-secrets/external-secrets/issues/3519."""
    sdk.set_secret("n", "v")
    sdk.begin_delete_secret("n").result()
    assert code_of(lambda: sdk.set_secret("n", "v")) == (409, "Conflict", "ObjectIsDeletedButRecoverable")


def test_a_purged_secret_is_gone(sdk: SecretClient) -> None:
    """SPEC, PurgeDeletedSecret: 204, and the name is free."""
    first = sdk.set_secret("n", "1").properties.version
    sdk.begin_delete_secret("n").result()
    sdk.purge_deleted_secret("n")
    assert code_of(lambda: sdk.get_deleted_secret("n"))[0] == 404
    sdk.set_secret("n", "2")
    assert code_of(lambda: sdk.get_secret("n", first))[0] == 404


def test_a_protected_vault_purges_nothing(sdk: SecretClient, vault: Vault) -> None:
    """SOFT DELETE; the status: https://github.com/microsoft/AzureTRE/issues/1951."""
    vault.purge_protected = True
    sdk.set_secret("n", "v")
    sdk.begin_delete_secret("n").result()
    assert code_of(lambda: sdk.purge_deleted_secret("n"))[:2] == (403, "Forbidden")
    assert sdk.get_deleted_secret("n").name == "n"


def test_a_vault_of_old_keeps_nothing_back(sdk: SecretClient, vault: Vault) -> None:
    """SPEC, recoverableDays 0; the code: https://github.com/hashicorp/terraform-provider-azurerm/issues/10132."""
    vault.retention_days = 0
    sdk.set_secret("n", "v")
    assert sdk.begin_delete_secret("n").result().recovery_id is None
    assert code_of(lambda: sdk.purge_deleted_secret("n"))[:2] == (400, "NotSupported")
    sdk.set_secret("n", "v")


def test_a_delete_takes_its_time(sdk: SecretClient, vault: Vault) -> None:
    """SDK, its poller: 404 from both collections until it is done; a write, a recovery and a purge are too early.

    The codes: https://github.com/Azure/azure-sdk-for-net/issues/34322, and
    https://github.com/hashicorp/terraform-provider-azurerm/issues/10454.
    """
    vault.answers = 5
    sdk.set_secret("n", "v")
    poller = sdk.begin_delete_secret("n", _polling_interval=0)
    early = (409, "Conflict", "ObjectIsBeingDeleted")
    assert code_of(lambda: sdk.set_secret("n", "v")) == early
    assert code_of(lambda: sdk.begin_recover_deleted_secret("n")) == early
    assert code_of(lambda: sdk.purge_deleted_secret("n")) == early
    assert code_of(lambda: sdk.get_secret("n"))[0] == 404
    assert list(sdk.list_deleted_secrets()) == []
    poller.wait()
    assert [one.name for one in sdk.list_deleted_secrets()] == ["n"]


def test_a_recovery_takes_its_time(sdk: SecretClient, vault: Vault) -> None:
    """SDK, its poller; the code: https://github.com/hashicorp/terraform-provider-azurerm/issues/12285."""
    sdk.set_secret("n", "v")
    sdk.begin_delete_secret("n").result()
    vault.answers = 3
    poller = sdk.begin_recover_deleted_secret("n", _polling_interval=0)
    assert code_of(lambda: sdk.set_secret("n", "v")) == (409, "Conflict", "ObjectIsBeingRecovered")
    assert code_of(lambda: sdk.get_secret("n"))[0] == 404
    poller.wait()
    assert sdk.get_secret("n").value == "v"


def test_a_purge_takes_its_time_and_tells_nobody(sdk: SecretClient, vault: Vault) -> None:
    """There is nothing to poll, and the name is not free yet: https://github.com/Azure/azure-sdk-for-python/issues/19263."""
    sdk.set_secret("n", "v")
    sdk.begin_delete_secret("n").result()
    vault.answers = 2
    sdk.purge_deleted_secret("n")
    assert code_of(lambda: sdk.get_deleted_secret("n"))[0] == 404
    assert code_of(lambda: sdk.set_secret("n", "v")) == (409, "Conflict", "ObjectIsBeingDeleted")
    sdk.set_secret("n", "v")


def test_a_request_without_a_token_is_challenged(key_vault: KeyVaultServer, vault: Vault) -> None:
    """REQUESTS: 401 with the login and the resource; the SDK asks so before it sends a value."""
    status, body, headers = asked_with(
        key_vault, "PUT", f"/secrets/n?api-version={API_VERSION}", b'{"value": "v"}', token=""
    )
    assert (status, body["error"]["code"]) == (401, "Unauthorized")
    assert headers["WWW-Authenticate"] == f'Bearer authorization="{key_vault.url}/{TENANT}", resource="{RESOURCE}"'
    assert vault.seen == []
    with client_of(key_vault, token="another") as client, pytest.raises(ClientAuthenticationError):
        client.get_secret("n")


@pytest.mark.parametrize("version", ["7.5", API_VERSION])
def test_the_version_of_the_interface_is_said(key_vault: KeyVaultServer, vault: Vault, version: str) -> None:
    """REQUESTS: there is no default."""
    with client_of(key_vault, version=version) as client:
        assert client.set_secret("n", "v").value == "v"
    for query in ("", "?api-version=1.0"):
        assert asked(key_vault, "GET", f"/secrets/n{query}")[0] == 400


def test_single_versions_are_not_deleted(key_vault: KeyVaultServer, sdk: SecretClient) -> None:
    """SPEC, DeleteSecret: it cannot be applied to an individual version."""
    made = sdk.set_secret("n", "v").properties
    assert asked(key_vault, "DELETE", f"/secrets/n/{made.version}?api-version={API_VERSION}")[0] == 405
    assert sdk.get_secret("n").value == "v"


def test_a_throttled_request_is_told_so(sdk: SecretClient, vault: Vault) -> None:
    """THROTTLING: 429. A real answer, without Retry-After: https://github.com/vcsjones/AzureSignTool/issues/219."""
    vault.refuse["GET"] = Refused(429, "Throttled")
    assert code_of(lambda: sdk.get_secret("n")) == (429, "Throttled", "")


def test_the_login_gives_a_token_to_one_application(key_vault: KeyVaultServer, vault: Vault) -> None:
    """LOGIN: a form of four fields; the token and its seconds, or an error with its description and codes."""
    form = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "grant_type": "client_credentials"}
    form["scope"] = f"{RESOURCE}/.default"

    def told(tenant: str = TENANT, **changed: str) -> tuple[int, Any]:
        body = urllib.parse.urlencode(form | changed).encode()
        return asked(key_vault, "POST", f"/{tenant}/oauth2/v2.0/token", body)

    assert told() == (200, {"token_type": "Bearer", "expires_in": 3_599, "access_token": TOKEN})
    for status, answer in (told(client_secret="x"), told(client_id="x"), told(tenant="x"), told(scope="x/.default")):
        assert status in {400, 401}
        assert set(answer) == {"error", "error_description", "error_codes"}


def asked(server: KeyVaultServer, method: str, target: str, body: bytes | None = None) -> tuple[int, Any]:
    """Status and JSON of a request that the SDK would not send."""
    return asked_with(server, method, target, body)[:2]


def asked_with(
    server: KeyVaultServer, method: str, target: str, body: bytes | None = None, token: str = TOKEN
) -> tuple[int, Any, Any]:
    """The same, and the headers."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"{server.url}{target}", body, headers, method=method)
    trusting = ssl.create_default_context(cafile=str(server.ca_file))
    try:
        with urllib.request.urlopen(request, context=trusting, timeout=30) as answer:
            return answer.status, json.loads(answer.read()), answer.headers
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.loads(refused.read()), refused.headers
