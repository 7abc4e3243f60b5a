"""Cases: deleting, recovering and destroying."""

from __future__ import annotations

import contextlib

import pytest
from wardgate.spi.backend import Backend
from wardgate.spi.errors import Gone, SecretNotFound, VersionNotFound
from wardgate.spi.path import ROOT
from wardgate.spi.values import VersionInfo, VersionState

from wardgate_conformance.harness import Harness
from wardgate_conformance.selection import lacks, needs
from wardgate_conformance.values import MISSING, OTHER, SECRET, document, names


async def state_of(backend: Backend, version: str) -> VersionState:
    """The state of one version of ``SECRET``, as a reader learns it."""
    try:
        info: VersionInfo | None = (await backend.read(SECRET, version=version)).info
    except Gone as gone:
        info = gone.info
    assert info is not None
    assert version == info.id
    return info.state


class Deleting:
    """What is deleted is not served; what else is there stays."""

    @needs("write", "delete", "undelete")
    async def test_a_deleted_secret_is_gone(self, backend: Backend, harness: Harness) -> None:
        """A reader learns which version it is, and since when; the store shows its own users nothing either."""
        written = await backend.write(SECRET, document(a="b"))
        await backend.delete(SECRET)
        with pytest.raises(Gone) as refused:
            await backend.read(SECRET)
        assert refused.value.info is not None
        assert (written.id, VersionState.DELETED) == (refused.value.info.id, refused.value.info.state)
        assert refused.value.info.deleted_at
        assert None is await harness.get(SECRET)

    @needs("write", "delete")
    @lacks("undelete")
    async def test_a_final_delete_leaves_no_secret(self, backend: Backend, harness: Harness) -> None:
        """Where nothing can be recovered there is nothing to tell."""
        await backend.write(SECRET, document(a="b"))
        await backend.delete(SECRET)
        with pytest.raises(SecretNotFound):
            await backend.read(SECRET)
        assert None is await harness.get(SECRET)

    @needs("write", "delete")
    async def test_a_delete_spares_the_neighbours(self, backend: Backend) -> None:
        """The one beside it, and the one below it."""
        for path in (SECRET, OTHER, SECRET.child("replica")):
            await backend.write(path, document(path=str(path)))
        await backend.delete(SECRET)
        for path in (OTHER, SECRET.child("replica")):
            assert {"path": str(path)} == (await backend.read(path)).value.fields()

    @needs("write", "delete")
    async def test_a_write_after_a_delete_is_current(self, backend: Backend) -> None:
        """Under an id that was never used before."""
        first = await backend.write(SECRET, document(turn="1"))
        await backend.delete(SECRET)
        second = await backend.write(SECRET, document(turn="2"))
        assert (await backend.read(SECRET)).value.fields() == {"turn": "2"}
        assert first.id != second.id

    @needs("write", "delete", "versions")
    async def test_deleting_what_is_missing_makes_nothing(self, backend: Backend) -> None:
        """A store may call it a success or a missing secret; either way it is missing afterwards."""
        with contextlib.suppress(SecretNotFound):
            await backend.delete(MISSING)
        with pytest.raises(SecretNotFound):
            await backend.read(MISSING)

    @needs("write", "delete_versions")
    async def test_single_versions_are_deleted(self, backend: Backend) -> None:
        """Those named and no other; the current one stays readable."""
        written = [await backend.write(SECRET, document(turn=str(turn))) for turn in range(3)]
        await backend.delete(SECRET, versions=[written[0].id])
        states = [await state_of(backend, info.id) for info in written]
        assert states == [VersionState.DELETED, VersionState.LIVE, VersionState.LIVE]
        assert written[2] == (await backend.read(SECRET)).info

    @needs("write", "delete_versions")
    async def test_deleting_no_versions_deletes_nothing(self, backend: Backend) -> None:
        """An empty selection is not "all", and not "the current"."""
        written = await backend.write(SECRET, document(a="b"))
        await backend.delete(SECRET, versions=[])
        assert written == (await backend.read(SECRET)).info


class Recovering:
    """A deleted version comes back as it was."""

    @needs("write", "undelete")
    async def test_an_undeleted_version_is_back(self, backend: Backend) -> None:
        """Same id, same value."""
        written = await backend.write(SECRET, document(a="b"))
        await backend.delete(SECRET)
        await backend.undelete(SECRET, versions=[written.id])
        found = await backend.read(SECRET)
        assert (written.id, {"a": "b"}) == (found.info.id, found.value.fields())

    @needs("write", "undelete")
    async def test_recovering_the_living_changes_nothing(self, backend: Backend) -> None:
        """Repeating it is harmless."""
        written = await backend.write(SECRET, document(a="b"))
        await backend.undelete(SECRET, versions=[written.id])
        assert written == (await backend.read(SECRET)).info

    @needs("write", "undelete", "describe")
    async def test_a_description_tells_the_states(self, backend: Backend) -> None:
        """Deleted versions are listed as deleted, and the current version is named even when deleted."""
        first, second = [await backend.write(SECRET, document(turn=str(turn))) for turn in range(2)]
        await backend.delete(SECRET)
        described = await backend.describe(SECRET)
        states = {info.id: info.state for info in described.versions}
        assert {first.id: VersionState.LIVE, second.id: VersionState.DELETED} == states
        assert described.current is not None
        assert second.id == described.current.id


class Destroying:
    """What is destroyed does not come back."""

    @needs("write", "destroy", "versions")
    async def test_a_destroyed_version_is_gone_for_ever(self, backend: Backend) -> None:
        """Undeleting does not bring it back; its neighbours stay."""
        first, second = [await backend.write(SECRET, document(turn=str(turn))) for turn in range(2)]
        await backend.destroy(SECRET, versions=[first.id])
        if backend.capabilities.undelete:
            await backend.undelete(SECRET, versions=[first.id])
        with pytest.raises((Gone, VersionNotFound)) as refused:
            await backend.read(SECRET, version=first.id)
        if isinstance(refused.value, Gone):
            assert refused.value.info is not None
            assert VersionState.DESTROYED is refused.value.info.state
        assert second == (await backend.read(SECRET)).info

    @needs("write", "destroy")
    async def test_a_destroyed_secret_never_was(self, backend: Backend, harness: Harness) -> None:
        """Not found, not described, not listed, and not there behind the backend's back."""
        await backend.write(SECRET, document(a="b"))
        await backend.destroy(SECRET)
        with pytest.raises(SecretNotFound):
            await backend.read(SECRET)
        if backend.capabilities.describe:
            with pytest.raises(SecretNotFound):
                await backend.describe(SECRET)
        if backend.capabilities.list:
            assert await names(backend, ROOT) == []
        assert None is await harness.get(SECRET)

    @needs("write", "destroy")
    async def test_destroying_no_versions_destroys_nothing(self, backend: Backend) -> None:
        """An empty selection is not "the whole secret"."""
        written = await backend.write(SECRET, document(a="b"))
        await backend.destroy(SECRET, versions=[])
        assert written == (await backend.read(SECRET)).info
