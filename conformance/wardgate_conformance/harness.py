"""What an author writes: how to open the backend, and how to reach its store behind the backend's back.

The second way matters: a backend that garbles what it writes and ungarbles what it reads would pass every test that
only asks the backend.
"""

from __future__ import annotations

import abc
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager

from wardgate.spi.backend import Backend
from wardgate.spi.path import Path

from wardgate_conformance.answering import another_server, throttling


class Harness(abc.ABC):
    """One empty store, for one test."""

    @abc.abstractmethod
    def open(self) -> Backend:
        """A backend over the store. Called again for a second, independent handle on the same store."""

    @abc.abstractmethod
    async def put(self, path: Path, fields: Mapping[str, str]) -> None:
        """Store ``fields`` as a new current version, in the form that a user of the vendor's own tool would."""

    async def fill(self, paths: Iterable[Path]) -> None:
        """``put`` something at each of them. Override it where the store can be filled faster."""
        for path in paths:
            await self.put(path, {"a": "b"})

    @abc.abstractmethod
    async def get(self, path: Path) -> Mapping[str, str] | None:
        """The fields of the current version as the store itself holds them; None when there is no live one."""

    def pass_time(self, nanoseconds: int) -> None:
        """Let the store's clock go on by so much. Only where the test class says ``passes_time = True``."""
        raise NotImplementedError

    def address(self) -> tuple[str, int]:
        """Host and port of the store itself. Only where the test class says ``networked = True``."""
        raise NotImplementedError

    def open_at(self, host: str, port: int) -> Backend:
        """A backend whose store is reached at that address, with a timeout of half a second to two, and few retries.

        A TCP proxy that fails on demand listens there, or what ``throttling`` gave. Only where the test class says
        ``networked = True`` or ``throttles = True``.
        """
        raise NotImplementedError

    def throttling(self, retry_after: int) -> AbstractContextManager[tuple[str, int]]:
        """Host and port of a store that answers everything by asking to come back after so many seconds.

        ``open_at`` is then called with them, where the test class says ``throttles = True``. As it is here the answer
        is HTTP's own, 429 with ``Retry-After``; override it for a store that says it otherwise.
        """
        return throttling(retry_after)

    def another_server(self) -> AbstractContextManager[tuple[str, int]]:
        """Host and port of a server that is none of the store's, and answers all with a page of its own as a success.

        ``open_at`` is then called with them, where the test class says ``networked = True``. Override it for a store
        whose protocol is not plain HTTP.
        """
        return another_server()

    def refused(self) -> AbstractContextManager[Backend]:
        """A backend over the store, with a credential that the store does not accept.

        Only where the test class says ``authenticates = True``; there the case closes the backend.
        """
        raise NotImplementedError
