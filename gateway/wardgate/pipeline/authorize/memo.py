"""A memory of bounded length that forgets what was asked for longest ago."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Memo(Generic[K, V]):
    """At most ``most`` answers by their questions; reading an unknown one raises KeyError."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[K, V] = OrderedDict()

    def __getitem__(self, key: K) -> V:
        value = self._known[key]
        self._known.move_to_end(key)
        return value

    def get(self, key: K) -> V | None:
        """The answer, or None when it is unknown."""
        value = self._known.get(key)
        if value is not None:
            self._known.move_to_end(key)
        return value

    def __setitem__(self, key: K, value: V) -> None:
        self._known[key] = value
        if len(self._known) > self._most:
            self._known.popitem(last=False)

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, key: object) -> bool:
        return key in self._known
