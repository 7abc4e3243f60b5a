"""The epochs: seen by every process at once, never lost, never somebody else's by accident."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardgate.server.epochs import FIXED, HASHED_SLOTS, Epochs, LocalEpochs, SharedEpochs

KEYS = st.lists(st.text(max_size=20), min_size=1, max_size=4)


@pytest.mark.parametrize("make", [LocalEpochs, SharedEpochs.create])
def test_a_bump_changes_its_epoch_and_no_other(make: type[LocalEpochs]) -> None:
    """Two keys keep their epochs apart."""
    epochs: Epochs = make()
    mine, other = epochs.slot("policies", "a"), epochs.slot("namespaces")
    before = epochs.read(mine), epochs.read(other)
    epochs.bump(mine)
    assert before[0] != epochs.read(mine)
    assert before[1] == epochs.read(other)


def test_a_bump_in_a_forked_process_is_seen_here() -> None:
    """The page is shared, not copied, by a fork."""
    epochs = SharedEpochs.create()
    slot = epochs.slot("secret", "mount", "a/b")
    before = epochs.read(slot)
    child = os.fork()
    if child == 0:
        epochs.bump(slot)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert before != epochs.read(slot)


def test_no_epoch_returns() -> None:
    """10,000 bumps give 10,000 numbers: a reader that slept through some still sees a change."""
    epochs = SharedEpochs.create()
    seen = set()
    for _ in range(10_000):
        epochs.bump(0)
        seen.add(epochs.read(0))
    assert len(seen) == 10_000


@given(KEYS)
def test_a_key_keeps_its_slot_and_never_takes_a_fixed_one(key: list[str]) -> None:
    """Slots depend on the key alone, and the fixed ones belong to their kinds."""
    epochs = SharedEpochs.create()
    kind, *rest = key
    slot = epochs.slot(kind, *rest)
    assert slot == epochs.slot(kind, *rest)
    if key not in [[fixed] for fixed in FIXED]:
        assert len(FIXED) <= slot < len(FIXED) + HASHED_SLOTS


def test_joined_keys_are_not_the_same_key() -> None:
    """Parts are hashed with their lengths: ("a", "bc") and ("ab", "c") differ."""
    epochs = SharedEpochs.create()
    assert epochs.slot("secret", "a", "bc") != epochs.slot("secret", "ab", "c")


def test_fixed_kinds_have_their_own_slots() -> None:
    """One fixed slot per kind."""
    epochs = SharedEpochs.create()
    assert [epochs.slot(kind) for kind in FIXED] == list(range(len(FIXED)))
