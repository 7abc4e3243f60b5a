"""An operation: a request without its wire, and what every operation declares of itself."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from wardgate.spi.errors import WardgateError
from wardgate.spi.path import ROOT, Path

R = TypeVar("R", covariant=True)  # noqa: PLC0105  # the result an operation yields; a short name reads best


class Action(enum.StrEnum):
    """What a rule allows or denies."""

    READ = "read"
    DESCRIBE = "describe"
    LIST = "list"
    WRITE = "write"
    ANNOTATE = "annotate"
    DELETE = "delete"
    UNDELETE = "undelete"
    DESTROY = "destroy"
    ROTATE = "rotate"
    MANAGE = "manage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[R]):
    """Base of all operations. ``path`` is from the root of the namespace: a mount's prefix and what is below it.

    ``anonymous`` operations skip identity and policy, never the audit. ``mutates`` decides whether ``begin`` writes a
    request record first. ``folder``: the path names a folder, so that ``a/**`` covers ``a`` itself.
    """

    action: ClassVar[Action]
    anonymous: ClassVar[bool] = False
    audited: ClassVar[bool] = True
    mutates: ClassVar[bool] = False
    folder: ClassVar[bool] = False

    path: Path

    @classmethod
    def name(cls) -> str:
        """The stable name the audit and traces use."""
        return cls.__name__


MAX_TEXT = 1_024
"""Characters of a text for people, such as a description."""
MAX_ITEMS = 1_000
"""Items of one batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(Operation[tuple[R | WardgateError, ...]], Generic[R]):
    """Several operations of one kind in one request and one audit record.

    Each item is decided and done for itself; the result has an outcome or an error for each, in order.
    """

    path: Path = ROOT
    items: tuple[Operation[R], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected(Operation[None]):
    """What a front-end could not translate. It enters the road to be audited, and always ends in ``error``."""

    action = Action.READ
    anonymous = True

    path: Path = ROOT
    error: WardgateError
