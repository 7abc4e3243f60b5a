"""How much one batch of reads may bring, whatever its items hold: few bytes must not ask for a gigabyte."""

from __future__ import annotations

from typing import Any, Final

from wardgate.spi.errors import TooLarge
from wardgate.spi.values import SecretVersion

MAX_READ: Final = 16 * 1024 * 1024
"""Bytes of values after which a batch reads no more; the item that passes it still comes."""


class Room:
    """What is left for the rest of a batch."""

    def __init__(self, size: int = MAX_READ) -> None:
        self._size = size
        self._left = size

    @property
    def full(self) -> bool:
        """Whether nothing more is to be read."""
        return self._left <= 0

    def taken(self, result: Any) -> Any:
        """The same result, after its value took room."""
        if isinstance(result, SecretVersion):
            self._left -= len(result.value.data)
        return result

    def refusal(self) -> TooLarge:
        """The answer to an item that came after it was full."""
        return TooLarge(f"the items before it hold more than {self._size} bytes; read it in another request")
