"""Networks that a credential is bound to, and whether an address lies in one."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

from wardgate.spi.errors import InvalidValue

MAX_NETWORKS = 64
_LONGEST = 64
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def check_networks(what: str, given: Iterable[str]) -> tuple[str, ...]:
    """The networks as they were given, once each; an address alone is the network of that address.

    Raises:
        InvalidValue: one is neither, or there are more than 64.
    """
    networks = tuple(dict.fromkeys(text.strip() for text in given))
    if len(networks) > MAX_NETWORKS:
        raise InvalidValue(f"{what}: name at most {MAX_NETWORKS} networks")
    for text in networks:
        if _parsed(text) is None:
            raise InvalidValue(f"{what}: {text[:_LONGEST]!r} is no address and no network in CIDR notation")
    return networks


@lru_cache(maxsize=4_096)
def within(source: str, networks: tuple[str, ...]) -> bool:
    """Whether the address ``source`` lies in one of the networks; never for what is no address.

    An IPv4 address that a socket shows as IPv6 (``::ffff:10.0.0.1``) counts as the IPv4 address it is.
    """
    address = _address(source)
    if address is None:
        return False
    return any((network := _parsed(text)) is not None and address in network for text in networks)


def is_address(text: str) -> bool:
    """Whether this is an IPv4 or IPv6 address."""
    return _address(text) is not None


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it; names other than localhost count as reachable."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def only(source: str) -> str:
    """The network of this address alone; of what is no address, one that nothing lies in."""
    return str(_address(source) or "")


def covered(inner: Iterable[str], outer: tuple[str, ...]) -> bool:
    """Whether each network of ``inner`` lies whole in one of ``outer``; an empty ``outer`` covers all."""
    return not outer or all(any(_inside(one, other) for other in outer) for one in inner)


def _address(source: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(source.partition("%")[0])
    except ValueError:
        return None
    return (isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped) or address


def _inside(one: str, other: str) -> bool:
    a, b = _parsed(one), _parsed(other)
    if isinstance(a, ipaddress.IPv4Network) and isinstance(b, ipaddress.IPv4Network):
        return a.subnet_of(b)
    if isinstance(a, ipaddress.IPv6Network) and isinstance(b, ipaddress.IPv6Network):
        return a.subnet_of(b)
    return False


def _parsed(text: str) -> _Network | None:
    if len(text) > _LONGEST:
        return None
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
