"""Answers that turn on conditions: remembered by the attributes that were read, for as long as the time lets them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Final, Generic, NamedTuple, TypeVar

from wardgate.pipeline.authorize.compiled import Row
from wardgate.pipeline.authorize.conditions import Question
from wardgate.pipeline.authorize.conditions.attributes import Attribute, Kind
from wardgate.pipeline.authorize.conditions.compiling import NEVER
from wardgate.pipeline.authorize.memo import Memo

T = TypeVar("T")

MAX_REMEMBERED_VALUES: Final = 1_024
"""Characters of attributes one answer may be remembered under, so that the memo is bounded in bytes too."""


class Turning:
    """Rows of which some have conditions, and what those read.

    Args:
        rows: all that an answer may turn on.
        of_path: whether the attributes of the path are among what answers differ by; not, where they are asked of one
            name after the other.
    """

    __slots__ = ("reads", "reads_path", "rows", "timed")

    def __init__(self, rows: Iterable[Row], *, of_path: bool) -> None:
        self.rows = tuple(rows)
        conditions = [row.when for row in self.rows if row.when is not None]
        self.reads_path = any(condition.of_path for condition in conditions)
        self.timed = any(condition.timed for condition in conditions)
        # The time is no part of the key: until when an answer holds is remembered beside it.
        read = {attribute.name: attribute for condition in conditions for attribute in condition.reads}
        self.reads: tuple[Attribute, ...] = tuple(
            attribute
            for attribute in read.values()
            if attribute.kind is not Kind.TIME and (of_path or not attribute.of_path)
        )

    def until(self, time: int) -> int:
        """A later time, in Unix nanoseconds, before which the passing of time alone changes nothing."""
        return min(
            (row.when.until(time) for row in self.rows if row.when is not None and row.when.timed), default=NEVER
        )


class _Held(NamedTuple, Generic[T]):
    answer: T
    since: int
    until: int


class Held(Generic[T]):
    """A bounded memory of answers that turned on conditions."""

    def __init__(self, most: int) -> None:
        self._memo: Memo[tuple[Turning, tuple[Hashable, ...]], _Held[T]] = Memo(most)

    def answer(
        self, turning: Turning, question: Question, time: int, decide: Callable[[int], T], *beside: Hashable
    ) -> T:
        """The answer to ``question`` at ``time``, remembered or from ``decide``, which is told until when it holds.

        Args:
            turning: what it turns on.
            question: where its attributes are read.
            time: Unix nanoseconds.
            decide: makes the answer.
            beside: what else it depends on.
        """
        values = (*[attribute.read(question) for attribute in turning.reads], *beside)
        key = (turning, values)
        try:
            held = self._memo[key]
        except KeyError:
            pass
        else:
            if held.since <= time < held.until:
                return held.answer
        until = turning.until(time) if turning.timed else NEVER
        answer = decide(until)
        if sum(len(value) for value in values if isinstance(value, str | tuple)) <= MAX_REMEMBERED_VALUES:
            self._memo[key] = _Held(answer, time if turning.timed else 0, until)
        return answer
