"""Another server where the vault should be, such as a proxy with its login page: nothing that it says is believed."""

from __future__ import annotations

from typing import Any

import pytest
from tests.servers.key_vault import KeyVaultServer
from tests.servers.key_vault_client import Use, use
from tests.servers.key_vault_store import Vault
from wardgate.spi.errors import OutcomeUnknown, Unavailable
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import TEXT, Value

PATH = Path.parse("team/database")
NAME = "team--database"
VALUE = Value(b"swordfish", TEXT)
ANOTHER_S = b'{"value": "x", "id": "https://127.0.0.1/secrets/another/%s", "attributes": {}, "tags": {}}' % (b"0" * 32)
PAGES = {
    "html": (200, b"<html>Sign in</html>"),
    "nothing": (200, b""),
    "an object": (200, b"{}"),
    "a list": (200, b"[]"),
    "null": (200, b"null"),
    "a greeting": (200, b'{"message": "hello", "value": "x"}'),
    "bytes": (200, b"\xff\xfe\x00"),
    "an id of no secret": (200, b'{"id": "secrets", "value": null}'),
    "an id that is none": (200, b'{"id": "https://[", "value": null}'),
    "another secret": (200, ANOTHER_S),
    "a key": (200, b'{"value": "x", "id": "https://127.0.0.1/keys/team--database"}'),
    "items of nothing": (200, b'{"value": [{}], "nextLink": null}'),
    "items that are none": (200, b'{"value": [null, 1]}'),
    "another status": (202, b"{}"),
    "elsewhere": (302, b""),
}
CHANGES: dict[str, tuple[str, Use]] = {
    "write": ("PUT", lambda backend: backend.write(PATH, VALUE)),
    "labels": ("PATCH", lambda backend: backend.annotate(PATH, labels={"a": "b"})),
    "delete": ("DELETE", lambda backend: backend.delete(PATH)),
    "destroy": ("DELETE", lambda backend: backend.destroy(PATH)),
    "recover": ("POST", lambda backend: backend.undelete(PATH, versions=["0" * 32])),
}
READS: dict[str, Use] = {
    "read": lambda backend: backend.read(PATH),
    "read a version": lambda backend: backend.read(PATH, version="0" * 32),
    "list": lambda backend: backend.list(ROOT),
    "describe": lambda backend: backend.describe(PATH),
    "probe": lambda backend: backend.probe(),
}


@pytest.fixture
def vault(key_vault: KeyVaultServer) -> Vault:
    """With one secret, of one version."""
    vault = key_vault.empty()
    vault.put(NAME, "x")
    return vault


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("change", CHANGES)
def test_a_page_is_no_change_that_was_made(key_vault: KeyVaultServer, vault: Vault, change: str, page: str) -> None:
    """Status 200 says nothing where it is no vault that says it: whether it was passed on, nobody knows."""
    method, work = CHANGES[change]
    key_vault.pages[method] = PAGES[page]
    assert isinstance(use(key_vault, work), OutcomeUnknown)
    assert [asked for asked, _ in vault.seen].count(method) == 1


@pytest.mark.parametrize("page", PAGES)
def test_a_page_moves_no_stage(key_vault: KeyVaultServer, vault: Vault, page: str) -> None:
    """Nor takes one away."""
    version = vault.put(NAME, "x", tags={"wardgate-stage-blue": "1"})["id"].rsplit("/", 1)[1]
    key_vault.pages["PATCH"] = PAGES[page]
    for where in (version, None):
        told = use(key_vault, lambda backend, where=where: backend.move_stage(PATH, "blue", version=where))  # type: ignore[misc]
        assert isinstance(told, OutcomeUnknown)


@pytest.mark.parametrize("page", [*PAGES, "a bundle"])
def test_a_page_is_no_purge(
    key_vault: KeyVaultServer, vault: Vault, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which a vault answers with 204 alone; the secret is among the deleted before."""
    use(key_vault, lambda backend: backend.delete(PATH))
    vault.seen.clear()
    pages = PAGES | {"a bundle": (200, ANOTHER_S.replace(b"another", NAME.encode()))}
    answer = vault.answer

    def answered(method: str, path: str, *given: Any) -> tuple[int, Any]:
        told = answer(method, path, *given)
        if (method, path) == ("GET", f"/deletedsecrets/{NAME}"):
            key_vault.pages["DELETE"] = pages[page]
        return told

    monkeypatch.setattr(vault, "answer", answered)
    assert isinstance(use(key_vault, lambda backend: backend.destroy(PATH)), OutcomeUnknown)
    assert ("DELETE", f"/deletedsecrets/{NAME}") in vault.seen


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("ask", READS)
def test_a_page_is_no_answer_to_a_question(key_vault: KeyVaultServer, vault: Vault, ask: str, page: str) -> None:
    """No empty list, no value of nothing, and no secret that is missing."""
    del vault
    key_vault.pages["GET"] = PAGES[page]
    assert isinstance(use(key_vault, READS[ask]), Unavailable)
    health: Any = use(key_vault, lambda backend: backend.health())
    assert not health.ok


def test_a_page_grants_no_right(key_vault: KeyVaultServer, vault: Vault) -> None:
    """Where questions are answered by a vault and changes by a page."""
    del vault
    for method in ("PUT", "PATCH", "DELETE", "POST"):
        key_vault.pages = {method: PAGES["html"]}
        assert isinstance(use(key_vault, lambda backend: backend.probe()), Unavailable)
