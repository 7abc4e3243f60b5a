"""What the gateway does itself where a store does not, and what of a store that takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from wardgate.spi.capabilities import Capabilities


@dataclass(frozen=True, slots=True)
class Added:
    """What is done over a store that has all of these capabilities; ``note`` says how."""

    needs: tuple[str, ...]
    note: str

    def over(self, can: Capabilities) -> bool:
        """Whether a store has what it takes."""
        return all(getattr(can, need) for need in self.needs)


PATCH: Final = Added(("write", "compare_and_set"), "read, merged, and written where nobody else wrote meanwhile")
RECURSIVE_LIST: Final = Added(("list",), "folder by folder")
ORDINALS: Final = Added((), "the gateway's ledger numbers what it sees")
STAGES: Final = Added(("describe", "ordinals"), "current and previous can be read, by the order of the versions")
ADDED: Final[Mapping[str, Added]] = MappingProxyType(
    {"patch": PATCH, "recursive list": RECURSIVE_LIST, "ordinals": ORDINALS, "stages": STAGES}
)
"""Operations that are no capability, and capabilities where a store lacks them, by their names in a table."""
