"""What the stores of a copy can do, as the gateway tells it of the mounts that one may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wardgate.cli.failure import Failure
from wardgate.spi.values import Value

NEED_NOT = {"labels": "labels", "media_types": "media types"}
"""What a store may do without, and a copy loses then."""


@dataclass(frozen=True)
class Store:
    """One mount; ``capabilities`` are empty where the gateway does not tell them, and then all is tried."""

    prefix: str
    capabilities: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def can(self, capability: str) -> bool:
        """Whether the store declares it."""
        return bool(self.capabilities.get(capability, True))

    def holds_less_than(self, other: Store) -> bool:
        """Whether some value of the other does not fit in here, as far as is told."""
        least, most = self.capabilities.get("min_value_bytes", 0), self.capabilities.get("max_value_bytes")
        most_there = other.capabilities.get("max_value_bytes")
        shorter = most is not None and (most_there is None or most < most_there)
        return shorter or least > other.capabilities.get("min_value_bytes", 0)

    def refuses(self, value: Value) -> Failure | None:
        """Why it could not hold this value."""
        size = len(value.data)
        if not self.can("write"):
            return Failure(f"{self.prefix} cannot be written to", code="unsupported")
        most = self.capabilities.get("max_value_bytes", size)
        if size > most and value.text() is not None:
            most = max(most, self.capabilities.get("max_text_bytes", 0))
        if size > most:
            return Failure(f"the value has {size:,} bytes, and {self.prefix} holds {most:,} at most", code="too_large")
        if size < self.capabilities.get("min_value_bytes", 0):
            return Failure(f"{self.prefix} cannot hold an empty value", code="invalid_value")
        return None


class Stores:
    """The mounts of a namespace that one may see."""

    def __init__(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Take the entries of the namespace's root folder."""
        self._stores = [
            Store(f"{entry['name'].removesuffix('/')}/", entry.get("capabilities") or {}) for entry in entries
        ]

    def of(self, path: str) -> Store:
        """The store that a path is in.

        Raises:
            Failure: there is none; what does not exist is not told from what one may not see. Or it is a mount itself.
        """
        if any(store.prefix == f"{path}/" for store in self._stores):
            hint = "With --recursive, SRC and DST are folders, and a mount can be one."
            raise Failure(f"{path} is the mount itself; name a path below it", code="malformed", hint=hint)
        for store in self._stores:
            if path.startswith(store.prefix):
                return store
        hint = "Check the name; `wardgate list` shows the mounts, `wardgate mount add` makes one."
        raise Failure(f"no mount that you may see holds {path}", code="secret_not_found", hint=hint)


def notes(source: Store, destination: Store, *, history: bool) -> list[str]:
    """What is lost on the way between two stores, a sentence each."""
    said = [
        f"{destination.prefix} keeps no {words}; those of {source.prefix} are not copied."
        for capability, words in NEED_NOT.items()
        if source.can(capability) and not destination.can(capability)
    ]
    without = [store.prefix for store in (source, destination) if history and not has_history(store)]
    return said + [f"{prefix} keeps one version of a secret: only the current ones are copied." for prefix in without]


def has_history(store: Store) -> bool:
    """Whether older versions can be found and read there."""
    return store.can("versions") and store.can("describe")
