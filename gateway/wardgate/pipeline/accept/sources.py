"""How much one source address may ask of this worker at one time, and in one second."""

from __future__ import annotations


class Sources:
    """Counts by address. Bounded: an address is held only while it has requests under way, or for one second."""

    def __init__(self, most_at_once: int, most_per_second: int) -> None:
        self._most_at_once = most_at_once
        self._most_per_second = most_per_second
        self._under_way: dict[str, int] = {}
        self._this_second: dict[str, int] = {}
        self._second_ends = 0.0

    def enter(self, source: str, now: float) -> bool:
        """Whether one more request of this source may begin; if so, call ``leave`` when it ends."""
        if now >= self._second_ends:
            self._this_second.clear()
            self._second_ends = now + 1.0
        under_way = self._under_way.get(source, 0)
        this_second = self._this_second.get(source, 0)
        if under_way >= self._most_at_once or this_second >= self._most_per_second:
            return False
        self._under_way[source] = under_way + 1
        self._this_second[source] = this_second + 1
        return True

    def leave(self, source: str) -> None:
        """A request that entered has ended."""
        under_way = self._under_way[source]
        if under_way == 1:
            del self._under_way[source]
        else:
            self._under_way[source] = under_way - 1
