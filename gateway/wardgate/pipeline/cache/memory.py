"""What is remembered: entries by namespace, least recently used first, bounded in number and in bytes."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, NamedTuple

from wardgate.spi.backend import Backend
from wardgate.spi.errors import WardgateError
from wardgate.spi.frontend import Outcome
from wardgate.spi.operations.secrets import Selector
from wardgate.spi.values import SecretVersion

SHARE: Final = 4
"""With other namespaces beside it, one holds at most this part (a quarter) of the whole."""

TRIMMED_AT_ONCE: Final = 64
"""Entries that one insertion evicts at most, so that no request pays for many; the next ones go on."""

Key = tuple[str, tuple[str, ...], Selector | None]
"""Mount's id, segments of the path, version: a tuple, never joined text."""


@dataclass(frozen=True, slots=True)
class Limits:
    """``entries`` and ``size`` (bytes) of the whole cache of one worker."""

    entries: int
    size: int


class Entry(NamedTuple):
    """An outcome, or an error that says that nothing is there.

    ``backend``: the very object that answered; a mount that was opened anew has another. ``ttl``: the mount's own at
    the time; one that was set since ends the entry. ``epoch`` of ``slot`` is from before the fetch. ``until``:
    monotonic seconds. ``size``: bytes, roughly.
    """

    answer: Outcome[SecretVersion] | WardgateError
    backend: Backend | None
    ttl: int | None
    slot: int
    epoch: int
    until: float
    size: int


class _Tenant:
    """One namespace's entries."""

    __slots__ = ("entries", "size")

    def __init__(self) -> None:
        self.entries: OrderedDict[Key, Entry] = OrderedDict()
        self.size = 0


class Memory:
    """The entries of all namespaces. What does not fit evicts the oldest of the namespace that holds the most."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._tenants: dict[str, _Tenant] = {}
        self.count = 0
        self.size = 0

    def get(self, namespace: str, key: Key) -> Entry | None:
        """The entry, which is then the most recently used one of its namespace."""
        tenant = self._tenants.get(namespace)
        if tenant is None:
            return None
        entry = tenant.entries.get(key)
        if entry is not None:
            tenant.entries.move_to_end(key)
        return entry

    def put(self, namespace: str, key: Key, entry: Entry) -> None:
        """Remember an entry, unless it alone is larger than a namespace's share."""
        self.drop(namespace, key)
        if entry.size > self._limits.size // SHARE:
            return
        tenant = self._tenants.setdefault(namespace, _Tenant())
        tenant.entries[key] = entry
        tenant.size += entry.size
        self.count += 1
        self.size += entry.size
        self._make_room(namespace)

    def drop(self, namespace: str, key: Key) -> None:
        """Forget an entry, if there is one."""
        tenant = self._tenants.get(namespace)
        if tenant is not None and key in tenant.entries:
            self._taken(namespace, tenant, tenant.entries.pop(key))

    def clear(self) -> None:
        """Forget everything."""
        self._tenants.clear()
        self.count = self.size = 0

    def _make_room(self, namespace: str) -> None:
        while self.count > self._limits.entries or self.size > self._limits.size:
            self._evict(max(self._tenants, key=self._weight))
        for _ in range(TRIMMED_AT_ONCE):
            if len(self._tenants) == 1 or self._weight(namespace) <= 1 / SHARE:
                return
            self._evict(namespace)

    def _weight(self, namespace: str) -> float:
        tenant = self._tenants[namespace]
        return max(len(tenant.entries) / self._limits.entries, tenant.size / self._limits.size)

    def _evict(self, namespace: str) -> None:
        tenant = self._tenants[namespace]
        self._taken(namespace, tenant, tenant.entries.popitem(last=False)[1])

    def _taken(self, namespace: str, tenant: _Tenant, entry: Entry) -> None:
        """An entry was taken out of those of its tenant."""
        tenant.size -= entry.size
        self.count -= 1
        self.size -= entry.size
        if not tenant.entries:
            del self._tenants[namespace]
