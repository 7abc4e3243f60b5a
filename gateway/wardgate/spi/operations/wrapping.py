"""Operations on wrapped answers, at ``sys/wrapping/``: kept for whoever shows their token, once.

Any front-end can open what another wrapped: a payload is a JSON object that has the answer as an object at ``data``, or
else is, as a whole, what its front-end answers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from wardgate.spi.operations.base import Action, Operation
from wardgate.spi.path import Path

WRAPPING = Path(("sys", "wrapping"))
WRAP = WRAPPING.child("wrap")
MAX_TTL = 32 * 86_400 * 10**9
"""The longest an answer is kept, in nanoseconds."""


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


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """What was kept, once: ``payload`` is what :class:`wardgate.spi.frontend.Wrap` encoded."""

    kept: Wrapped
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapData(Operation[bytes]):
    """Give ``data`` back as it is; asked with a :class:`wardgate.spi.frontend.Wrap`, it is kept instead.

    Refused without one: it is of no other use.
    """

    action = Action.WRITE
    path: Path = WRAP
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupWrapping(Operation[Wrapped]):
    """Where does a kept answer come from, and since when is it kept? Needs no credential, and uses nothing up."""

    action = Action.READ
    anonymous = True
    path: Path = WRAPPING.child("lookup")
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwrap(Operation[Unwrapped]):
    """Take a kept answer: one caller gets it, once. Raises InvalidValue, always alike, when there is none."""

    action = Action.WRITE
    mutates = True
    path: Path = WRAPPING.child("unwrap")
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnwrapOwn(Unwrap):
    """The same, by somebody who shows nothing but the wrapping token: holding it is all the leave there is."""

    anonymous = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrap(Operation[Wrapped]):
    """Keep an answer under a new token, for as long again; the old token ends with it."""

    action = Action.WRITE
    mutates = True
    path: Path = WRAPPING.child("rewrap")
    token: str = field(repr=False)
