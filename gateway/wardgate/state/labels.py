"""Labels of paths: of each namespace one set, vouched for as a whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, delete
from sqlalchemy.dialects.sqlite import insert

from wardgate.spi.errors import InvalidValue, SecretNotFound
from wardgate.spi.path import Path
from wardgate.state import tables
from wardgate.state.codes import Codes
from wardgate.state.database import Database
from wardgate.state.grants import Grants
from wardgate.state.vouched import Rows, VouchedSets

MAX_LABELLED = 5_000
"""Paths with labels in one namespace."""
MAX_LABELS = 16
"""Labels set at one path."""

Segments = tuple[str, ...]


class LabelSet:
    """The labels of one namespace."""

    __slots__ = ("labelled",)

    def __init__(self, labelled: Mapping[Segments, Mapping[str, str]]) -> None:
        self.labelled = labelled

    def of(self, segments: Segments) -> Mapping[str, str]:
        """Those of a path: of each name the value set at the path, or else at the nearest ancestor that sets it."""
        found: dict[str, str] = {}
        if self.labelled:
            for length in range(1, len(segments) + 1):
                own = self.labelled.get(segments[:length])
                if own is not None:
                    found.update(own)
        return found

    def origins(self, segments: Segments) -> dict[str, tuple[str, Path]]:
        """The same, each with the path it is set at."""
        return {
            name: (value, Path(segments[:length]))
            for length in range(1, len(segments) + 1)
            for name, value in self.labelled.get(segments[:length], {}).items()
        }


class LabelsOfPaths:
    """Reads and changes the sets."""

    def __init__(self, database: Database, codes: Codes, grants: Grants) -> None:
        path, labels = tables.labels.c.path, tables.labels.c.labels
        self._sets = VouchedSets(
            "labels", tables.label_sets, path, labels, database, codes, grants, _set_of, founded=False
        )  # fmt: skip

    def of(self, namespace: str) -> LabelSet:
        """All labels of a namespace, as committed now.

        Raises:
            Unavailable: the set was changed outside the gateway: a row edited, added, removed, or an old set put back.
        """
        return self._sets.of(namespace)

    async def change(self, namespace: str, path: Path, changes: Mapping[str, str | None]) -> None:
        """Set the labels named at one path; None takes one away. The caller has validated them.

        Raises:
            InvalidValue: too many at the path, or too many labelled paths.
        """

        def change(before: dict[str, str]) -> dict[str, str]:
            merged = {**_decode(before.get(str(path), "{}")), **changes}
            after = {name: value for name, value in merged.items() if value is not None}
            if len(after) > MAX_LABELS:
                raise InvalidValue(f"a path holds at most {MAX_LABELS} labels")
            if after and str(path) not in before and len(before) >= MAX_LABELLED:
                raise InvalidValue(f"at most {MAX_LABELLED} paths of a namespace have labels; label a folder instead")
            return after

        await self._change(namespace, path, change)

    async def remove(self, namespace: str, path: Path) -> None:
        """Take away all labels of one path. Raises SecretNotFound."""

        def change(before: dict[str, str]) -> dict[str, str]:
            if str(path) not in before:
                raise SecretNotFound("no labels are set at this path; they may be set at a folder above it")
            return {}

        await self._change(namespace, path, change)

    async def _change(self, namespace: str, path: Path, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
        table = tables.labels
        key = {"namespace": namespace, "path": str(path)}

        def work(connection: Connection, before: dict[str, str]) -> None:
            after = change(before)
            if after:
                row = {**key, "labels": json.dumps(after, ensure_ascii=False, sort_keys=True)}
                connection.execute(insert(table).values(row).on_conflict_do_update(index_elements=list(key), set_=row))
            else:
                connection.execute(delete(table).where((table.c.namespace == namespace) & (table.c.path == str(path))))

        await self._sets.change(namespace, work)


def _set_of(rows: Rows) -> LabelSet:
    return LabelSet({tuple(path.split("/")): _decode(labels) for path, labels in rows})


def _decode(text: str) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(text)
    return decoded
