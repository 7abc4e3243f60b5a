"""How long what a mount or a login method gives may live, as its configuration says it on the wire."""

from __future__ import annotations

from wardgate.spi.errors import InvalidValue

from wardgate_vault.api import wire
from wardgate_vault.durations import parse_duration, whole_seconds

SYSTEM_LEASE = 2_764_800
"""Seconds, 32 days: what Vault shows where nothing is set."""
_NAMES = ("default_lease_ttl", "max_lease_ttl")


def asked(config: wire.MountConfig) -> dict[str, int]:
    """What of it is given, in nanoseconds; ``system`` is 0. Raises InvalidValue."""
    ttls = {name: getattr(config, name) for name in _NAMES}
    return {
        name: 0 if ttl == "system" else parse_duration(ttl, field=name)
        for name, ttl in ttls.items()
        if ttl not in {None, ""}
    }


def first(config: wire.MountConfig) -> dict[str, int]:
    """The same, of what is made anew. Raises InvalidValue."""
    ttls = asked(config)
    default, longest = (ttls.get(name, 0) for name in _NAMES)
    if longest and default > longest:
        raise InvalidValue("given default lease TTL greater than given max lease TTL")
    return ttls


def kept(default: int, longest: int) -> dict[str, object]:
    """As it is shown of a mount or method: 0 where nothing is set."""
    return dict(zip(_NAMES, map(whole_seconds, (default, longest)), strict=True))


def effective(default: int, longest: int) -> dict[str, object]:
    """As it is shown where it is tuned."""
    return {name: ttl or SYSTEM_LEASE for name, ttl in kept(default, longest).items()}
