"""Operations on wrapped answers, at ``sys/wrapping/``: kept for whoever shows their token, once."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A kept answer, instead of the answer. ``ttl`` in nanoseconds, ``created_at`` in Unix nanoseconds.

    ``wrapped_accessor``: of the token inside, when the answer hands one out.
    """

    accessor: str
    ttl: int
    created_at: int
    creation_path: str
    wrapped_accessor: str = ""
    token: str = field(default="", repr=False)
