"""The suite against a vendor's own service: asked for by an environment variable, counted, and cleaned up after.

Each test has a folder of its own, below the name of the run: nothing else of the account is touched.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import ClassVar

import pytest
from wardgate.spi.backend import Backend, Health, Permission
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import Gone, InvalidValue, Malformed, SecretNotFound, TooLarge
from wardgate.spi.path import Path
from wardgate.spi.values import Expect, Page, SecretInfo, SecretSettings, SecretVersion, Value, VersionInfo

from wardgate_conformance.harness import Harness
from wardgate_conformance.report import CALLS
from wardgate_conformance.suite import BackendConformance

ROOM = 64
"""Bytes of a store's longest path that the folder of a test may take, however the store writes them."""
RUN = f"wardgate-{uuid.uuid4().hex[:8]}"
REFUSED = (InvalidValue, Malformed, TooLarge)
_numbers = itertools.count(1)


class Calls:
    """What a run costs: requests that were sent, each attempt counted."""

    def __init__(self) -> None:
        self.count = 0

    def add(self) -> None:
        """One more."""
        self.count += 1


class Below(Backend):
    """A backend's secrets below one folder; ``made`` learns of every path that may hold something afterwards."""

    def __init__(self, backend: Backend, folder: Path, made: set[Path]) -> None:
        self._backend = backend
        self._folder = folder
        self._made = made
        self.capabilities = below(backend.capabilities)
        self.notes = backend.notes

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        """See Backend, as for all that follow."""
        return await self._backend.read(self._at(path), version=version)

    async def write(self, path: Path, value: Value, *, expect: Expect | None = None) -> VersionInfo:
        """Write below the folder."""
        async with self._making(path) as there:
            return await self._backend.write(there, value, expect=expect)

    async def list(self, folder: Path, *, cursor: str | None = None, limit: int = 1_000) -> Page:
        """List below the folder."""
        return await self._backend.list(self._at(folder), cursor=cursor, limit=limit)

    async def describe(self, path: Path) -> SecretInfo:
        """Describe below the folder."""
        return await self._backend.describe(self._at(path))

    async def annotate(
        self,
        path: Path,
        *,
        labels: Mapping[str, str | None] | None = None,
        settings: SecretSettings | None = None,
        merge: bool = False,
    ) -> None:
        """Annotate below the folder."""
        async with self._making(path) as there:
            await self._backend.annotate(there, labels=labels, settings=settings, merge=merge)

    async def delete(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        """Delete below the folder."""
        await self._backend.delete(self._at(path), versions=versions)

    async def undelete(self, path: Path, *, versions: Sequence[str]) -> None:
        """Recover below the folder."""
        await self._backend.undelete(self._at(path), versions=versions)

    async def destroy(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        """Destroy below the folder."""
        await self._backend.destroy(self._at(path), versions=versions)

    async def move_stage(self, path: Path, stage: str, *, version: str | None) -> None:
        """Move a stage below the folder."""
        await self._backend.move_stage(self._at(path), stage, version=version)

    async def health(self) -> Health:
        """The store's own."""
        return await self._backend.health()

    async def probe(self) -> Sequence[Permission]:
        """What the credential may do, wherever."""
        return await self._backend.probe()

    async def close(self) -> None:
        """Close what was opened."""
        await self._backend.close()

    def _at(self, path: Path) -> Path:
        return Path(self._folder.segments + path.segments)

    @contextlib.asynccontextmanager
    async def _making(self, path: Path) -> AsyncIterator[Path]:
        if len(str(path).encode()) > self.capabilities.max_path_bytes:
            # The account's own limit is further away: the folder takes less than its room.
            raise TooLarge("the path is longer than is declared")
        there = self._at(path)
        known = there in self._made
        self._made.add(there)
        try:
            yield there
        except REFUSED:
            # Nothing was made, so nothing needs to be paid for to end it.
            if not known:
                self._made.discard(there)
            raise


def below(capabilities: Capabilities) -> Capabilities:
    """What a store declares, less the room that the folder of a test takes."""
    return dataclasses.replace(capabilities, max_path_bytes=capabilities.max_path_bytes - ROOM)


class LiveHarness(Harness):
    """An author's harness of a whole account, kept to a folder of one test."""

    def __init__(self, account: Harness) -> None:
        self._account = account
        self._folder = Path((f"{RUN}-{next(_numbers):04d}",))
        self._made: set[Path] = set()

    def open(self) -> Backend:
        """A backend that sees the folder alone."""
        return Below(self._account.open(), self._folder, self._made)

    async def put(self, path: Path, fields: Mapping[str, str]) -> None:
        """Into the folder."""
        there = Path(self._folder.segments + path.segments)
        self._made.add(there)
        await self._account.put(there, fields)

    async def get(self, path: Path) -> Mapping[str, str] | None:
        """From the folder."""
        return await self._account.get(Path(self._folder.segments + path.segments))

    async def clean(self) -> None:
        """End all that was made, for ever where the store can. What cannot be ended is an error of the test."""
        backend = self._account.open()
        end = backend.destroy if backend.capabilities.destroy else backend.delete

        async def ended(path: Path) -> None:
            with contextlib.suppress(SecretNotFound, Gone):
                await end(path)

        try:
            results = await asyncio.gather(*map(ended, self._made), return_exceptions=True)
        finally:
            await backend.close()
        left = [problem for problem in results if problem is not None]
        if left:
            raise ExceptionGroup(f"{len(left)} secrets are left in {self._folder}", left)  # type: ignore[type-var]


class LiveConformance(BackendConformance):
    """Subclass it, say ``live`` and the ``capabilities`` (see ``below``), and give the fixture ``account``.

    ``live``: the environment variable that is set to 1 to run it. The store must be able to delete.
    Have every request counted in the fixture ``calls``: what a run cost is said at its end, and in the report.
    """

    live: ClassVar[str]

    @pytest.fixture
    def account(self) -> Harness:
        """The harness of the whole account: to be overridden."""
        raise NotImplementedError("override the fixture `account` in your subclass of LiveConformance")

    @pytest.fixture(scope="class")
    @classmethod
    def calls(cls, request: pytest.FixtureRequest) -> Iterator[Calls]:
        """What is counted in while the class runs."""
        calls = Calls()
        yield calls
        name = cls.__name__.removeprefix("Test")
        request.config.stash.setdefault(CALLS, {})[name] = calls.count

    @pytest.fixture
    def harness(self, account: Harness, conformance_loop: asyncio.Runner) -> Iterator[LiveHarness]:
        """A folder, emptied at the end."""
        harness = LiveHarness(account)
        yield harness
        conformance_loop.run(harness.clean())
