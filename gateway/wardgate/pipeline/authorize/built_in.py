"""The policies every namespace has without writing them."""

from __future__ import annotations

from typing import Final

from wardgate.spi.operations import policies
from wardgate.spi.operations.policies import Effect, Policy, Rule

DEFAULT: Final = Policy(
    policies.DEFAULT,
    (
        Rule(Effect.ALLOW, ("read",), ("auth/token/lookup-self",)),
        Rule(Effect.ALLOW, ("write",), ("auth/token/renew-self", "auth/token/revoke-self")),
        Rule(Effect.ALLOW, ("read",), ("sys/capabilities-self", "sys/internal/mounts")),
        Rule(Effect.ALLOW, ("write",), ("sys/wrapping/wrap", "sys/wrapping/unwrap")),
    ),
    built_in=True,
)
"""Carried by every principal, named or not: its own token, and what it may see."""

ADMINISTRATOR: Final = Policy(policies.ADMINISTRATOR, (Rule(Effect.ALLOW, ("*",), ("**",)),), built_in=True)
"""Everything within its namespace. An explicit deny of another policy still wins."""

BUILT_IN: Final = {policy.name: policy for policy in (DEFAULT, ADMINISTRATOR)}

RESERVED: Final = frozenset({*BUILT_IN, "root"})
"""Names no written policy can take; ``root`` because people would take it for all-powerful."""
