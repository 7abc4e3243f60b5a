"""Cases: what a backend says of its store and of its own credential, without a change and without raising."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest
from wardgate.spi.backend import Backend, Health
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import PermissionDenied, Unauthenticated, Unavailable
from wardgate.spi.path import ROOT
from wardgate.spi.threads import QUEUE

from wardgate_conformance.failing import PATIENCE, proxied
from wardgate_conformance.faults import Fault
from wardgate_conformance.harness import Harness
from wardgate_conformance.selection import reaches
from wardgate_conformance.values import MISSING, SECRET, names

USES = {"read", *(each.name for each in dataclasses.fields(Capabilities) if isinstance(each.default, bool))}
CROWD = QUEUE + 64
"""More calls than the threads of a mount and its queue take."""


class Probing:
    """A probe tells what the credential may do and changes nothing; health tells how the store is, without raising."""

    async def test_a_probe_changes_nothing(self, backend: Backend, harness: Harness) -> None:
        """Neither what is there nor what is not: another handle finds all as it was."""
        await harness.put(SECRET, {"a": "b"})
        before = (await backend.read(SECRET)).info
        await backend.probe()
        assert (await harness.get(SECRET), await harness.get(MISSING)) == ({"a": "b"}, None)
        other = harness.open()
        try:
            assert before == (await other.read(SECRET)).info
            if backend.capabilities.list:
                assert [SECRET.segments[0]] == [entry.name for entry in await names(other, ROOT)]
        finally:
            await other.close()

    async def test_a_probe_tells_permissions_by_what_needs_them(self, backend: Backend) -> None:
        """Each by its name in the store, once, and by names of capabilities; the harness's credential lacks none."""
        told = await backend.probe()
        assert all(one.name and one.needed_for for one in told)
        assert len({one.name for one in told}) == len(told)
        assert {use for one in told for use in one.needed_for} <= USES
        assert [one.name for one in told if one.granted is False] == []

    @reaches("authenticates")
    async def test_a_credential_that_is_not_accepted_is_told_as_such(self, harness: Harness) -> None:
        """By a probe and by health; a read may be refused as for want of a right, but is no missing secret."""
        with harness.refused() as backend:
            try:
                async with asyncio.timeout(PATIENCE):
                    for ask in (backend.probe(), backend.read(SECRET)):
                        with pytest.raises((PermissionDenied, Unauthenticated)):
                            await ask
                    assert not (await backend.health()).ok
            finally:
                await backend.close()

    @reaches("networked")
    @pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.RESET, Fault.HANGS])
    async def test_a_probe_of_a_store_that_is_away_is_unavailable(self, harness: Harness, fault: Fault) -> None:
        """That nothing was answered is not that nothing is allowed."""
        async with proxied(harness) as (backend, proxy):
            proxy.set(fault)
            with pytest.raises(Unavailable):
                await backend.probe()

    async def test_health_tells_that_all_is_well(self, backend: Backend) -> None:
        """In a sentence, without raising."""
        health = await backend.health()
        assert health.ok, health.detail
        assert health.detail

    async def test_health_of_a_busy_backend_is_told(self, backend: Backend, harness: Harness) -> None:
        """Well or not, when more callers wait than there is room for; not as an error."""
        await harness.put(SECRET, {"a": "b"})
        crowd = asyncio.gather(*(backend.read(SECRET) for _ in range(CROWD)), return_exceptions=True)
        await asyncio.sleep(0)
        try:
            health = await backend.health()
        finally:
            crowd.cancel()
            await asyncio.gather(crowd, return_exceptions=True)
        assert isinstance(health, Health)
        assert health.detail

    async def test_health_of_a_closed_backend_is_told(self, backend: Backend) -> None:
        """Whoever asks may be late."""
        await backend.close()
        health = await backend.health()
        assert isinstance(health, Health)
        assert health.detail
