"""What the gateway itself offers at ``sys/`` and ``auth/``: a table of routes, and how one is found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from wardgate_vault.api.request import Handler

ONE = "*"
REST = "**"


class Route(NamedTuple):
    """A path below ``/v1/`` and who answers each verb there.

    In ``pattern``, ``*`` stands for one segment, and ``**`` at its end for any number of them.
    """

    pattern: tuple[str, ...]
    verbs: Mapping[str, Handler]

    def takes(self, segments: tuple[str, ...]) -> bool:
        """Whether a path is this route's."""
        fixed = self.pattern
        if fixed[-1] == REST:
            fixed = fixed[:-1]
            segments = segments[: len(fixed)]
        return len(fixed) == len(segments) and all(
            wanted in {ONE, segment} for wanted, segment in zip(fixed, segments, strict=True)
        )
