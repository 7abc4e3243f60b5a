"""The cache and batches: each item is remembered, purged and refused as if it stood alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wardgate.batch_budget import MAX_READ
from wardgate.context import Context
from wardgate.spi.errors import (
    PermissionDenied,
    SecretNotFound,
    WardgateError,
)
from wardgate.spi.frontend import Outcome
from wardgate.spi.operations.base import Action, Batch
from wardgate.spi.operations.secrets import DeleteSecret, ReadSecret, ReadSecrets, WriteSecret, WriteSecrets
from wardgate.spi.values import SecretVersion, Value

from tests.support.cache_room import DECISION, Room, at

SECOND = 10**9
MakeRoom = Callable[..., Room]


def run(scenario: Any) -> None:
    asyncio.run(scenario())


def test_a_batch_of_writes_purges_each_path(make_room: MakeRoom) -> None:
    """No item is forgotten."""
    room = make_room()
    room.store.values["s/b"] = b"b"
    batch = WriteSecrets(items=tuple(WriteSecret(path=at(name), value=Value(b"new")) for name in "ab"))

    async def scenario() -> None:
        await room.read("a")
        await room.read("b")
        await room.ask(batch)
        assert [b"new", b"new"] == [await room.read("a"), await room.read("b")]

    run(scenario)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSecrets(Batch[None]):
    """A batch that this layer has never heard of."""

    action = Action.DELETE
    mutates = True


def test_any_batch_that_changes_purges_each_path(make_room: MakeRoom) -> None:
    """Known by what it declares, and not by its name."""
    room = make_room()
    room.store.values["s/b"] = b"b"

    async def scenario() -> None:
        before = [await room.read("a"), await room.read("b")]
        await room.ask(EndSecrets(items=tuple(DeleteSecret(path=at(name)) for name in "ab")))
        assert before == [await room.read("a"), await room.read("b")]

    run(scenario)
    assert 2 == room.store.reads.count("s/a") == room.store.reads.count("s/b")


def test_a_batch_asks_only_for_what_is_not_remembered(make_room: MakeRoom) -> None:
    """Denied items are neither answered from memory nor asked for as allowed ones; the order is kept."""
    room = make_room()
    room.store.values |= {"s/b": b"b", "s/c": b"c"}
    batch = ReadSecrets(items=tuple(ReadSecret(path=at(name)) for name in ("a", "b", "none", "c")))

    async def scenario() -> None:
        await room.read("a")
        first = await room.ask(batch)
        assert [b"one", b"b", SecretNotFound, b"c"] == [shown(item) for item in first.result]
        assert ["s/a", "s/b", "s/none", "s/c"] == room.store.reads
        second = await room.ask(batch)
        assert [b"one", b"b", SecretNotFound, b"c"] == [shown(item) for item in second.result]
        assert 4 == len(room.store.reads)
        assert b"b" == await room.read("b")
        assert 4 == len(room.store.reads)

    run(scenario)


def test_a_denied_item_of_a_batch_gets_nothing_that_is_remembered(make_room: MakeRoom) -> None:
    """The layer below refuses it; here it is passed on with its denial beside it."""
    room = make_room()
    batch = ReadSecrets(items=(ReadSecret(path=at("a")), ReadSecret(path=at("a"))))
    seen: list[Any] = []

    async def scenario() -> None:
        await room.read("a")

        async def below(context: Any) -> Outcome[Any]:
            seen.append((context.operation.items, context.decisions))
            return Outcome((PermissionDenied("no"),))

        room._road = below  # type: ignore[method-assign]
        outcome = await room.ask(batch, decisions=(None, DECISION))
        assert [PermissionDenied, b"one"] == [shown(item) for item in outcome.result]

    run(scenario)
    assert [((batch.items[0],), (None,))] == seen


def test_a_half_remembered_batch_brings_no_more_than_any(make_room: MakeRoom) -> None:
    """What came from memory counts for the layer below too."""
    room = make_room(embedded=True)
    room.store.values["s/a"] = b"x" * (MAX_READ // 16)
    spent = []

    async def below(context: Context) -> Outcome[Any]:
        spent.append(context.budget.spent)
        return Outcome((SecretNotFound(),))

    async def scenario() -> None:
        await room.read("a")
        room._road = below  # type: ignore[method-assign]
        for times in (15, 16):
            items = [*([ReadSecret(path=at("a"))] * times), ReadSecret(path=at(f"none-{times}"))]
            await room.ask(ReadSecrets(items=tuple(items)))

    run(scenario)
    assert [False, True] == spent


def shown(item: SecretVersion | WardgateError) -> Any:
    return item.value.data if isinstance(item, SecretVersion) else type(item)
