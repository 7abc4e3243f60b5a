"""Answers that turn on conditions: remembered by the attributes that were read, for as long as the time lets them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Final, Generic, NamedTuple, TypeVar

from wardgate.pipeline.authorize.compiled import Row
from wardgate.pipeline.authorize.conditions import NEVER, Labels, Question
from wardgate.pipeline.authorize.memo import Memo

T = TypeVar("T")

MAX_REMEMBERED_VALUES: Final = 1_024
"""Characters of attributes one answer may be remembered under, so that the memo is bounded in bytes too."""

Values = tuple[Hashable, ...]


class Turning:
    """Rows of which some have conditions, and what those read.

    Args:
        rows: all that an answer may turn on.
        labels: of their namespace.
        by_name: they are asked of one name of a folder after the other, so that no answer is one path's.
    """

    __slots__ = ("_readers", "labels", "read", "reads_path", "rows", "timed")

    def __init__(self, rows: Iterable[Row], labels: Labels, *, by_name: bool = False) -> None:
        self.rows = tuple(rows)
        self.labels = labels
        conditions = [row.when for row in self.rows if row.when is not None]
        self.reads_path = any(condition.of_path for condition in conditions)
        self.timed = any(condition.timed for condition in conditions)
        read = {attribute.name: attribute for condition in conditions for attribute in condition.reads}
        self.read = tuple(read)
        # What is asked for is known where the rows are; until when the time lets an answer hold is kept beside it.
        self._readers = tuple(
            attribute.read for attribute in read.values() if not attribute.asked and not (by_name and attribute.of_path)
        )

    def values(self, question: Question) -> Values:
        """What answers differ by."""
        return tuple([read(question) for read in self._readers])

    def until(self, time: int) -> int:
        """A later time, in Unix nanoseconds, before which the passing of time alone changes nothing."""
        if not self.timed:
            return NEVER
        return min(row.when.until(time) for row in self.rows if row.when is not None)


class _Held(NamedTuple, Generic[T]):
    answer: T
    since: int
    until: int


class Held(Generic[T]):
    """A bounded memory of answers that turned on conditions."""

    def __init__(self, most: int) -> None:
        self._memo: Memo[tuple[Turning, Values], _Held[T]] = Memo(most)

    def recall(self, turning: Turning, values: Values, time: int) -> T:
        """What was answered. Raises KeyError: nothing was, or not for this time."""
        answer, since, until = self._memo[turning, values]
        if since <= time < until:
            return answer
        raise KeyError

    def keep(self, turning: Turning, values: Values, answer: T, since: int, until: int) -> None:
        """Remember an answer that holds from one time to another, in Unix nanoseconds."""
        if sum(len(value) for value in values if isinstance(value, str | tuple)) <= MAX_REMEMBERED_VALUES:
            self._memo[turning, values] = _Held(answer, since if turning.timed else 0, until)
