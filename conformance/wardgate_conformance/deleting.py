"""Cases: deleting, recovering and destroying."""

from __future__ import annotations

import contextlib

import pytest
from wardgate.spi.backend import Backend
from wardgate.spi.errors import Conflict, Gone, SecretNotFound, VersionNotFound
from wardgate.spi.path import ROOT
from wardgate.spi.values import Expect, VersionInfo, VersionState

from wardgate_conformance.harness import Harness
from wardgate_conformance.selection import lacks, needs
from wardgate_conformance.values import MISSING, OTHER, SECRET, document, names

NEVER = ("0", "999999", "1" * 40, "no-such-id", "")
"""What is no version's id in a secret with one version."""


async def state_of(backend: Backend, version: str) -> VersionState:
    """The state of one version of ``SECRET``, as a reader learns it."""
    try:
        info: VersionInfo | None = (await backend.read(SECRET, version=version)).info
    except Gone as gone:
        info = gone.info
    assert info is not None
    assert version == info.id
    return info.state


async def what_is_gone(backend: Backend) -> VersionInfo:
    """What a reader of ``SECRET``, which is deleted, is told of its current version."""
    with pytest.raises(Gone) as refused:
        await backend.read(SECRET)
    assert refused.value.info is not None
    return refused.value.info


class Deleting:
    """What is deleted is not served; what else is there stays."""

    @needs("write", "delete", "undelete")
    async def test_a_deleted_secret_is_gone(self, backend: Backend, harness: Harness) -> None:
        """A reader learns which version it is; the store shows its own users nothing either."""
        written = await backend.write(SECRET, document(a="b"))
        await backend.delete(SECRET)
        info = await what_is_gone(backend)
        assert (written.id, VersionState.DELETED) == (info.id, info.state)
        assert None is await harness.get(SECRET)

    @needs("write", "delete", "undelete")
    async def test_the_time_of_a_delete_is_the_store_s(self, backend: Backend) -> None:
        """Whoever asks is told the same, which is not before the write; or nothing, where the store does not know."""
        await backend.write(SECRET, document(a="b"))
        await backend.delete(SECRET)
        info = await what_is_gone(backend)
        assert info.deleted_at is None or 0 < info.created_at <= info.deleted_at
        assert info == await what_is_gone(backend)

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

    @needs("write", "delete_versions")
    async def test_a_write_after_a_delete_is_current(self, backend: Backend) -> None:
        """Under an id that was never used before."""
        first = await backend.write(SECRET, document(turn="1"))
        await backend.delete(SECRET)
        second = await backend.write(SECRET, document(turn="2"))
        found = await backend.read(SECRET)
        assert (second.id, {"turn": "2"}) == (found.info.id, found.value.fields())
        assert first.id != second.id

    @needs("write", "delete")
    @lacks("undelete")
    async def test_a_write_after_a_final_delete_begins_anew(self, backend: Backend) -> None:
        """Nothing of the old secret shows. Only a number can be used again: an opaque id is one value's for ever."""
        old = [await backend.write(SECRET, document(turn=str(turn))) for turn in range(2)]
        await backend.delete(SECRET)
        new = await backend.write(SECRET, document(turn="2"))
        found = await backend.read(SECRET)
        assert (new.id, {"turn": "2"}) == (found.info.id, found.value.fields())
        assert backend.capabilities.ordinals or new.id not in {info.id for info in old}
        if backend.capabilities.describe:
            known = await backend.describe(SECRET)
            assert (new, [new]) == (known.current, list(known.versions) or [new])
        for info in old if backend.capabilities.versions else ():
            if info.id != new.id:
                with pytest.raises(VersionNotFound):
                    await backend.read(SECRET, version=info.id)

    @needs("delete")
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
        assert written[2].id == (await backend.read(SECRET)).info.id

    @needs("write", "delete_versions")
    async def test_deleting_no_versions_deletes_nothing(self, backend: Backend) -> None:
        """An empty selection is not "all", and not "the current"."""
        written = await backend.write(SECRET, document(a="b"))
        await backend.delete(SECRET, versions=[])
        assert written.id == (await backend.read(SECRET)).info.id

    @needs("write", "delete_versions")
    @pytest.mark.parametrize("version", NEVER)
    async def test_a_version_that_never_was_is_not_deleted(self, backend: Backend, version: str) -> None:
        """It may be told as not found; it is not taken for the current one."""
        written = await backend.write(SECRET, document(a="b"))
        with contextlib.suppress(VersionNotFound):
            await backend.delete(SECRET, versions=[version])
        assert written.id == (await backend.read(SECRET)).info.id


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

    @needs("write", "undelete", "delete_versions")
    @pytest.mark.parametrize("version", NEVER)
    async def test_a_version_that_never_was_is_not_recovered(self, backend: Backend, version: str) -> None:
        """It may be told as not found; what is deleted stays so."""
        await backend.write(SECRET, document(a="b"))
        await backend.delete(SECRET)
        with contextlib.suppress(VersionNotFound):
            await backend.undelete(SECRET, versions=[version])
        await what_is_gone(backend)

    @needs("undelete")
    async def test_recovering_what_is_missing_makes_nothing(self, backend: Backend) -> None:
        """A store may call it a success or a missing secret; either way it is missing afterwards."""
        with contextlib.suppress(SecretNotFound, VersionNotFound):
            await backend.undelete(MISSING, versions=["1"])
        with pytest.raises(SecretNotFound):
            await backend.read(MISSING)

    @needs("write", "undelete", "delete_versions", "describe")
    async def test_a_description_tells_the_states(self, backend: Backend) -> None:
        """Deleted versions are listed as deleted, and the current version is named even when deleted."""
        first, second = [await backend.write(SECRET, document(turn=str(turn))) for turn in range(2)]
        await backend.delete(SECRET)
        described = await backend.describe(SECRET)
        states = {info.id: info.state for info in described.versions}
        assert {first.id: VersionState.LIVE, second.id: VersionState.DELETED} == states
        assert described.current is not None
        assert second.id == described.current.id


class WholeSecret:
    """Where single versions cannot be deleted, the secret goes and comes back as one."""

    @needs("write", "undelete", "versions")
    @lacks("delete_versions")
    async def test_every_version_goes(self, backend: Backend) -> None:
        """An older one that could still be read would be a leak."""
        written = [await backend.write(SECRET, document(turn=str(turn))) for turn in range(2)]
        await backend.delete(SECRET)
        assert [await state_of(backend, info.id) for info in written] == [VersionState.DELETED] * 2

    @needs("write", "undelete", "versions")
    @lacks("delete_versions")
    @pytest.mark.parametrize("named", [0, 1])
    async def test_every_version_comes_back(self, backend: Backend, named: int) -> None:
        """Whichever is named: same ids, same values, and the last one written is current."""
        written = [await backend.write(SECRET, document(turn=str(turn))) for turn in range(2)]
        await backend.delete(SECRET)
        await backend.undelete(SECRET, versions=[written[named].id])
        for turn, info in enumerate(written):
            found = await backend.read(SECRET, version=info.id)
            assert (info.id, {"turn": str(turn)}) == (found.info.id, found.value.fields())
        assert written[1].id == (await backend.read(SECRET)).info.id

    @needs("write", "undelete")
    @lacks("delete_versions")
    async def test_a_deleted_secret_is_not_written_over(self, backend: Backend) -> None:
        """The write is refused as Gone, and what can be recovered is what was there before."""
        written = await backend.write(SECRET, document(turn="1"))
        await backend.delete(SECRET)
        with pytest.raises(Gone):
            await backend.write(SECRET, document(turn="2"))
        await backend.undelete(SECRET, versions=[written.id])
        found = await backend.read(SECRET)
        assert (written.id, {"turn": "1"}) == (found.info.id, found.value.fields())

    @needs("write", "undelete")
    @lacks("delete_versions")
    async def test_a_secret_is_deleted_once(self, backend: Backend) -> None:
        """A second delete may succeed or be refused as Gone; what is deleted stays so, and stays recoverable."""
        written = await backend.write(SECRET, document(a="b"))
        for _ in range(2):
            with contextlib.suppress(Gone):
                await backend.delete(SECRET)
            with pytest.raises(Gone):
                await backend.read(SECRET)
        await backend.undelete(SECRET, versions=[written.id])
        assert (await backend.read(SECRET)).value.fields() == {"a": "b"}

    @needs("write", "undelete", "describe")
    @lacks("delete_versions")
    async def test_a_description_tells_that_it_is_deleted(self, backend: Backend) -> None:
        """Of every version, and the current one is named all the same."""
        written = [await backend.write(SECRET, document(turn=str(turn))) for turn in range(2)]
        await backend.delete(SECRET)
        described = await backend.describe(SECRET)
        assert described.current is not None
        assert (written[1].id, VersionState.DELETED) == (described.current.id, described.current.state)
        assert {info.state for info in described.versions} == {VersionState.DELETED}

    @needs("undelete", "write", "compare_and_set")
    @lacks("delete_versions")
    async def test_expecting_nothing_does_not_write_over_a_deleted_secret(self, backend: Backend) -> None:
        """There is a version, which waits to be recovered."""
        written = await backend.write(SECRET, document(turn="1"))
        await backend.delete(SECRET)
        with pytest.raises((Gone, Conflict)):
            await backend.write(SECRET, document(turn="2"), expect=Expect(None))
        await backend.undelete(SECRET, versions=[written.id])
        assert (await backend.read(SECRET)).value.fields() == {"turn": "1"}


class Destroying:
    """What is destroyed does not come back."""

    @needs("write", "destroy_versions", "versions")
    async def test_a_destroyed_version_is_gone_for_ever(self, backend: Backend) -> None:
        """Undeleting does not bring it back; its neighbours stay."""
        first, second = [await backend.write(SECRET, document(turn=str(turn))) for turn in range(2)]
        await backend.destroy(SECRET, versions=[first.id])
        if backend.capabilities.delete_versions and backend.capabilities.undelete:
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

    @needs("write", "destroy", "undelete")
    async def test_a_deleted_secret_can_be_destroyed(self, backend: Backend, harness: Harness) -> None:
        """What waited to be recovered waits no longer."""
        written = await backend.write(SECRET, document(a="b"))
        await backend.delete(SECRET)
        await backend.destroy(SECRET)
        with pytest.raises(SecretNotFound):
            await backend.read(SECRET)
        with contextlib.suppress(SecretNotFound):
            await backend.undelete(SECRET, versions=[written.id])
        with pytest.raises(SecretNotFound):
            await backend.read(SECRET)
        assert None is await harness.get(SECRET)

    @needs("write", "destroy")
    async def test_a_destroyed_secret_s_path_is_free(self, backend: Backend) -> None:
        """A new secret begins there, and nothing of the old one shows."""
        await backend.write(SECRET, document(turn="1"))
        await backend.destroy(SECRET)
        second = await backend.write(SECRET, document(turn="2"))
        found = await backend.read(SECRET)
        assert (second.id, {"turn": "2"}) == (found.info.id, found.value.fields())

    @needs("write", "destroy_versions")
    async def test_destroying_no_versions_destroys_nothing(self, backend: Backend) -> None:
        """An empty selection is not "the whole secret"."""
        written = await backend.write(SECRET, document(a="b"))
        await backend.destroy(SECRET, versions=[])
        assert written == (await backend.read(SECRET)).info

    @needs("write", "destroy_versions")
    @pytest.mark.parametrize("version", NEVER)
    async def test_a_version_that_never_was_is_not_destroyed(self, backend: Backend, version: str) -> None:
        """It may be told as not found; the others stay."""
        written = await backend.write(SECRET, document(a="b"))
        with contextlib.suppress(VersionNotFound):
            await backend.destroy(SECRET, versions=[version])
        assert written.id == (await backend.read(SECRET)).info.id
