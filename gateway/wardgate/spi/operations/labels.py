"""Operations on labels of paths, at ``sys/labels/<path>``: what conditions of policies read, and no store holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wardgate.spi.operations.base import Action, Operation
from wardgate.spi.path import Path

LABELS = Path(("sys", "labels"))
MAX_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Labelled:
    """A path, and the labels set at it."""

    path: Path
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LabelsPage:
    """Some of the labelled paths of a namespace, in order. ``after``: where the next page begins; None: the last."""

    items: tuple[Labelled, ...]
    after: Path | None = None


@dataclass(frozen=True, slots=True)
class LabelsInfo:
    """The labels of one path: ``own`` are set at it; ``effective`` has each label's value and the path it is set at."""

    path: Path
    own: Mapping[str, str]
    effective: Mapping[str, tuple[str, Path]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListLabels(Operation[LabelsPage]):
    """The labelled paths of the namespace behind ``after``, at most ``limit`` of them (1 to 1,000)."""

    action = Action.LIST
    folder = True
    path: Path = LABELS
    after: Path | None = None
    limit: int = MAX_PAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLabels(Operation[LabelsInfo]):
    """The labels of one path, those of its ancestors among them; ``path`` is ``sys/labels/<path>``."""

    action = Action.READ


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLabels(Operation[LabelsInfo]):
    """Set labels at one path; None takes one away. What is not named stays. ``path`` is ``sys/labels/<path>``."""

    action = Action.MANAGE
    mutates = True
    changes: Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveLabels(Operation[None]):
    """Take away all labels set at one path; ``path`` is ``sys/labels/<path>``."""

    action = Action.MANAGE
    mutates = True
