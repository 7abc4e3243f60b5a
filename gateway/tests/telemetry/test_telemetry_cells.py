"""The shared page: what one process counts, any other reads; nothing is lost when a process ends."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st
from wardgate.telemetry.cells import MOST_NUMBERS, PART_BYTES, Page

NAMES = st.binary(min_size=1, max_size=200)


@given(groups=st.dictionaries(NAMES, st.lists(st.floats(allow_nan=False), min_size=1, max_size=MOST_NUMBERS)))
def test_what_was_counted_is_read(groups: dict[bytes, list[float]]) -> None:
    """Every group by its name, with its numbers, whatever the names look like."""
    page = Page(2)
    part = page.part(1)
    for name, numbers in groups.items():
        at = part.group(name, len(numbers))
        for index, number in enumerate(numbers):
            part.numbers[at + index] = number
    assert groups == dict(page.part(1).read())
    assert {} == dict(page.part(0).read())


def test_a_group_begins_at_zero_and_stays_where_it_is() -> None:
    """Asked for again, it is the same."""
    part = Page(1).part(0)
    first, second = part.group(b"a", 3), part.group(b"b")
    assert (first, second) == (part.group(b"a", 3), part.group(b"b"))
    assert [(b"a", [0.0, 0.0, 0.0]), (b"b", [0.0])] == list(part.read())


def test_another_process_s_numbers_are_seen_and_outlive_it() -> None:
    """A worker that is killed leaves what it counted, and the next one in its part goes on."""
    page = Page(1)
    child = os.fork()
    if child == 0:
        part = page.part(0)
        part.numbers[part.group(b"requests")] += 41.0
        os._exit(0)
    os.waitpid(child, 0)
    part = page.part(0)
    part.numbers[part.group(b"requests")] += 1.0
    assert [(b"requests", [42.0])] == list(page.part(0).read())


def test_half_a_group_that_a_killed_process_left_is_written_over() -> None:
    """Its bytes never become another group's numbers."""
    part = Page(1).part(0)
    part._memory[part._used[0] :] = b"\x41" * (PART_BYTES - part._used[0])
    part.group(b"a", 3)
    assert [(b"a", [0.0, 0.0, 0.0])] == list(part.read())


def test_a_full_part_loses_counts_and_nothing_else() -> None:
    """What does not fit is counted where nobody reads; what was there stays right."""
    part = Page(1).part(0)
    first = part.group(b"first")
    for number in range(PART_BYTES // 100):
        at = part.group(b"%0100d" % number, MOST_NUMBERS)
        for index in range(MOST_NUMBERS):
            part.numbers[at + index] += 1.0
    part.numbers[first] += 1.0
    read = dict(part.read())
    assert [1.0] == read[b"first"]
    assert {(1.0,) * MOST_NUMBERS} == {tuple(numbers) for name, numbers in read.items() if name != b"first"}
    assert len(read) < PART_BYTES // 100
