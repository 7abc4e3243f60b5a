"""Labels of paths: seen with ``read``, set with ``manage``; conditions of policies turn on them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from wardgate.context import Context
from wardgate.services.service import Handlers
from wardgate.spi.errors import InvalidValue, SecretNotFound
from wardgate.spi.operations.labels import (
    LABELS,
    MAX_PAGE,
    ChangeLabels,
    Labelled,
    LabelsInfo,
    LabelsPage,
    ListLabels,
    ReadLabels,
    RemoveLabels,
)
from wardgate.spi.path import Path
from wardgate.state import State

MAX_VALUE: Final = 128
"""Characters of one label's value."""
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")


class LabelsService:
    """Keeps labels."""

    def __init__(self, state: State) -> None:
        self._labels = state.labels
        self.handlers: Handlers = {
            ListLabels: self.list,
            ReadLabels: self.read,
            ChangeLabels: self.change,
            RemoveLabels: self.remove,
        }

    async def list(self, context: Context, operation: ListLabels) -> LabelsPage:
        """The labelled paths, in order. Raises InvalidValue for a limit that is no page's."""
        if not 1 <= operation.limit <= MAX_PAGE:
            raise InvalidValue(f"a page holds 1 to {MAX_PAGE} paths")
        labelled = self._labels.of(context.namespace).labelled
        after = operation.after.segments if operation.after is not None else ()
        found = sorted(segments for segments in labelled if segments > after)
        page = tuple(Labelled(Path(segments), labelled[segments]) for segments in found[: operation.limit])
        return LabelsPage(page, page[-1].path if len(found) > operation.limit else None)

    async def read(self, context: Context, operation: ReadLabels) -> LabelsInfo:
        """The labels of one path; there need be none, and nothing else at it."""
        return self._info(context.namespace, _labelled(operation.path))

    async def change(self, context: Context, operation: ChangeLabels) -> LabelsInfo:
        """Set labels, or take them away. Raises InvalidValue: a name, a value, or too many."""
        path = _labelled(operation.path)
        _check(operation.changes)
        await self._labels.change(context.namespace, path, operation.changes)
        return self._info(context.namespace, path)

    async def remove(self, context: Context, operation: RemoveLabels) -> None:
        """Take away all labels of one path. Raises SecretNotFound where there are none."""
        await self._labels.remove(context.namespace, _labelled(operation.path))

    def _info(self, namespace: str, path: Path) -> LabelsInfo:
        labels = self._labels.of(namespace)
        return LabelsInfo(path, labels.labelled.get(path.segments, {}), labels.origins(path.segments))


def _labelled(path: Path) -> Path:
    below = path.below(LABELS) if path.starts_with(LABELS) else Path(())
    if not below.segments:
        raise SecretNotFound(f"there is nothing at {path}")
    return below


def _check(changes: Mapping[str, str | None]) -> None:
    if not changes:
        raise InvalidValue("name at least one label")
    for name, value in changes.items():
        if not _NAME.fullmatch(name):
            raise InvalidValue(
                f"the label's name {name[:80]!r} must be 1 to 63 letters, digits, '_' or '-', and begin with a letter"
            )
        if value is None:
            continue
        if not 1 <= len(value) <= MAX_VALUE:
            raise InvalidValue(f"the value of the label {name!r} must have 1 to {MAX_VALUE} characters")
        if not value.isprintable() or not unicodedata.is_normalized("NFC", value):
            raise InvalidValue(f"the value of the label {name!r} must be printable, in Unicode normalization form C")
