"""Idempotency keys: one asker is first over all workers, and whoever asks again gets what was kept, for an hour."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from wardgate.spi.errors import AlreadyExists, InvalidValue, OutcomeUnknown, RateLimited, WardgateError
from wardgate.state import State, idempotency
from wardgate.state.database import operation_id
from wardgate.state.idempotency import KEPT, MAX_ANSWER, Claim

BUSY = 10 * 10**9
REQUEST = (b"PUT", b"/a", b"body")


def claim(state: State, *, key: str = "k", principal: str = "p", request: tuple[bytes, ...] = REQUEST) -> Claim | bytes:
    return asyncio.run(state.idempotency.claim("root", principal, key, request, BUSY))


def first(state: State, **asked: Any) -> Claim:
    found = claim(state, **asked)
    assert not isinstance(found, bytes)
    return found


def test_whoever_asks_again_gets_the_answer_that_was_kept(state: State, reopen: Callable[[], State]) -> None:
    """In every worker, and after a restart."""
    asyncio.run(state.idempotency.keep(first(state), b"answer"))
    assert b"answer" == claim(state)
    assert b"answer" == claim(reopen())


def test_one_of_many_who_ask_at_once_is_first(state: State, reopen: Callable[[], State]) -> None:
    """Whichever worker they reach; the others are told that it is under way."""
    workers = [state, reopen()]

    async def race() -> list[Any]:
        asked = [workers[n % 2].idempotency.claim("root", "p", "k", REQUEST, BUSY) for n in range(40)]
        return await asyncio.gather(*asked, return_exceptions=True)

    found = asyncio.run(race())
    assert [AlreadyExists] * 39 == [type(one) for one in found if isinstance(one, WardgateError)]


@pytest.mark.parametrize("other", [(b"PUT", b"/a", b"body2"), (b"PUT", b"/ab", b"ody"), (b"PUT", b"/a")])
def test_a_key_of_another_request_is_refused(state: State, other: tuple[bytes, ...]) -> None:
    """Done or under way; fields cannot run into one another."""
    made = first(state)
    with pytest.raises(InvalidValue, match="another request"):
        claim(state, request=other)
    asyncio.run(state.idempotency.keep(made, b"answer"))
    with pytest.raises(InvalidValue, match="another request"):
        claim(state, request=other)


def test_a_key_is_its_principal_s_own(state: State) -> None:
    """Another one neither meets it nor learns of it."""
    asyncio.run(state.idempotency.keep(first(state), b"answer"))
    first(state, principal="q")
    assert not isinstance(asyncio.run(state.idempotency.claim("team", "p", "k", REQUEST, BUSY)), bytes)


def test_a_change_that_did_nothing_can_be_asked_for_again(state: State) -> None:
    """Its key is forgotten."""
    asyncio.run(state.idempotency.forget(first(state)))
    first(state)


def test_an_end_that_nobody_knows_is_told(state: State, clock: Any) -> None:
    """Past the time the change could have taken, and for as long as the key is remembered: never done twice."""
    first(state)
    clock.pass_seconds(11)
    with pytest.raises(OutcomeUnknown):
        claim(state)
    clock.pass_seconds(KEPT / 10**9 - 12)
    with pytest.raises(OutcomeUnknown):
        claim(state)
    clock.pass_seconds(1)
    first(state)


def test_an_answer_too_long_to_keep_is_told_as_unknown(state: State, clock: Any) -> None:
    """Not cut, and not done twice."""
    asyncio.run(state.idempotency.keep(first(state), bytes(MAX_ANSWER + 1)))
    clock.pass_seconds(11)
    with pytest.raises(OutcomeUnknown):
        claim(state)


def test_keys_are_bounded_in_number_and_bytes(state: State, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """For each principal apart; forgotten ones make room, and are swept from the file."""
    monkeypatch.setattr(idempotency, "MAX_KEYS", 3)
    monkeypatch.setattr(idempotency, "MAX_BYTES", 10)
    for number in range(3):
        first(state, key=f"{number}")
    with pytest.raises(RateLimited):
        claim(state, key="3")
    asyncio.run(state.idempotency.keep(first(state, principal="q"), bytes(10)))
    with pytest.raises(RateLimited):
        claim(state, principal="q", key="l")
    clock.pass_seconds(KEPT / 10**9)
    first(state, key="3")
    with state._database.reading() as connection:
        assert 1 == connection.exec_driver_sql("SELECT count(*) FROM idempotency_keys").scalar()


def test_a_row_changed_in_the_file_is_not_believed(state: State) -> None:
    """Neither its answer nor its absence of one: the change is not made on its word."""
    asyncio.run(state.idempotency.keep(first(state), b"answer"))
    state._database.write_and_wait(
        lambda connection: connection.exec_driver_sql("UPDATE idempotency_keys SET answer = x'00'")
    )
    with pytest.raises(OutcomeUnknown, match="trusted"):
        claim(state)


def test_neither_key_nor_request_stands_in_the_file(state: State) -> None:
    """Keyed hashes alone."""
    made = first(state, key="canary-key", request=(b"canary-request",))
    assert not any(b"canary" in value for value in made.values() if isinstance(value, bytes))


def test_a_key_s_own_writes_prove_no_change(state: State) -> None:
    """After a crash, a change is found made by its own write alone."""

    async def as_an_operation() -> None:
        operation_id.set("change-1")
        found = await state.idempotency.claim("root", "p", "k", REQUEST, BUSY)
        assert not isinstance(found, bytes)
        await state.idempotency.keep(found, b"answer")
        assert "change-1" == operation_id.get()

    asyncio.run(as_an_operation())
    assert not state.committed("change-1", ())
