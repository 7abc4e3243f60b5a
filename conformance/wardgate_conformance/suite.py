"""The whole suite as one class to subclass.

::

    class TestMyStore(BackendConformance):
        capabilities = MyBackend.capabilities

        @pytest.fixture
        def harness(self, tmp_path):
            return MyHarness(tmp_path)
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar

import pytest
from wardgate.spi.backend import Backend
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.hookspecs import BackendType

from wardgate_conformance.annotating import Annotating
from wardgate_conformance.behaving import Closing, Concurrency, Declaration, Secrecy
from wardgate_conformance.deleting import Deleting, Destroying, Recovering, WholeSecret
from wardgate_conformance.failing import Cancellation, Failing
from wardgate_conformance.harness import Harness
from wardgate_conformance.hostile import HostileNames, HostileValues
from wardgate_conformance.listing import Listing
from wardgate_conformance.probing import Probing
from wardgate_conformance.reading import Missing, Reading
from wardgate_conformance.staging import Stages
from wardgate_conformance.writing import CompareAndSet, Versions, Writing


class Conformance:
    """Subclass it, say the ``capabilities`` and give a ``harness``.

    ``networked``: the harness has ``address`` and ``open_at``, so the store is made to fail. ``throttles``: it has
    ``open_at``, and the backend knows a store that asks it to come back later. ``authenticates``: it has ``refused``,
    since the store wants a credential. ``passes_time``: it has ``pass_time``.
    They are said here, not by the harness, since cases are selected before any harness is made.
    ``one_at_a_time``: a connection carries one request at a time, so it ends with it; gRPC's carries them all.
    ``reads_tell_all``: a read tells its version's times and stages and its secret's labels. Where that is an option
    which is off when nothing is said, the class of the store as it is mounted then says False.
    ``keeps``: a store that keeps fewer than a dozen versions of a secret, which cannot be set, says how many.
    ``notes``: those of the Declaration, for the report. ``kind``: the BackendType that has it, where there is one.
    """

    capabilities: ClassVar[Capabilities]
    notes: ClassVar[Mapping[str, str]] = MappingProxyType({})
    kind: ClassVar[BackendType | None] = None
    networked: ClassVar[bool] = False
    throttles: ClassVar[bool] = False
    authenticates: ClassVar[bool] = False
    passes_time: ClassVar[bool] = False
    one_at_a_time: ClassVar[bool] = True
    reads_tell_all: ClassVar[bool] = True
    keeps: ClassVar[int] = 12

    @pytest.fixture
    def harness(self) -> Harness:
        """The store of one test: to be overridden."""
        raise NotImplementedError("override the fixture `harness` in your subclass")

    @pytest.fixture(name="capabilities")
    def declared(self) -> Capabilities:
        """What the class says that its backend declares."""
        return self.capabilities

    @pytest.fixture(autouse=True)
    def conformance_loop(self) -> Iterator[asyncio.Runner]:
        """The loop of one test: opening, the case and closing all happen on it."""
        with asyncio.Runner() as runner:
            yield runner

    @pytest.fixture
    def backend(self, harness: Harness, conformance_loop: asyncio.Runner) -> Iterator[Backend]:
        """The backend of one test."""

        async def opened() -> Backend:
            return harness.open()

        backend = conformance_loop.run(opened())
        yield backend
        conformance_loop.run(backend.close())


class BackendConformance(
    Declaration,
    Reading,
    Missing,
    Writing,
    CompareAndSet,
    Versions,
    Stages,
    Listing,
    Annotating,
    Deleting,
    Recovering,
    WholeSecret,
    Destroying,
    HostileNames,
    HostileValues,
    Concurrency,
    Secrecy,
    Failing,
    Cancellation,
    Probing,
    Closing,
    Conformance,
):
    """The whole suite. See Conformance for what a subclass says."""


class DefaultsConformance(Reading, Writing, CompareAndSet, Versions, Stages, Annotating, Deleting, Conformance):
    """The families that look at what a read tells, for a store whose reads tell less where nothing is said.

    Its subclass opens the store as it is mounted by default; another, over the whole suite, with all that it can tell.
    """

    reads_tell_all = False
