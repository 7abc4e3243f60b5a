"""What the store's answers become, what a probe asks, and how names are mapped."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.servers.moto import Moto
from wardgate.spi.backend import Backend
from wardgate.spi.errors import (
    Conflict,
    Gone,
    InvalidValue,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    SecretNotFound,
    Unavailable,
    VersionNotFound,
    WardgateError,
)
from wardgate.spi.path import Path
from wardgate.spi.values import Expect, Value
from wardgate_aws.backend import BACKEND, NAMES, Options
from wardgate_aws.errors import of_answer

SECRET = Path.parse("team/database")
CLOCK = SimpleNamespace(now=time.time_ns, monotonic=time.monotonic)


def opened(**options: Any) -> Backend:
    return BACKEND.open(Options(region="eu-west-1", **options), cast("Any", SimpleNamespace(clock=CLOCK)))


@pytest.mark.parametrize(
    ("code", "words", "status", "kind"),
    [
        ("ResourceNotFoundException", "can't find the specified secret.", 400, SecretNotFound),
        ("ResourceNotFoundException", "can't find the specified secret value for VersionId: x", 400, VersionNotFound),
        ("InvalidRequestException", "a secret with this name is already scheduled for deletion.", 400, Gone),
        ("InvalidRequestException", "anything else", 400, InvalidValue),
        ("PreconditionNotMetException", "", 400, Conflict),
        ("AccessDeniedException", "", 400, PermissionDenied),
        ("UnrecognizedClientException", "", 400, PermissionDenied),
        ("ThrottlingException", "", 400, RateLimited),
        ("InternalServiceError", "", 500, OutcomeUnknown),
        ("NeverHeardOf", "", 400, OutcomeUnknown),
    ],
)
def test_each_answer_is_one_error(code: str, words: str, status: int, kind: type[WardgateError]) -> None:
    """Of the closed list, and without a word of the store's."""
    found = of_answer(code, words, status, mutates=True)
    assert type(found) is kind
    assert not words or words not in found.message


def test_an_unclear_answer_to_a_read_changes_nothing() -> None:
    """It is Unavailable, not unknown."""
    assert type(of_answer("InternalServiceError", "", 500, mutates=False)) is Unavailable


@pytest.mark.parametrize(
    "options",
    [
        {"recovery_days": 6},
        {"recovery_days": 31},
        {"endpoint": "http://store.example"},
        {"endpoint": "ftp://127.0.0.1"},
        {"timeout": 0.0},
        {"ca_file": "/nowhere/at/all"},
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any]) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidValue):
        opened(**options)


@pytest.mark.parametrize("text", ["plain/name", "größe/=41/a b", "a=/b:c", "UPPER/lower+@."])
def test_a_path_has_one_name_and_comes_back(text: str) -> None:
    """Whatever characters it holds."""
    assert Path.parse(text) == NAMES.path_of(NAMES.name_of(Path.parse(text)))


@pytest.mark.server
def test_a_probe_changes_nothing(moto: Moto) -> None:
    """It names the rights, tells those it has, and leaves the right to create open."""
    moto.reset()

    async def asked() -> None:
        backend = opened(endpoint=moto.endpoint)
        found = {permission.name: permission.granted for permission in await backend.probe()}
        assert found.pop("secretsmanager:CreateSecret") is None
        assert set(found.values()) == {True}
        assert (await backend.list(Path(()))).entries == ()
        await backend.close()

    asyncio.run(asked())


@pytest.mark.server
def test_a_compare_and_set_that_lost_leaves_no_trace(moto: Moto) -> None:
    """The private label is gone, and the winner is current."""
    moto.reset()

    async def raced() -> None:
        backend = opened(endpoint=moto.endpoint)
        first = await backend.write(SECRET, Value(b"1"))
        writers = [backend.write(SECRET, Value(b"2%d" % turn), expect=Expect(first.id)) for turn in range(4)]
        outcomes = await asyncio.gather(*writers, return_exceptions=True)
        won = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
        assert len(won) == 1
        assert all(type(outcome) is Conflict for outcome in outcomes if isinstance(outcome, BaseException))
        assert won[0].id == (await backend.read(SECRET)).info.id
        await backend.close()

    asyncio.run(raced())


@pytest.mark.server
def test_a_store_that_is_not_there_is_unavailable(moto: Moto) -> None:
    """And its health says so without raising."""

    async def asked() -> None:
        backend = opened(endpoint="http://127.0.0.1:1", timeout=0.5)
        with pytest.raises(Unavailable):
            await backend.read(SECRET)
        assert not (await backend.health()).ok
        await backend.close()

    asyncio.run(asked())
