"""Networks: what is one, what lies within, what covers what."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardgate.spi.errors import InvalidValue
from wardgate.spi.networks import MAX_NETWORKS, check_networks, covered, within


@pytest.mark.parametrize(
    ("source", "networks", "inside"),
    [
        ("10.1.2.3", ("10.0.0.0/8",), True),
        ("10.1.2.3", ("10.1.2.3",), True),
        ("10.1.2.3", ("10.1.2.4/24",), True),
        ("::ffff:10.1.2.3", ("10.0.0.0/8",), True),
        ("fe80::1%eth0", ("fe80::/10",), True),
        ("::1", ("10.0.0.0/8", "::1/128"), True),
        ("11.1.2.3", ("10.0.0.0/8",), False),
        ("10.1.2.3", ("::/0",), False),
        ("::1", ("0.0.0.0/0",), False),
        ("10.1.2.3", (), False),
        ("10.1.2.3", ("nowhere",), False),
        ("", ("0.0.0.0/0", "::/0"), False),
        ("010.1.2.3", ("0.0.0.0/0",), False),
        ("10.1.2.3 ", ("0.0.0.0/0",), False),
        ("0x0a010203", ("0.0.0.0/0",), False),
    ],
)
def test_an_address_lies_within(source: str, networks: tuple[str, ...], inside: bool) -> None:  # noqa: FBT001  # a column
    """What is no address lies nowhere."""
    assert inside == within(source, networks)


@pytest.mark.parametrize("text", ["", "x", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0", "::/129", "1" * 65, "10.0.0.0/8/8"])
def test_what_is_no_network_is_refused(text: str) -> None:
    """With the name of the field."""
    with pytest.raises(InvalidValue, match=r"^bounds: "):
        check_networks("bounds", [text])


def test_networks_are_kept_as_given_and_bounded() -> None:
    """Once each."""
    assert ("10.0.0.1/8", "::1") == check_networks("bounds", ["10.0.0.1/8", " ::1", "10.0.0.1/8"])
    with pytest.raises(InvalidValue, match="at most 64"):
        check_networks("bounds", [f"10.0.0.{number}" for number in range(MAX_NETWORKS + 1)])


@given(st.ip_addresses(v=4), st.integers(0, 32), st.integers(0, 32))
def test_what_covers_holds_all_that_is_covered(address: ipaddress.IPv4Address, one: int, other: int) -> None:
    """A longer prefix of the same address lies in the shorter, and never the other way round."""
    longer, shorter = max(one, other), min(one, other)
    assert covered([f"{address}/{longer}"], (f"{address}/{shorter}",))
    assert covered([f"{address}/{shorter}"], (f"{address}/{longer}",)) == (longer == shorter)
    assert within(str(address), (f"{address}/{longer}",))
    assert not covered([f"{address}/{longer}"], ("::/0",))
    assert covered([f"{address}/{longer}"], ())
