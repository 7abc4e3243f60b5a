"""Whatever a vault does, its caller gets one error of the closed list, and not a word of the vault's."""

from __future__ import annotations

import socket
import traceback
from collections.abc import Awaitable
from typing import Any

import aiohttp
import pytest
from azure.core.exceptions import (
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseTimeoutError,
)
from tests.servers.key_vault import KeyVaultServer
from tests.servers.key_vault_client import use
from tests.servers.key_vault_store import Refused
from wardgate.spi.errors import (
    CLOSED_LIST,
    Conflict,
    Gone,
    InvalidValue,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    SecretNotFound,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unsupported,
    WardgateError,
)
from wardgate.spi.path import Path
from wardgate.spi.values import JSON, TEXT, Value, VersionState
from wardgate_azure import errors
from wardgate_azure.backend import KeyVaultBackend
from wardgate_conformance.answering import throttling

PATH = Path.parse("team/database")
NAME = "team--database"
CANARY = "canary-of-the-store"
VALUE = Value(b"swordfish", TEXT)


def read(backend: KeyVaultBackend) -> Awaitable[object]:
    return backend.read(PATH)


def write(backend: KeyVaultBackend) -> Awaitable[object]:
    return backend.write(PATH, VALUE)


@pytest.mark.parametrize(
    ("status", "code", "inner", "of_read", "of_write"),
    [
        (400, "BadParameter", None, InvalidValue, InvalidValue),
        (401, "Unauthorized", None, Unauthenticated, Unauthenticated),
        (403, "Forbidden", "ForbiddenByRbac", PermissionDenied, PermissionDenied),
        (403, "Forbidden", "ForbiddenByFirewall", Unavailable, Unavailable),
        (404, CANARY, None, Unavailable, Unavailable),
        (405, "MethodNotAllowed", None, Unsupported, Unsupported),
        (409, "Conflict", CANARY, Conflict, Conflict),
        (409, "Conflict", "ObjectIsDeletedButRecoverable", Gone, Gone),
        (409, "Conflict", "ObjectIsBeingDeleted", Unavailable, Unavailable),
        (409, "Conflict", "ObjectIsBeingRecovered", Unavailable, Unavailable),
        (413, CANARY, None, TooLarge, TooLarge),
        (429, "Throttled", None, RateLimited, RateLimited),
        (500, "InternalServerError", None, Unavailable, OutcomeUnknown),
        (503, "ServiceUnavailable", None, Unavailable, OutcomeUnknown),
        (302, CANARY, None, Unavailable, OutcomeUnknown),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_an_answer_is_one_error(
    key_vault: KeyVaultServer,
    method: str,
    status: int,
    code: str,
    inner: str | None,
    of_read: type[WardgateError],
    of_write: type[WardgateError],
) -> None:
    """Of the closed list, as the table says, and it holds nothing that the vault sent."""
    vault = key_vault.empty()
    vault.put(NAME, CANARY)
    vault.refuse[method] = Refused(status, code, inner, location=key_vault.url)
    error = use(key_vault, read if method == "GET" else write)
    assert isinstance(error, WardgateError)
    assert type(error) is (of_read if method == "GET" else of_write)
    assert type(error) in CLOSED_LIST
    assert CANARY not in "".join(traceback.format_exception(error)) + repr(vars(error))
    assert "azure.core" not in "".join(traceback.format_exception(error))


def test_a_change_is_sent_once(key_vault: KeyVaultServer) -> None:
    """However many retries reads have: nobody can tell whether the first was done."""
    vault = key_vault.empty()
    vault.refuse["PUT"] = Refused(500, "InternalServerError", retry_after="0")
    assert isinstance(use(key_vault, write, retries=3), OutcomeUnknown)
    assert [method for method, _ in vault.seen].count("PUT") == 1


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_change_whose_connection_broke_is_not_sent_again(key_vault: KeyVaultServer, method: str) -> None:
    """By nobody: HTTP's own libraries repeat what HTTP calls idempotent, and to a vault each PUT is another version."""
    vault = key_vault.empty()
    vault.put(NAME, "x")

    async def work(backend: KeyVaultBackend) -> None:
        await backend.read(PATH)  # so that a connection is kept open
        key_vault.breaks = method
        await (backend.write(PATH, VALUE) if method == "PUT" else backend.delete(PATH))

    assert isinstance(use(key_vault, work), OutcomeUnknown)
    assert [asked for asked, _ in vault.seen].count(method) == 1


@pytest.mark.parametrize("said", [{}, {"retry_after": "7"}, {"retry_after": "soon"}], ids=str)
def test_a_throttled_call_is_not_repeated(key_vault: KeyVaultServer, said: dict[str, str]) -> None:
    """However many retries reads have; its caller learns how long to wait where the vault says so."""
    vault = key_vault.empty()
    vault.refuse["GET"] = Refused(429, "Throttled", **said)
    error = use(key_vault, read, retries=3)
    assert isinstance(error, RateLimited)
    assert error.retry_after == (7 if said == {"retry_after": "7"} else None)
    assert len(vault.seen) == 1


def test_a_wrong_token_is_no_missing_secret(key_vault: KeyVaultServer) -> None:
    """The gateway's own credential is what is refused."""
    key_vault.empty()
    assert isinstance(use(key_vault, read, token="another"), Unauthenticated)


def test_a_vault_that_is_not_there_changed_nothing(key_vault: KeyVaultServer) -> None:
    """A write that never left is Unavailable, not unknown."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = taken.getsockname()[1]
    with throttling(1) as (_, plain):
        for port, why in ((nobody, "the connection was refused"), (plain, "no TLS is spoken there")):
            for work in (read, write):
                error = use(key_vault, work, vault_url=f"https://127.0.0.1:{port}")
                assert isinstance(error, Unavailable)
                assert f"cannot be reached: {why}; check 'vault_url'" in error.message


def test_a_vault_that_names_another_domain_is_told_so(
    key_vault: KeyVaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is given no token, and so nothing was changed; without ``ca_file`` the SDK looks at the name."""
    vault = key_vault.empty()
    monkeypatch.setenv("SSL_CERT_FILE", str(key_vault.ca_file))
    for work in (read, write):
        error = use(key_vault, work, ca_file=None)
        assert isinstance(error, Unavailable)
        assert "another domain" in error.message
        assert "'vault_url'" in error.message
    assert vault.seen == []


@pytest.mark.parametrize(
    ("problem", "of_read", "of_write"),
    [
        (ServiceRequestError("", error=aiohttp.ServerDisconnectedError()), Unavailable, OutcomeUnknown),
        (ServiceRequestError("", error=aiohttp.ClientOSError()), Unavailable, OutcomeUnknown),
        (ServiceRequestError("", error=aiohttp.ConnectionTimeoutError()), Unavailable, Unavailable),
        (ServiceResponseTimeoutError("", error=TimeoutError()), Unavailable, OutcomeUnknown),
        (IncompleteReadError("", error=aiohttp.ClientPayloadError()), Unavailable, OutcomeUnknown),
        (TimeoutError(), Unavailable, OutcomeUnknown),
        (ValueError(CANARY), Unavailable, OutcomeUnknown),
    ],
    ids=lambda each: f"{type(each).__name__}-{type(getattr(each, 'inner_exception', None)).__name__}",
)
def test_a_broken_exchange_is_one_error(
    problem: Exception, of_read: type[WardgateError], of_write: type[WardgateError]
) -> None:
    """Only what surely never left is Unavailable for a change: the SDK says "no request was sent" of more."""
    for mutates, expected in ((False, of_read), (True, of_write)):
        error = errors.of(problem, mutates=mutates)
        assert type(error) is expected
        assert CANARY not in error.message


def test_a_disabled_version_is_gone(key_vault: KeyVaultServer) -> None:
    """By whichever way it is asked for, and told as disabled."""
    vault = key_vault.empty()
    version = vault.put(NAME, "x", attributes={"enabled": False})["id"].rsplit("/", 1)[1]
    for work in (read, lambda backend: backend.read(PATH, version=version)):
        error = use(key_vault, work)
        assert isinstance(error, Gone)
        assert error.info is not None
        assert (error.info.id, error.info.state) == (version, VersionState.DISABLED)
    # A new version is not in its way, and keeps the labels that nobody could read with a value.
    assert not isinstance(use(key_vault, write), WardgateError)


def test_an_expiry_is_told_and_the_value_served(key_vault: KeyVaultServer) -> None:
    """As the vault does it."""
    key_vault.empty().put(NAME, "x", attributes={"exp": 1})
    found: Any = use(key_vault, read)
    assert (found.info.expires_at, found.value.data) == (1_000_000_000, b"x")


@pytest.mark.parametrize(
    ("refused", "expected"),
    [
        (Refused(403, "Forbidden", "ForbiddenByPolicy"), PermissionDenied),
        (Refused(409, "Conflict", "ObjectIsBeingDeleted"), OutcomeUnknown),
        (Refused(429, "Throttled"), OutcomeUnknown),
    ],
    ids=str,
)
def test_a_purge_that_fails_leaves_a_deleted_secret(
    key_vault: KeyVaultServer, refused: Refused, expected: type[WardgateError]
) -> None:
    """And never says that nothing was changed; a vault can be protected from purging."""
    vault = key_vault.empty()
    vault.put(NAME, "x")
    vault.refuse["DELETE deletedsecrets"] = refused
    error = use(key_vault, lambda backend: backend.destroy(PATH))
    assert type(error) is expected
    assert "deleted" in error.message
    assert isinstance(use(key_vault, read), Gone)


def test_a_vault_that_keeps_nothing_back_deletes_for_good(key_vault: KeyVaultServer) -> None:
    """It does not know what a deleted secret is, and that is no failure of a read, a delete or a destroy."""
    vault = key_vault.empty()
    vault.retention_days = 0
    for remove in (KeyVaultBackend.delete, KeyVaultBackend.destroy):
        assert not isinstance(use(key_vault, write), WardgateError)
        assert use(key_vault, lambda backend, remove=remove: remove(backend, PATH)) is None  # type: ignore[misc]
        assert isinstance(use(key_vault, read), SecretNotFound)


def test_what_follows_an_accepted_delete_cannot_undo_it(key_vault: KeyVaultServer) -> None:
    """The vault said yes; that it then fails to tell how far it is makes no error."""
    vault = key_vault.empty()
    vault.put(NAME, "x")
    vault.refuse["GET deletedsecrets"] = Refused(500, "InternalServerError")
    assert use(key_vault, lambda backend: backend.delete(PATH)) is None


def test_a_probe_tells_each_right_and_changes_nothing(key_vault: KeyVaultServer) -> None:
    """By Key Vault's own words; whether a value may be set the vault tells only by refusing it."""
    vault = key_vault.empty()
    vault.put(NAME, "x")
    told: Any = use(key_vault, lambda backend: backend.probe())
    rights = ("get", "list", "update", "delete", "recover", "purge")
    assert {right.name: right.granted for right in told} == dict.fromkeys(rights, True) | {"set": None}
    assert vault.current(NAME) is not None
    forbidden = Refused(403, "Forbidden", "ForbiddenByRbac")
    for refused, lacking in (("DELETE", {"delete", "purge"}), ("PUT", {"set"}), ("PATCH", {"update"})):
        vault.refuse = {refused: forbidden}
        told = use(key_vault, lambda backend: backend.probe())
        assert {right.name for right in told if right.granted is False} == lacking
    assert len(vault.secrets) == 1


def test_a_probe_that_is_refused_everything_says_why(key_vault: KeyVaultServer) -> None:
    """A wrong credential is not six rights that are missing."""
    key_vault.empty()
    error = use(key_vault, lambda backend: backend.probe(), token="another")
    assert isinstance(error, Unauthenticated)


def test_a_probe_of_a_credential_without_rights_names_each(key_vault: KeyVaultServer) -> None:
    """It is accepted, and may do nothing: an operator is told what to grant. Throttled, nobody is told anything."""
    vault = key_vault.empty()
    forbidden = Refused(403, "Forbidden", "ForbiddenByRbac")
    vault.refuse = dict.fromkeys(("GET", "PUT", "PATCH", "POST", "DELETE"), forbidden)
    told: Any = use(key_vault, lambda backend: backend.probe())
    assert [right.granted for right in told] == [False] * 7
    for refused, expected in (
        (Refused(429, "Throttled"), RateLimited),
        (Refused(500, "InternalServerError"), Unavailable),
        (Refused(403, "Forbidden", "ForbiddenByFirewall"), Unavailable),
    ):
        vault.refuse["DELETE"] = refused
        assert type(use(key_vault, lambda backend: backend.probe())) is expected


def test_health_is_not_about_rights(key_vault: KeyVaultServer) -> None:
    """A vault that lets the credential look for nothing answers all the same; one that does not know it is not well."""
    vault = key_vault.empty()
    vault.refuse["GET"] = Refused(403, "Forbidden", "ForbiddenByRbac")
    allowed: Any = use(key_vault, lambda backend: backend.health())
    assert allowed.ok
    vault.refuse.clear()
    unknown: Any = use(key_vault, lambda backend: backend.health(), token="another")
    assert not unknown.ok


def test_a_purge_that_is_no_longer_accepted_leaves_a_deleted_secret(key_vault: KeyVaultServer) -> None:
    """The credential ended between the two requests, and it is not said that nothing was changed."""
    vault = key_vault.empty()
    vault.put(NAME, "x")
    vault.refuse["DELETE deletedsecrets"] = Refused(401, "Unauthorized")
    assert isinstance(use(key_vault, lambda backend: backend.destroy(PATH)), OutcomeUnknown)


def test_another_tool_s_text_keeps_its_type_only_where_it_is_one(key_vault: KeyVaultServer) -> None:
    """Any words can stand as a content type; only a media type passes, and JSON only where it is JSON."""
    vault = key_vault.empty()
    for said, text, expected in (
        (None, "plain", TEXT),
        (None, '{"a": 1}', JSON),
        ("password", "plain", TEXT),
        ("text/html\r\nX: y", "plain", TEXT),
        (JSON, "{", TEXT),
        (JSON, "[1]", JSON),
        ("application/x-pem-file", "-----BEGIN", "application/x-pem-file"),
    ):
        vault.put(NAME, text, contentType=said)
        found: Any = use(key_vault, read)
        assert (found.value.data, found.value.media_type) == (text.encode(), expected)


def test_nothing_is_written_that_is_too_large_or_empty(key_vault: KeyVaultServer) -> None:
    """It is refused before it is sent."""
    vault = key_vault.empty()
    assert isinstance(use(key_vault, lambda backend: backend.write(PATH, Value(b"x" * 25_001))), TooLarge)
    assert isinstance(use(key_vault, lambda backend: backend.write(PATH, Value(b"\xff" * 19_000))), TooLarge)
    assert isinstance(use(key_vault, lambda backend: backend.write(PATH, Value(b""))), InvalidValue)
    assert vault.seen == []
