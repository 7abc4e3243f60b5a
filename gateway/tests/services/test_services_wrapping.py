"""Wrapped answers: kept under a token that is nowhere, given out once, in their namespace, until they expire."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update
from wardgate.spi.errors import InvalidValue, RateLimited, TooLarge
from wardgate.spi.operations.wrapping import MAX_TTL, LookupWrapping, Rewrap, Unwrap, UnwrapOwn, WrapData, Wrapped
from wardgate.state import State
from wardgate.state import wrapping as kept_answers
from wardgate.state.tables import wrapped

MINUTE = 60 * 10**9
PAYLOAD = b'{"data":{"password":"hunter2"}}'


def keep(state: State, payload: bytes = PAYLOAD, *, namespace: str = "root", ttl: int = MINUTE) -> Wrapped:
    return asyncio.run(state.wrapping.keep(namespace, payload, ttl=ttl, creation_path="secret/data/a"))


def rows(state: State) -> list[dict[str, Any]]:
    with state._database.reading() as connection:
        return [dict(row) for row in connection.execute(select(wrapped)).mappings()]


def test_an_answer_is_given_once(desk: Any, state: State) -> None:
    """The second who asks gets the same words as for a token that never was."""
    made = keep(state)

    taken = desk.do(UnwrapOwn(token=made.token), who=None)

    assert (PAYLOAD, made.accessor) == (taken.payload, taken.kept.accessor)
    for operation in (UnwrapOwn(token=made.token), LookupWrapping(token=made.token), Unwrap(token="wg_never")):
        with pytest.raises(InvalidValue, match=kept_answers.GONE):
            desk.do(operation, who=None)
    assert [] == rows(state)


def test_of_all_who_ask_in_two_workers_one_gets_it(desk: Any, other_worker: Any, state: State) -> None:
    """Fifty unwraps at once, over two workers that share nothing but the file."""
    made = keep(state)

    async def race() -> list[Any]:
        workers = [desk.state.wrapping, other_worker.state.wrapping]
        asked = (workers[number % 2].take("root", made.token) for number in range(50))
        return await asyncio.gather(*asked, return_exceptions=True)

    results = asyncio.run(race())

    won = [result for result in results if not isinstance(result, BaseException)]
    assert [PAYLOAD] == [one.payload for one in won]
    assert {kept_answers.GONE} == {str(result) for result in results if isinstance(result, InvalidValue)}
    assert 49 == sum(isinstance(result, InvalidValue) for result in results)


def test_an_answer_expires(desk: Any, state: State, clock: Any) -> None:
    """By the clock at its use; its row is swept when others are kept."""
    made = keep(state)
    clock.pass_seconds(60)

    with pytest.raises(InvalidValue, match=kept_answers.GONE):
        desk.do(UnwrapOwn(token=made.token), who=None)
    keep(state)
    assert 1 == len(rows(state))


def test_a_lookup_uses_nothing_up(desk: Any, state: State) -> None:
    """It tells where the answer comes from, and neither the answer nor the token."""
    made = keep(state)

    shown = desk.do(LookupWrapping(token=made.token), who=None)

    assert ("secret/data/a", MINUTE, made.created_at, "") == (
        shown.creation_path, shown.ttl, shown.created_at, shown.token,
    )  # fmt: skip
    assert PAYLOAD == desk.do(UnwrapOwn(token=made.token), who=None).payload


def test_rewrapping_ends_the_old_token(desk: Any, state: State, clock: Any) -> None:
    """The new one lives as long as the first did, from now."""
    made = keep(state)
    clock.pass_seconds(59)

    again = desk.do(Rewrap(token=made.token))

    with pytest.raises(InvalidValue, match=kept_answers.GONE):
        desk.do(Unwrap(token=made.token))
    clock.pass_seconds(59)
    assert PAYLOAD == desk.do(Unwrap(token=again.token)).payload
    assert ("secret/data/a", MINUTE) == (again.creation_path, again.ttl)


def test_the_token_is_good_for_nothing_else(desk: Any, state: State) -> None:
    """It is no token of a principal, and in another namespace it is nothing."""
    made = keep(state)

    assert desk.logged_in(made.token) is None
    for namespace in ("", "other"):
        with pytest.raises(InvalidValue, match=kept_answers.GONE):
            desk.do(UnwrapOwn(token=made.token), who=None, namespace=namespace)
    assert made.token not in repr((made, UnwrapOwn(token=made.token), LookupWrapping(token=made.token)))


def test_nothing_stored_tells_the_token_or_the_answer(state: State) -> None:
    """The file holds a keyed hash and what only the token opens."""
    made = keep(state)
    stored = repr(rows(state)).encode() + b"".join(row["payload"] for row in rows(state))

    assert made.token.encode() not in stored
    assert b"hunter2" not in stored


def test_the_namespace_s_keys_alone_do_not_open_it(state: State) -> None:
    """Whoever has the file and its keys, but no token, gets another sealed box."""
    made = keep(state)
    (row,) = rows(state)

    with pytest.raises(InvalidValue):
        state.wrapping._opened(row, made.token + "x")


@pytest.mark.parametrize(
    "change",
    [{"expires_at": 2**62}, {"namespace": "other"}, {"creation_path": "elsewhere"}, {"payload": b"x"}, {"mac": b"x"}],
    ids=["expiry", "namespace", "path", "payload", "code"],
)
def test_a_row_changed_outside_is_refused(desk: Any, state: State, change: dict[str, Any]) -> None:
    """As if it were not there."""
    made = keep(state)
    asyncio.run(state._database.write(lambda connection: connection.execute(update(wrapped).values(change))))

    with pytest.raises(InvalidValue, match=kept_answers.GONE):
        desk.do(UnwrapOwn(token=made.token), who=None)


def test_what_is_kept_is_bounded(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """In number, in bytes, each in its size and its time; what expired does not count."""
    monkeypatch.setattr(kept_answers, "MAX_KEPT", 2)
    state.wrapping.check("root", MINUTE)
    keep(state)
    keep(state)
    with pytest.raises(RateLimited):
        keep(state)
    with pytest.raises(RateLimited):
        state.wrapping.check("root", MINUTE)
    monkeypatch.setattr(kept_answers, "MAX_KEPT", 10)
    monkeypatch.setattr(kept_answers, "MAX_BYTES", 400)
    with pytest.raises(RateLimited):
        keep(state)
    with pytest.raises(TooLarge):
        keep(state, bytes(kept_answers.MAX_ANSWER + 1))
    for ttl in (0, -1, MAX_TTL + 1):
        with pytest.raises(InvalidValue):
            state.wrapping.check("other", ttl)


def test_one_maker_has_a_share_of_the_room(desk: Any, state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """In number and in bytes; the others' is theirs. Once one token could fill a namespace's for a month."""

    def make(maker: str, payload: bytes = PAYLOAD) -> Wrapped:
        kept = state.wrapping.keep("root", payload, ttl=MINUTE, creation_path="secret/data/a", maker=maker)
        return asyncio.run(kept)

    monkeypatch.setattr(kept_answers, "OWN_KEPT", 2)
    first = make("greedy")
    make("greedy")
    with pytest.raises(RateLimited, match="as one may"):
        make("greedy")
    with pytest.raises(RateLimited, match="as one may"):
        state.wrapping.check("root", MINUTE, "greedy")
    state.wrapping.check("root", MINUTE, "another")
    make("another")
    again = desk.do(Rewrap(token=first.token))
    with pytest.raises(RateLimited):
        make("greedy")
    assert PAYLOAD == desk.do(Unwrap(token=again.token)).payload
    make("greedy")
    monkeypatch.setattr(kept_answers, "OWN_BYTES", 1_000)
    with pytest.raises(RateLimited):
        make("another", bytes(1_000))


def test_the_largest_answer_has_room_in_a_share(state: State) -> None:
    """Whatever sealing adds to it."""
    assert keep(state, bytes(kept_answers.MAX_ANSWER)).token


def test_room_is_made_by_time(state: State, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An expired answer holds no place, even before it is swept."""
    monkeypatch.setattr(kept_answers, "MAX_KEPT", 1)
    keep(state)
    clock.pass_seconds(61)

    state.wrapping.check("root", MINUTE)
    assert keep(state).token


def test_data_is_wrapped_or_refused(desk: Any) -> None:
    """The operation is of no other use."""
    with pytest.raises(InvalidValue, match="requires response wrapping"):
        desk.do(WrapData(data=b"{}"))


def test_a_deleted_namespace_takes_its_answers_along(state: State, reopen: Callable[..., State]) -> None:
    """Nothing of it is left."""
    namespace = "0" * 32
    info = asyncio.run(state.namespaces.create("root", "team", namespace=namespace, along=lambda _: None))
    keep(state, namespace=info.id)

    asyncio.run(state.delete_namespace(info.id))

    assert [] == rows(state)
