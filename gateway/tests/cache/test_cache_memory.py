"""What fits into the cache, and who gives way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from wardgate.pipeline.cache.memory import SHARE, Entry, Limits, Memory
from wardgate.spi.errors import SecretNotFound

from tests.support.cache_room import ROOMY

NOTHING = SecretNotFound()


def entry(size: int = 10) -> Entry:
    return Entry(NOTHING, None, None, 0, 0, 0.0, size)


def key(number: int) -> tuple[str, tuple[str, ...], None]:
    return ("m", (str(number),), None)


def test_the_oldest_gives_way() -> None:
    """The least recently used one: what was asked for again stays."""
    memory = Memory(Limits(3, ROOMY.size))
    for number in range(3):
        memory.put("n", key(number), entry())
    assert memory.get("n", key(0))
    memory.put("n", key(3), entry())
    assert [True, False, True, True] == [memory.get("n", key(number)) is not None for number in range(4)]


def test_an_entry_larger_than_a_share_is_not_kept() -> None:
    """One secret must not empty the cache."""
    memory = Memory(Limits(ROOMY.entries, 400))
    memory.put("n", key(0), entry(101))
    assert memory.get("n", key(0)) is None
    assert 0 == memory.size


def test_the_same_key_is_kept_once() -> None:
    """A second answer replaces the first, in the count and in the bytes."""
    memory = Memory(ROOMY)
    memory.put("n", key(0), entry(10))
    memory.put("n", key(0), entry(30))
    assert (1, 30) == (memory.count, memory.size)


def test_one_namespace_cannot_push_out_the_others() -> None:
    """Whoever fills the cache gives way itself; beside others it comes down to a quarter."""
    memory = Memory(Limits(100, ROOMY.size))
    for number in range(10):
        memory.put("quiet", key(number), entry())
    for number in range(1_000):
        memory.put("greedy", key(number), entry())
    assert all(memory.get("quiet", key(number)) for number in range(10))
    assert 25 == sum(memory.get("greedy", key(number)) is not None for number in range(1_000))


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30), st.integers(1, 60)), max_size=200),
    st.integers(1, 12),
    st.integers(20, 400),
)
def test_the_bounds_hold_whatever_comes(puts: list[tuple[str, int, int]], entries: int, size: int) -> None:
    """After each insertion: number, bytes and the sums agree, and what was just put is there or did not fit."""
    memory = Memory(Limits(entries, size))
    kept: dict[tuple[str, int], int] = {}
    for namespace, number, weight in puts:
        memory.put(namespace, key(number), entry(weight))
        kept[namespace, number] = weight
        there = {(tenant, other): weighs for (tenant, other), weighs in kept.items() if memory.get(tenant, key(other))}
        assert memory.count == len(there) <= entries
        assert memory.size == sum(there.values()) <= size
        assert weight <= size // SHARE or (namespace, number) not in there
