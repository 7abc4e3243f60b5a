"""What a vault does after it answered: deletions, recoveries and purges that are still under way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from tests.servers.key_vault import KeyVaultServer
from tests.servers.key_vault_client import Use, opened
from tests.servers.key_vault_store import Refused, Vault
from wardgate.spi.errors import Gone, OutcomeUnknown, SecretNotFound, Unavailable, WardgateError
from wardgate.spi.path import Path
from wardgate.spi.values import TEXT, Value
from wardgate_azure import client
from wardgate_azure.backend import KeyVaultBackend

PATH = Path.parse("team/database")
NAME = "team--database"
VALUE = Value(b"swordfish", TEXT)
FOR_LONG = 1_000


@pytest.fixture
def vault(key_vault: KeyVaultServer, monkeypatch: pytest.MonkeyPatch) -> Vault:
    """Empty, and asked again at once whether it is done."""
    monkeypatch.setattr(client, "SETTLING_SECONDS", 0)
    return key_vault.empty()


def use(server: KeyVaultServer, *uses: Use) -> list[object]:
    """What each use of one backend answers, or the error it raises."""

    async def used() -> list[object]:
        backend = opened(server)
        answers: list[object] = []
        for one in uses:
            try:
                answers.append(await one(backend))
            except WardgateError as error:
                answers.append(error)
        await backend.close()
        return answers

    return asyncio.run(used())


def write(backend: KeyVaultBackend) -> Awaitable[object]:
    return backend.write(PATH, VALUE)


def read(backend: KeyVaultBackend) -> Awaitable[object]:
    return backend.read(PATH)


def delete(backend: KeyVaultBackend) -> Awaitable[object]:
    return backend.delete(PATH)


def destroy(backend: KeyVaultBackend) -> Awaitable[object]:
    return backend.destroy(PATH)


def undelete(backend: KeyVaultBackend) -> Awaitable[object]:
    return backend.undelete(PATH, versions=["0" * 32])


@pytest.mark.parametrize("answers", [0, 1, 5])
def test_a_delete_that_takes_a_moment_is_waited_for(key_vault: KeyVaultServer, vault: Vault, answers: int) -> None:
    """The next call finds it done: a write is told that the secret is deleted, and a recovery brings it back."""
    vault.put(NAME, "x")
    vault.answers = answers
    deleted, wrote, recovered, found = use(key_vault, delete, write, undelete, read)
    assert (deleted, recovered) == (None, None)
    assert isinstance(wrote, Gone)
    assert wrote.info is not None
    assert wrote.info.deleted_at is not None
    assert not isinstance(found, WardgateError)


def test_what_comes_before_a_delete_is_done_changes_nothing(key_vault: KeyVaultServer, vault: Vault) -> None:
    """After some seconds the delete is answered, as the vault accepted it; who comes too early may try again."""
    vault.put(NAME, "x")
    vault.answers = FOR_LONG
    deleted, wrote, recovered, found = use(key_vault, delete, write, undelete, read)
    assert deleted is None
    assert [type(answer) for answer in (wrote, recovered, found)] == [Unavailable, Unavailable, SecretNotFound]
    assert vault.secrets[NAME].deleted is not None


def test_a_throttled_question_does_not_end_the_wait(
    key_vault: KeyVaultServer, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says nothing of the delete, which is done by the next one."""
    vault.put(NAME, "x")
    vault.answers = 1
    refused: list[str] = []
    answer = vault.answer

    def once(method: str, path: str, *given: Any) -> tuple[int, Any]:
        if method == "GET" and path.startswith("/deletedsecrets/") and not refused:
            refused.append(path)
            raise Refused(429, "Throttled")
        return answer(method, path, *given)

    monkeypatch.setattr(vault, "answer", once)
    assert use(key_vault, destroy) == [None]
    assert refused
    assert vault.secrets[NAME].purged


def test_a_purge_that_finds_nothing_is_done_only_after_the_delete(key_vault: KeyVaultServer, vault: Vault) -> None:
    """A delete that is still under way is not among the deleted yet: the secret would come to lie there unpurged."""
    vault.put(NAME, "x")
    vault.refuse["GET deletedsecrets"] = Refused(429, "Throttled")
    vault.refuse["DELETE deletedsecrets"] = Refused(404, "SecretNotFound")
    assert [type(answer) for answer in use(key_vault, destroy)] == [OutcomeUnknown]
    vault.refuse.clear()
    vault.put("another", "x")
    vault.refuse["DELETE deletedsecrets"] = Refused(404, "SecretNotFound")
    assert use(key_vault, lambda backend: backend.destroy(Path.parse("another"))) == [None]


def test_a_purge_that_comes_too_early_is_told(key_vault: KeyVaultServer, vault: Vault) -> None:
    """The secret is deleted by then, so that it is never said that nothing was changed; again is enough."""
    vault.put(NAME, "x")
    vault.answers = FOR_LONG
    assert [type(answer) for answer in use(key_vault, destroy)] == [OutcomeUnknown]
    vault.secrets[NAME].answers_left = vault.answers = 0
    assert use(key_vault, destroy) == [None]
    assert [type(answer) for answer in use(key_vault, read)] == [SecretNotFound]


def test_a_write_after_a_purge_may_come_too_early(key_vault: KeyVaultServer, vault: Vault) -> None:
    """A vault does not tell when a purge is done; the write changed nothing, and is to be repeated."""
    vault.put(NAME, "x")
    answers = use(key_vault, delete)
    vault.answers = 3
    answers += use(key_vault, destroy, write, write, write)
    assert [type(answer) for answer in answers[:3]] == [type(None), type(None), Unavailable]
    assert not isinstance(answers[-1], WardgateError)


def test_a_recovery_that_takes_a_moment_is_waited_for(key_vault: KeyVaultServer, vault: Vault) -> None:
    """The secret is there when it is answered; where it takes long, a write may try again."""
    vault.put(NAME, "x")
    use(key_vault, delete)
    vault.answers = 5
    recovered, found = use(key_vault, undelete, read)
    assert recovered is None
    assert not isinstance(found, WardgateError)
    use(key_vault, delete)
    vault.answers = FOR_LONG
    recovered, wrote = use(key_vault, undelete, write)
    assert (recovered, type(wrote)) == (None, Unavailable)
