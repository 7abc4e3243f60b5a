"""The cache's rules: what is remembered, for how long, and what ends it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from wardgate.spi.errors import (
    Gone,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    SecretNotFound,
    Unavailable,
    VersionNotFound,
    WardgateError,
)
from wardgate.spi.frontend import Wrap
from wardgate.spi.operations.secrets import Ordinal, ReadSecret

from tests.support.cache_room import Room, Store, at

SECOND = 10**9
MakeRoom = Callable[..., Room]


def run(scenario: Any) -> None:
    asyncio.run(scenario())


@pytest.mark.parametrize("embedded", [False, True])
def test_a_read_is_remembered(make_room: MakeRoom, *, embedded: bool) -> None:
    """The second read of a path does not ask the store, and both are counted."""
    room = make_room(embedded=embedded)

    async def scenario() -> None:
        assert [b"one", b"one"] == [await room.read(), await room.read()]

    run(scenario)
    assert ["s/a"] == room.store.reads
    assert [False, True] == room.counted


def test_a_remembered_read_ends_with_its_ttl(make_room: MakeRoom) -> None:
    """60 seconds by default, a tenth more or less: never longer than that."""
    room = make_room()

    async def scenario() -> None:
        await room.read()
        room.clock.pass_seconds(53.9)
        await room.read()
        assert 1 == len(room.store.reads)
        room.clock.pass_seconds(12.2)
        await room.read()
        assert 2 == len(room.store.reads)

    run(scenario)


@pytest.mark.parametrize(("ttl", "after", "asked"), [(2 * SECOND, 1.7, 1), (2 * SECOND, 2.3, 2), (0, 0.0, 2)])
def test_a_mount_sets_its_own_ttl(make_room: MakeRoom, ttl: int, after: float, asked: int) -> None:
    """In nanoseconds; 0 remembers nothing."""
    room = make_room()
    room.mount("root", ttl=ttl)

    async def scenario() -> None:
        await room.read()
        room.clock.pass_seconds(after)
        await room.read()

    run(scenario)
    assert asked == len(room.store.reads)


def test_a_version_that_ends_by_itself_is_not_remembered_longer(make_room: MakeRoom) -> None:
    """Its expiry bounds the entry; one that has passed keeps it out."""
    room = make_room()
    room.store.expires_at = room.clock.now() + 5 * SECOND

    async def scenario() -> None:
        await room.read()
        room.clock.pass_seconds(4)
        await room.read()
        assert 1 == len(room.store.reads)
        room.clock.pass_seconds(1.7)
        await room.read()
        await room.read()
        assert 3 == len(room.store.reads)

    run(scenario)


@pytest.mark.parametrize("fault", [None, OutcomeUnknown("unclear"), Unavailable("down")])
def test_a_change_purges_its_path_in_every_worker(make_room: MakeRoom, fault: WardgateError | None) -> None:
    """Before it is acknowledged, and whatever came of it: an unclear outcome may have changed the store."""
    room = make_room(workers=2)

    async def scenario() -> None:
        assert [b"one", b"one"] == [await room.read(worker=0), await room.read(worker=1)]
        room.store.fault = fault
        with contextlib.nullcontext() if fault is None else pytest.raises(type(fault)):
            await room.write("a", b"two", worker=0)
        room.store.fault = None
        assert [b"two", b"two"] == [await room.read(worker=0), await room.read(worker=1)]

    run(scenario)


def test_a_change_leaves_other_paths_alone(make_room: MakeRoom) -> None:
    """What was not written stays remembered."""
    room = make_room()
    room.store.values["s/b"] = b"b"

    async def scenario() -> None:
        await room.read("b")
        await room.write("a", b"two")
        await room.read("b")

    run(scenario)
    assert ["s/b"] == room.store.reads


def test_versions_are_remembered_apart_and_purged_together(make_room: MakeRoom) -> None:
    """A version's number is part of the key: hashicorp/vault#28137 answered with another version."""
    room = make_room()

    async def scenario() -> None:
        for version in (None, Ordinal(1), Ordinal(2), Ordinal(1)):
            await room.ask(ReadSecret(path=at("a"), version=version))
        assert 3 == len(room.store.reads)
        await room.write("a", b"two")
        await room.ask(ReadSecret(path=at("a"), version=Ordinal(1)))
        assert 4 == len(room.store.reads)

    run(scenario)


@pytest.mark.parametrize("error", [SecretNotFound("none"), VersionNotFound("none"), Gone("gone")])
def test_that_nothing_is_there_is_remembered_for_seconds(make_room: MakeRoom, error: WardgateError) -> None:
    """Five seconds at most, and a write ends it at once."""
    room = make_room()
    room.store.fault = error

    async def read() -> None:
        with pytest.raises(type(error)):
            await room.read()

    async def scenario() -> None:
        await read()
        room.clock.pass_seconds(4.4)
        await read()
        assert 1 == len(room.store.reads)
        room.clock.pass_seconds(0.7)
        await read()
        assert 2 == len(room.store.reads)
        room.store.fault = None
        await room.write("a", b"two")
        assert b"two" == await room.read()

    run(scenario)


@pytest.mark.parametrize("error", [PermissionDenied("no"), Unavailable("down"), RateLimited("slow down")])
def test_refusals_and_outages_are_never_remembered(make_room: MakeRoom, error: WardgateError) -> None:
    """The store is asked each time."""
    room = make_room()
    room.store.fault = error

    async def scenario() -> None:
        for _ in range(2):
            with pytest.raises(type(error)):
                await room.read()

    run(scenario)
    assert 2 == len(room.store.reads)


def test_a_fresh_read_asks_the_store_and_is_remembered(make_room: MakeRoom) -> None:
    """A forced refresh that returned the old value was external-secrets#3312."""
    room = make_room()

    async def scenario() -> None:
        await room.read()
        room.store.values["s/a"] = b"changed behind the gateway's back"
        fresh = await room.ask(ReadSecret(path=at("a"), fresh=True))
        assert b"changed behind the gateway's back" == fresh.result.value.data == await room.read()

    run(scenario)
    assert 2 == len(room.store.reads)


def test_a_ttl_that_is_set_ends_what_was_remembered_under_another(make_room: MakeRoom) -> None:
    """An hour tuned to a second holds from now on, not in an hour."""
    room = make_room()
    room.mount("root", ttl=3_600 * SECOND)

    async def scenario() -> None:
        await room.read()
        room.mount("root", ttl=SECOND)
        await room.read()

    run(scenario)
    assert 2 == len(room.store.reads)


def test_a_wrapped_answer_neither_comes_from_the_cache_nor_enters_it(make_room: MakeRoom) -> None:
    """Its one-time token would be handed out twice."""
    room = make_room()
    wrap = Wrap(60 * SECOND, "s/a", lambda _: b"")

    async def scenario() -> None:
        await room.ask(ReadSecret(path=at("a")), wrap=wrap)
        await room.read()
        await room.ask(ReadSecret(path=at("a")), wrap=wrap)

    run(scenario)
    assert 3 == len(room.store.reads)


def test_a_mount_opened_anew_answers_for_itself(make_room: MakeRoom) -> None:
    """Its options may point to another store: what the old one said is not remembered for it."""
    room = make_room()
    other = Store()

    async def scenario() -> None:
        await room.read()
        room.mount("root", backend=other)
        await room.read()

    run(scenario)
    assert 2 == len(room.store.reads)  # the road here reads one store, whatever is mounted


def test_a_new_worker_lets_all_forget(make_room: MakeRoom) -> None:
    """The one it replaces may have died between a change and its purge."""
    room = make_room(workers=2)

    async def scenario() -> None:
        await room.read(worker=0)
        room.caches[1].forget_everywhere()
        await room.read(worker=0)

    run(scenario)
    assert 2 == len(room.store.reads)
