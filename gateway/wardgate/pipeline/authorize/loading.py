"""Keeps each namespace's policies compiled, and swaps a new set in as a whole when its epoch moves."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from wardgate.pipeline.authorize.compiled import Compiled
from wardgate.spi.errors import InvalidValue, PermissionDenied, Sealed, Unavailable
from wardgate.spi.operations.policies import Policy

_log = logging.getLogger(__name__)


class PolicySet(Protocol):
    """The written policies of one namespace, verified as one set."""

    @property
    def policies(self) -> tuple[Policy, ...]:
        """All of them; the built-in ones are not among them."""


class Epochs(Protocol):
    """What the engine needs of the epoch page."""

    def slot(self, kind: str, *key: str) -> int:
        """Where the epoch of ``key`` lives."""

    def read(self, slot: int) -> int:
        """The epoch now."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A namespace as last loaded. ``compiled`` None: no set of it ever compiled, so everything is denied."""

    slot: int
    epoch: int
    compiled: Compiled | None


MAX_LOADED: Final = 1_000
"""Namespaces whose policies are held compiled; the one loaded longest ago goes first, as a deleted one must."""


class Loader:
    """Hands out the compiled policies of a namespace as they are now."""

    def __init__(self, policies_of: Callable[[str], PolicySet], epochs: Epochs) -> None:
        self._policies_of = policies_of
        self._epochs = epochs
        self._loaded: dict[str, _Loaded] = {}
        self._unread: dict[str, int] = {}

    def current(self, namespace: str) -> Compiled:
        """The compiled policies of a namespace.

        Raises:
            PermissionDenied: they cannot be read, or never compiled: everything is denied.
            Sealed, Unavailable: the state said so.
        """
        loaded = self._loaded.get(namespace)
        if loaded is None or self._epochs.read(loaded.slot) != loaded.epoch:
            loaded = self._load(namespace, loaded)
            self._loaded.pop(namespace, None)
            if len(self._loaded) >= MAX_LOADED:
                del self._loaded[next(iter(self._loaded))]
            self._loaded[namespace] = loaded
        if loaded.compiled is None:
            raise _unusable()
        return loaded.compiled

    def _load(self, namespace: str, old: _Loaded | None) -> _Loaded:
        slot = old.slot if old else self._epochs.slot("policies", namespace)
        # Read before the fetch: a change in between moves it again, and the next question loads again.
        epoch = self._epochs.read(slot)
        policies = self._fetch(namespace, epoch)
        kept = old.compiled if old else None
        try:
            return _Loaded(slot, epoch, Compiled(namespace, policies, kept))
        except Exception as error:  # noqa: BLE001  # whatever is wrong with a set, it is refused as a whole
            _log.error(
                "the policies of namespace %s are not valid, %s: %s",
                namespace,
                "the ones before are kept" if kept else "everything is denied",
                error.message if isinstance(error, InvalidValue) else type(error).__name__,
                extra={"event": "policies_invalid"},
            )
            return _Loaded(slot, epoch, kept)

    def _fetch(self, namespace: str, epoch: int) -> tuple[Policy, ...]:
        """The written policies; a failure is not remembered, so that the next question tries again."""
        try:
            policies = self._policies_of(namespace).policies
        except (Sealed, Unavailable):
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, nothing may be granted
            if self._unread.get(namespace) != epoch:
                if len(self._unread) >= MAX_LOADED:
                    self._unread.clear()
                self._unread[namespace] = epoch
                _log.error(
                    "the policies of namespace %s cannot be read, everything is denied: %s",
                    namespace,
                    type(error).__name__,
                    extra={"event": "policies_unreadable"},
                )
            raise _unusable() from None
        self._unread.pop(namespace, None)
        return policies


def _unusable() -> PermissionDenied:
    return PermissionDenied("permission denied: the policies of this namespace cannot be used")
