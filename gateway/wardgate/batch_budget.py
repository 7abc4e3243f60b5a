"""How much one batch may ask at a time, and bring, whatever its items hold: few bytes must not ask for a gigabyte."""

from __future__ import annotations

from typing import Any, Final

from wardgate.spi.errors import TooLarge
from wardgate.spi.values import SecretVersion

AT_ONCE: Final = 64
"""Items of one batch that are asked of stores outside the gateway at a time."""
MAX_READ: Final = 16 * 1024 * 1024
"""Bytes of values after which a batch reads no more; the item that passes it still comes."""


class BatchBudget:
    """What is left for the rest of a batch."""

    def __init__(self, size: int = MAX_READ) -> None:
        self._size = size
        self._left = size

    @property
    def spent(self) -> bool:
        """Whether nothing more is to be read."""
        return self._left <= 0

    def counted(self, result: Any) -> Any:
        """The same result, after its value was taken from what is left."""
        if isinstance(result, SecretVersion):
            self._left -= len(result.value.data)
        return result

    def refusal(self) -> TooLarge:
        """The answer to an item for which nothing is left."""
        return TooLarge(f"the other items hold more than {self._size} bytes; read it in another request")
