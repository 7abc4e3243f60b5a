"""Single flight of batches: one question a key, put together with single reads and with other batches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from wardgate.batch_budget import AT_ONCE, MAX_READ
from wardgate.context import Context
from wardgate.spi.errors import PermissionDenied, SecretNotFound, TooLarge, Unavailable, WardgateError
from wardgate.spi.frontend import Outcome
from wardgate.spi.operations.secrets import Ordinal, ReadSecret, ReadSecrets
from wardgate.spi.values import SecretVersion, Value, VersionInfo

from tests.support.cache_room import DECISION, TTL, Room, at

MakeRoom = Callable[..., Room]


def run(scenario: Any) -> None:
    asyncio.run(scenario())


def batch_of(*paths: str, fresh: bool = False) -> ReadSecrets:
    return ReadSecrets(items=tuple(ReadSecret(path=at(path), fresh=fresh) for path in paths))


def shown(outcome: Outcome[Any]) -> list[Any]:
    return [item.value.data if isinstance(item, SecretVersion) else type(item) for item in outcome.result]


async def a_few_turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def gate_of(room: Room) -> asyncio.Event:
    room.store.gate = gate = asyncio.Event()
    return gate


@pytest.mark.parametrize(("embedded", "ttl"), [(False, TTL), (True, TTL), (False, 0), (True, 0)])
def test_a_path_named_a_thousand_times_is_asked_for_once(make_room: MakeRoom, *, embedded: bool, ttl: int) -> None:
    """Wherever its store is, and whether or not it is remembered; each item has its outcome, in its place."""
    room = make_room(embedded=embedded)
    room.mount("root", ttl=ttl)
    names = ["a", "none", *["a"] * 998]

    async def scenario() -> None:
        assert [b"one", SecretNotFound, *[b"one"] * 998] == shown(await room.ask(batch_of(*names)))

    run(scenario)
    assert ["s/a", "s/none"] == room.store.reads


def test_batches_and_single_reads_at_the_same_time_are_one_question(make_room: MakeRoom) -> None:
    """Fifty batches of one path, and fifty reads of it."""
    room = make_room()
    gate = gate_of(room)

    async def scenario() -> None:
        batches = [asyncio.create_task(room.ask(batch_of("a"))) for _ in range(50)]
        single = [asyncio.create_task(room.read()) for _ in range(50)]
        await a_few_turns()
        gate.set()
        assert [[b"one"]] * 50 == [shown(outcome) for outcome in await asyncio.gather(*batches)]
        assert [b"one"] * 50 == await asyncio.gather(*single)

    run(scenario)
    assert ["s/a"] == room.store.reads


def test_batches_of_the_same_paths_ask_for_each_once(make_room: MakeRoom) -> None:
    """More paths than are asked for at a time, in whatever order a batch names them."""
    room = make_room()
    names = [f"n/{number}" for number in range(5 * AT_ONCE)]
    room.store.values |= {f"s/{name}": name.encode() for name in names}

    async def scenario() -> None:
        orders = (names, names[::-1], names[100:] + names[:100])
        outcomes = await asyncio.gather(*(room.ask(batch_of(*order)) for order in orders))
        for order, outcome in zip(orders, outcomes, strict=True):
            assert [name.encode() for name in order] == shown(outcome)

    run(scenario)
    assert sorted(f"s/{name}" for name in names) == sorted(room.store.reads)


def test_versions_of_a_path_are_asked_for_apart(make_room: MakeRoom) -> None:
    """One question a path would answer with the wrong one."""
    room = make_room()
    items = (ReadSecret(path=at("a")), ReadSecret(path=at("a"), version=Ordinal(1)), ReadSecret(path=at("a")))

    async def scenario() -> None:
        assert [b"one"] * 3 == shown(await room.ask(ReadSecrets(items=items)))

    run(scenario)
    assert ["s/a", "s/a"] == room.store.reads


def test_a_denied_item_has_no_part_in_what_the_others_ask(make_room: MakeRoom) -> None:
    """The layer below is asked for it with its denial, even where the same path is allowed beside it."""
    room = make_room()
    seen: list[Any] = []
    road = room._road

    async def below(context: Context) -> Outcome[Any]:
        if isinstance(context.operation, ReadSecrets):
            seen.append(context.decisions)
            return Outcome((PermissionDenied("no"),))
        return await road(context)

    room._road = below  # type: ignore[method-assign]

    async def scenario() -> None:
        outcome = await room.ask(batch_of("a", "a", "a"), decisions=(DECISION, None, DECISION))
        assert [b"one", PermissionDenied, b"one"] == shown(outcome)

    run(scenario)
    assert [(None,)] == seen


def test_a_batch_that_leaves_does_not_end_it_for_the_others(make_room: MakeRoom) -> None:
    """Not even where it began the question."""
    room = make_room()
    gate = gate_of(room)

    async def scenario() -> None:
        first = asyncio.create_task(room.ask(batch_of("a", "b")))
        await a_few_turns()
        second, single = asyncio.create_task(room.ask(batch_of("a"))), asyncio.create_task(room.read())
        await a_few_turns()
        first.cancel()
        await a_few_turns()
        gate.set()
        assert [b"one"] == shown(await second)
        assert b"one" == await single
        with pytest.raises(asyncio.CancelledError):
            await first

    run(scenario)
    assert ["s/a", "s/b"] == room.store.reads


def test_a_batch_does_not_join_a_question_from_before_a_change(make_room: MakeRoom) -> None:
    """And what the old one brings is not what the later reads find."""
    room = make_room()
    gate = gate_of(room)

    async def scenario() -> None:
        early = asyncio.create_task(room.ask(batch_of("a", "a")))
        await a_few_turns()
        await room.write("a", b"two")
        late = [asyncio.create_task(room.ask(batch_of("a", "a"))), asyncio.create_task(room.ask(batch_of("a")))]
        await a_few_turns()
        gate.set()
        assert [b"one", b"one"] == shown(await early)
        assert [[b"two", b"two"], [b"two"]] == [shown(await one) for one in late]
        assert b"two" == await room.read()

    run(scenario)
    assert ["s/a", "s/a"] == room.store.reads


def test_a_change_before_an_items_turn_is_seen_by_it(make_room: MakeRoom) -> None:
    """What waits for its turn was not asked yet; it is remembered as of its turn."""
    room = make_room()
    gate = gate_of(room)
    names = [f"n/{number}" for number in range(AT_ONCE)]

    async def scenario() -> None:
        asked = asyncio.create_task(room.ask(batch_of(*names, "a")))
        await a_few_turns()
        assert "s/a" not in room.store.reads
        await room.write("a", b"two")
        gate.set()
        assert b"two" == shown(await asked)[-1]
        assert b"two" == await room.read()

    run(scenario)
    assert 1 == room.store.reads.count("s/a")


def test_a_fresh_item_joins_nothing_and_serves_the_rest_of_its_batch(make_room: MakeRoom) -> None:
    """It began after the batch came, so it is as good an answer to the others as any."""
    room = make_room()
    gate = gate_of(room)
    mixed = ReadSecrets(items=tuple(ReadSecret(path=at("a"), fresh=fresh) for fresh in (False, True, True, False)))

    async def scenario() -> None:
        early = asyncio.create_task(room.read())
        await a_few_turns()
        room.store.values["s/a"] = b"behind the gateway's back"
        late = asyncio.create_task(room.ask(mixed))
        await a_few_turns()
        gate.set()
        assert b"one" == await early
        assert [b"behind the gateway's back"] * 4 == shown(await late)

    run(scenario)
    assert ["s/a", "s/a"] == room.store.reads


def test_a_batch_asks_so_many_questions_at_a_time(make_room: MakeRoom) -> None:
    """A store outside the gateway is not asked a thousand things at once; who reads one meanwhile does not wait."""
    room = make_room()
    gate = gate_of(room)
    names = [f"n/{number}" for number in range(3 * AT_ONCE)]

    async def scenario() -> None:
        many = asyncio.create_task(room.ask(batch_of(*names)))
        await a_few_turns()
        assert AT_ONCE == len(room.store.reads)
        last = asyncio.create_task(room.ask(batch_of(names[-1])))
        await a_few_turns()
        assert AT_ONCE + 1 == len(room.store.reads)
        gate.set()
        await asyncio.gather(many, last)

    run(scenario)
    assert len(names) == len(room.store.reads)


@pytest.mark.parametrize("embedded", [False, True])
def test_items_that_share_an_answer_bring_no_more_than_a_batch_may(make_room: MakeRoom, *, embedded: bool) -> None:
    """A large value named often is counted as often; behind it nothing is asked any more."""
    room = make_room(embedded=embedded)
    room.store.values["s/a"] = b"x" * (MAX_READ // 4)
    road = room._road

    async def below(context: Context) -> Outcome[Any]:
        """As dispatch: it counts what a batch brings."""
        outcome = await road(context)
        if isinstance(context.operation, ReadSecrets):
            assert [context.budget.counted(result) for result in outcome.result]
        return outcome

    room._road = below  # type: ignore[method-assign]

    async def scenario() -> None:
        first = shown(await room.ask(batch_of(*["a"] * 8)))
        assert [True] * 4 + [False] * 4 == [isinstance(one, bytes) for one in first]
        assert {TooLarge} == set(first[4:])
        assert first == shown(await room.ask(batch_of(*["a"] * 8)))

    run(scenario)
    assert ["s/a"] == room.store.reads


def test_a_spent_batch_does_not_ask_for_the_rest(make_room: MakeRoom) -> None:
    """As without flights: the item that passes the bound is the last that is read."""
    room = make_room()
    names = [f"n/{number}" for number in range(4 * AT_ONCE)]
    room.store.values |= dict.fromkeys((f"s/{name}" for name in names), b"x" * (MAX_READ // AT_ONCE))

    async def scenario() -> None:
        found = shown(await room.ask(batch_of(*names)))
        assert AT_ONCE == sum(isinstance(one, bytes) for one in found)

    run(scenario)
    assert len(room.store.reads) < 3 * AT_ONCE


def test_an_outage_is_told_of_each_item_and_not_remembered(make_room: MakeRoom) -> None:
    """One error for all who asked; the next batch asks again."""
    room = make_room()
    room.store.fault = Unavailable("down")

    async def scenario() -> None:
        asked = await asyncio.gather(*(room.ask(batch_of("a", "a")) for _ in range(3)))
        assert [[Unavailable] * 2] * 3 == [shown(outcome) for outcome in asked]
        room.store.fault = None
        assert [b"one"] == shown(await room.ask(batch_of("a")))

    run(scenario)
    assert ["s/a", "s/a"] == room.store.reads


def test_the_end_of_one_callers_time_is_not_that_of_the_others(make_room: MakeRoom) -> None:
    """Whoever joined a question that its first caller had no more time for asks again: together, in its own time."""
    room = make_room()
    asked: list[float] = []

    async def below(context: Context) -> Outcome[Any]:
        """As dispatch: it bounds its time by that of the one whose context it is."""
        asked.append(context.arrival.deadline)
        await a_few_turns()
        if len(asked) == 1:
            room.clock.pass_seconds(1.0)
            raise Unavailable("the store did not answer in time; try again")
        return Outcome(SecretVersion(VersionInfo("1", 1), Value(b"late")))

    room._road = below  # type: ignore[method-assign]

    async def scenario() -> None:
        hasty = asyncio.create_task(room.ask(batch_of("a"), seconds=1.0))
        await a_few_turns()
        batch, single = asyncio.create_task(room.ask(batch_of("a"))), asyncio.create_task(room.read())
        assert [Unavailable] == shown(await hasty)
        assert [b"late"] == shown(await batch)
        assert b"late" == await single

    run(scenario)
    assert 2 == len(asked)


def test_nothing_is_asked_after_the_deadline(make_room: MakeRoom) -> None:
    """Items whose turn comes too late say so; those that were answered keep their answers."""
    room = make_room()
    names = [f"n/{number}" for number in range(2 * AT_ONCE)]
    road = room._road

    async def below(context: Context) -> Outcome[Any]:
        found: Outcome[Any] | WardgateError
        try:
            found = await road(context)
        except WardgateError as error:
            found = error
        if AT_ONCE == len(room.store.reads):
            room.clock.pass_seconds(60.0)
        if isinstance(found, WardgateError):
            raise found
        return found

    room._road = below  # type: ignore[method-assign]

    async def scenario() -> None:
        outcome = await room.ask(batch_of(*names))
        assert [SecretNotFound] * AT_ONCE + [Unavailable] * AT_ONCE == shown(outcome)

    run(scenario)
    assert AT_ONCE == len(room.store.reads)


def test_a_defect_below_is_one_item_s(make_room: MakeRoom, caplog: pytest.LogCaptureFixture) -> None:
    """The others are answered; the audit can tell which ones failed, and the log names the place once."""
    room = make_room()
    names = [f"n/{number}" for number in range(2 * AT_ONCE)]
    road = room._road

    async def below(context: Context) -> Outcome[Any]:
        if str(context.operation.path).endswith(("n/0", "n/5")):
            raise ZeroDivisionError("canary")
        return await road(context)

    room._road = below  # type: ignore[method-assign]

    async def scenario() -> None:
        outcome = await room.ask(batch_of(*names))
        failed = [index for index, result in enumerate(outcome.result) if isinstance(result, Unavailable)]
        assert [0, 5] == failed
        assert len(names) - 2 == len(room.store.reads)

    run(scenario)
    assert ["request_failed"] == [vars(record)["event"] for record in caplog.records]
    assert "canary" not in caplog.text
