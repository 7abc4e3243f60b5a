"""The bound on what callers without a principal make the audit write."""

from __future__ import annotations

from typing import Any

import pytest
from wardgate.pipeline.audit.anonymous import OTHERS, SOURCES, Anonymous, network_of


def test_a_source_has_its_burst_then_its_rate(audited: Any) -> None:
    """Tokens come back with time, one after a fifth of a second."""
    anonymous = Anonymous(audited.clock, rate=1, burst=3)
    assert [True, True, True, False] == [anonymous.admit("a") for _ in range(4)]
    audited.clock.seconds += 2
    assert [True, True, False] == [anonymous.admit("a") for _ in range(3)]
    assert anonymous.admit("b")


def test_all_sources_together_have_a_bound(audited: Any) -> None:
    """A swarm of addresses gets eight times what one gets."""
    anonymous = Anonymous(audited.clock, rate=1, burst=3)
    assert 24 == sum(anonymous.admit(f"10.0.0.{number}") for number in range(100))


def test_the_table_is_bounded(audited: Any) -> None:
    """What does not fit is counted under one name."""
    anonymous = Anonymous(audited.clock, rate=1, burst=3)
    for number in range(3 * SOURCES):
        anonymous.count(f"10.0.{number >> 8}.{number & 255}")
    counted = {each.source: each.count for each in anonymous.harvest()}
    assert (SOURCES + 1, 2 * SOURCES) == (len(counted), counted[OTHERS])


def test_a_window_ends_with_its_harvest(audited: Any) -> None:
    """Counts start again, and say since when they counted."""
    anonymous = Anonymous(audited.clock, rate=1, burst=3)
    anonymous.count("a")
    (counted,) = anonymous.harvest()
    assert ("a", 1, audited.clock.now()) == (counted.source, counted.count, counted.since)
    assert () == anonymous.harvest()


@pytest.mark.parametrize(
    ("source", "network"),
    [
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8:0:0:ffff::2", "2001:db8::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("not:an:address", "not:an:address"),
    ],
)
def test_an_ipv6_network_is_one_source(source: str, network: str) -> None:
    """Nobody gets a fresh bucket by counting up his own addresses."""
    assert network == network_of(source)
