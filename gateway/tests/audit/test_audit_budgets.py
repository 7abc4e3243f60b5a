"""The bounds on what callers without a grant make the audit write."""

from __future__ import annotations

from typing import Any

import pytest
from wardgate.pipeline.audit.budgets import OTHERS, SUBJECTS, Budget, network_of


def test_a_source_has_its_burst_then_its_rate(audited: Any) -> None:
    """Tokens come back with time, one after a fifth of a second."""
    budget = Budget(audited.clock, rate=1, burst=3)
    assert [True, True, True, False] == [budget.admit("a") for _ in range(4)]
    audited.clock.seconds += 2
    assert [True, True, False] == [budget.admit("a") for _ in range(3)]
    assert budget.admit("b")


def test_all_sources_together_have_a_bound(audited: Any) -> None:
    """A swarm of addresses gets eight times what one gets."""
    budget = Budget(audited.clock, rate=1, burst=3)
    assert 24 == sum(budget.admit(f"10.0.0.{number}") for number in range(100))


def test_the_table_is_bounded(audited: Any) -> None:
    """What does not fit is counted under one name."""
    budget = Budget(audited.clock, rate=1, burst=3)
    for number in range(3 * SUBJECTS):
        budget.count(f"10.0.{number >> 8}.{number & 255}")
    counted = {each.subject: each.count for each in budget.harvest()}
    assert (SUBJECTS + 1, 2 * SUBJECTS) == (len(counted), counted[OTHERS])


def test_a_window_ends_with_its_harvest(audited: Any) -> None:
    """Counts start again, and say since when they counted."""
    budget = Budget(audited.clock, rate=1, burst=3)
    budget.count("a")
    (counted,) = budget.harvest()
    assert ("a", 1, audited.clock.now()) == (counted.subject, counted.count, counted.since)
    assert () == budget.harvest()


def test_counts_add_up_since_the_first(audited: Any) -> None:
    """What could not be written comes back, with its time."""
    budget = Budget(audited.clock, rate=1, burst=3)
    budget.count("a")
    budget.count("a", 5, since=7)
    budget.count("a")
    (counted,) = budget.harvest()
    assert (7, 7) == (counted.count, counted.since)


def test_yesterdays_swarm_takes_nobodys_place(audited: Any) -> None:
    """A full table forgets the subjects whose bucket is full again, so that a newcomer has a bucket of his own."""
    budget = Budget(audited.clock, rate=1, burst=3, together=SUBJECTS)
    for number in range(2 * SUBJECTS):
        budget.admit(f"10.0.{number >> 8}.{number & 255}")
    assert not budget.admit("a")
    audited.clock.seconds += 2
    assert [True, True, True, False] == [budget.admit("a") for _ in range(4)]


def test_what_is_given_back_is_not_missed(audited: Any) -> None:
    """By the subject, and by all together."""
    budget = Budget(audited.clock, rate=1, burst=1, together=1)
    for _ in range(3):
        assert budget.admit("a")
        budget.refund("a")
    assert budget.admit("b")
    assert not budget.admit("a")


@pytest.mark.parametrize(
    ("source", "network"),
    [
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8:0:0:ffff::2", "2001:db8::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("not:an:address", "not:an:address"),
        ("192.0.2.1", "192.0.2.1"),
    ],
)
def test_an_ipv6_network_is_one_source(source: str, network: str) -> None:
    """Nobody gets a fresh bucket by counting up his own addresses."""
    assert network == network_of(source)
