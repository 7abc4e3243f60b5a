"""Endpoints of labels of paths, which conditions of policies read."""

from __future__ import annotations

from typing import Annotated

import msgspec
from wardgate.spi.frontend import Outcome
from wardgate.spi.operations.base import Operation
from wardgate.spi.operations.labels import (
    LABELS,
    MAX_PAGE,
    ChangeLabels,
    LabelsInfo,
    LabelsPage,
    ListLabels,
    ReadLabels,
    RemoveLabels,
)
from wardgate.spi.path import Path

from wardgate_native.api.routing import Call, Route
from wardgate_native.api.secrets import no_content
from wardgate_native.api.wire import Answer, Body, PathText


class LabelsQuery(msgspec.Struct, kw_only=True):
    """Which page: the labelled paths behind ``after``."""

    after: PathText | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_PAGE)] = MAX_PAGE


class LabelledPath(msgspec.Struct, kw_only=True):
    """A path, and the labels set at it."""

    path: str
    labels: dict[str, str]


class LabelledPaths(msgspec.Struct, kw_only=True):
    """One page of labelled paths. ``after``: for the next page; null: this is the last."""

    items: list[LabelledPath]
    after: str | None


class EffectiveLabel(msgspec.Struct, kw_only=True):
    """A label's value, and the path it is set at: the path asked for, or the nearest ancestor that sets it."""

    value: str
    set_at: str


class PathLabels(msgspec.Struct, kw_only=True):
    """The labels of a path: those set at it, and all that hold for it."""

    path: str
    labels: dict[str, str]
    effective: dict[str, EffectiveLabel]


class LabelsChange(Body):
    """The labels to set; null takes one away. What is not named stays."""

    labels: Annotated[dict[str, str | None], msgspec.Meta(min_length=1)]


def _list(call: Call) -> Operation[LabelsPage]:
    query: LabelsQuery = call.query
    after = None if query.after is None else Path.parse(query.after)
    return ListLabels(after=after, limit=query.limit)


def _change(call: Call) -> Operation[LabelsInfo]:
    body: LabelsChange = call.body
    return ChangeLabels(path=LABELS.joined(call.path), changes=body.labels)


def _page_answer(outcome: Outcome[LabelsPage]) -> Answer:
    page = outcome.result
    items = [LabelledPath(path=str(item.path), labels=dict(item.labels)) for item in page.items]
    return Answer(LabelledPaths(items=items, after=None if page.after is None else str(page.after)))


def _info_answer(outcome: Outcome[LabelsInfo]) -> Answer:
    info = outcome.result
    effective = {name: EffectiveLabel(value=value, set_at=str(at)) for name, (value, at) in info.effective.items()}
    return Answer(PathLabels(path=str(info.path), labels=dict(info.own), effective=effective))


ROUTES = (
    Route(
        method="GET", pattern="labels", summary="The labelled paths of the namespace.", query=LabelsQuery,
        response=LabelledPaths, operation=_list, answer=_page_answer,
    ),
    Route(
        method="GET", pattern="labels/{path}", summary="The labels of one path.", response=PathLabels,
        operation=lambda call: ReadLabels(path=LABELS.joined(call.path)), answer=_info_answer,
    ),
    Route(
        method="PATCH", pattern="labels/{path}", summary="Set labels at a path, or take some away.",
        request=LabelsChange, response=PathLabels, operation=_change, answer=_info_answer,
    ),
    Route(
        method="DELETE", pattern="labels/{path}", summary="Take away all labels set at a path.",
        operation=lambda call: RemoveLabels(path=LABELS.joined(call.path)), answer=no_content,
    ),
)  # fmt: skip
