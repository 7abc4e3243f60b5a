"""Single flight: those who miss together, those who leave, and a change in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from wardgate.spi.errors import Unavailable
from wardgate.spi.operations.secrets import ReadSecret

from tests.support.cache_room import Room, at

MakeRoom = Callable[..., Room]


def run(scenario: Any) -> None:
    asyncio.run(scenario())


def test_a_thousand_misses_are_one_call(make_room: MakeRoom) -> None:
    """Those who miss at the same time wait for one fetch."""
    room = make_room()
    room.store.gate = asyncio.Event()

    async def scenario() -> None:
        waiting = [asyncio.create_task(room.read()) for _ in range(1_000)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert room.store.gate is not None
        room.store.gate.set()
        assert {b"one"} == set(await asyncio.gather(*waiting))

    run(scenario)
    assert ["s/a"] == room.store.reads


def test_one_waiter_that_leaves_does_not_end_the_others(make_room: MakeRoom) -> None:
    """Not even the one whose miss began the fetch."""
    room = make_room()
    room.store.gate = asyncio.Event()

    async def scenario() -> None:
        first, second = asyncio.create_task(room.read()), asyncio.create_task(room.read())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        assert room.store.gate is not None
        room.store.gate.set()
        assert b"one" == await second
        with pytest.raises(asyncio.CancelledError):
            await first

    run(scenario)
    assert ["s/a"] == room.store.reads


def test_the_last_waiter_that_leaves_ends_the_fetch(make_room: MakeRoom) -> None:
    """Nobody is left to ask for; who comes then begins anew, even before the old one has ended."""
    room = make_room()
    room.store.gate = asyncio.Event()

    async def scenario() -> None:
        waiters = [asyncio.create_task(room.read()) for _ in range(3)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for waiter in waiters:
            waiter.cancel()
        anew = asyncio.create_task(room.read())
        ended = await asyncio.gather(*waiters, return_exceptions=True)
        assert [asyncio.CancelledError] * 3 == [type(one) for one in ended]
        assert room.store.gate is not None
        room.store.gate.set()
        assert b"one" == await anew

    run(scenario)
    assert ["s/a"] * 2 == room.store.reads


def test_a_waiter_waits_no_longer_than_its_own_deadline(make_room: MakeRoom) -> None:
    """A fetch that takes longer goes on for those who have more time."""
    room = make_room()
    room.store.gate = asyncio.Event()

    async def scenario() -> None:
        patient = asyncio.create_task(room.read())
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await room.read(seconds=0.0)
        assert room.store.gate is not None
        room.store.gate.set()
        assert b"one" == await patient

    run(scenario)


def test_a_failed_fetch_fails_all_who_waited_and_is_not_remembered(make_room: MakeRoom) -> None:
    """An outage is asked about again."""
    room = make_room()
    room.store.fault = Unavailable("down")

    async def scenario() -> None:
        found = await asyncio.gather(*(room.read() for _ in range(3)), return_exceptions=True)
        assert [Unavailable] * 3 == [type(error) for error in found]
        room.store.fault = None
        assert b"one" == await room.read()

    run(scenario)


def test_what_was_fetched_before_a_change_is_not_remembered_after_it(make_room: MakeRoom) -> None:
    """A slow answer from before the change reaches the one who asked for it, and nobody else."""
    room = make_room()
    room.store.gate = asyncio.Event()

    async def scenario() -> None:
        slow = asyncio.create_task(room.read())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await room.write("a", b"two")
        later = asyncio.create_task(room.read())
        await asyncio.sleep(0)
        assert room.store.gate is not None
        room.store.gate.set()
        assert [b"one", b"two"] == [await slow, await later]
        assert b"two" == await room.read()

    run(scenario)


def test_a_fresh_read_does_not_join_a_fetch_begun_before_it(make_room: MakeRoom) -> None:
    """What was asked before may be older than what the caller knows to stand there."""
    room = make_room()
    room.store.gate = asyncio.Event()

    async def scenario() -> None:
        first = asyncio.create_task(room.read())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        room.store.values["s/a"] = b"changed behind the gateway's back"
        fresh = asyncio.create_task(room.ask(ReadSecret(path=at("a"), fresh=True)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert room.store.gate is not None
        room.store.gate.set()
        assert b"one" == await first
        assert b"changed behind the gateway's back" == (await fresh).result.value.data

    run(scenario)
