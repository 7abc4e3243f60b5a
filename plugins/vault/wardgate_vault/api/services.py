"""What the gateway itself offers at ``sys/`` and ``auth/``: a table of routes, and how one is found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from wardgate.spi.operations.methods import RESERVED

from wardgate_vault.api.request import Handler

ONE = "*"
METHOD = "METHOD"
"""In a pattern: the name of a login method, which is none of those that the gateway keeps for itself."""
REST = "**"


class Route(NamedTuple):
    """A path below ``/v1/`` and who answers each verb there.

    In ``pattern``, ``*`` stands for one segment, ``METHOD`` for the name of a login method that can be enabled, and
    ``**`` at its end for any number of segments.
    """

    pattern: tuple[str, ...]
    verbs: Mapping[str, Handler]

    def takes(self, segments: tuple[str, ...]) -> bool:
        """Whether a path is this route's."""
        fixed = self.pattern
        if fixed[-1] == REST:
            fixed = fixed[:-1]
            segments = segments[: len(fixed)]
        return len(fixed) == len(segments) and all(map(_takes, fixed, segments))


def _takes(wanted: str, segment: str) -> bool:
    return wanted in {ONE, segment} or (wanted == METHOD and segment.casefold() not in RESERVED)
