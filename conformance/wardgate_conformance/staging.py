"""Cases: stages, the movable names on versions."""

from __future__ import annotations

import contextlib

import pytest
from wardgate.spi.backend import Backend
from wardgate.spi.errors import Gone, InvalidValue, SecretNotFound, Unsupported, VersionNotFound
from wardgate.spi.values import CURRENT, PREVIOUS

from wardgate_conformance.selection import lacks, needs, reaches
from wardgate_conformance.values import MISSING, SECRET, document


async def holders(backend: Backend, *versions: str) -> dict[str, list[str]]:
    """Which of these versions are current and previous, as their readers are told."""
    told = {version: (await backend.read(SECRET, version=version)).info.stages for version in versions}
    return {stage: [version for version in versions if stage in told[version]] for stage in (CURRENT, PREVIOUS)}


class Stages:
    """A stage is on one version at a time, and moves only as it is told or as the versions do."""

    @reaches("reads_tell_all")
    @needs("write", "stages", "versions")
    async def test_a_stage_is_on_one_version_at_a_time(self, backend: Backend) -> None:
        """It moves, and it can be taken away."""
        first, second = [await backend.write(SECRET, document(turn=str(turn))) for turn in range(2)]
        for target in (first.id, second.id, None):
            await backend.move_stage(SECRET, "pending", version=target)
            found = [(await backend.read(SECRET, version=info.id)).info for info in (first, second)]
            assert ([] if target is None else [target]) == [info.id for info in found if "pending" in info.stages]

    @needs("write", "stages", "versions")
    async def test_another_stage_leaves_current_where_it_is(self, backend: Backend) -> None:
        """A version that is being tried is served to nobody who did not ask for it."""
        first, second = [await backend.write(SECRET, document(turn=str(turn))) for turn in range(2)]
        await backend.move_stage(SECRET, "pending", version=first.id)
        assert second.id == (await backend.read(SECRET)).info.id

    @reaches("reads_tell_all")
    @needs("write", "stages", "versions")
    async def test_a_stage_stays_where_it_was_put(self, backend: Backend) -> None:
        """A later write takes away only what is its own: current, and with it previous."""
        first = await backend.write(SECRET, document(turn="1"))
        await backend.move_stage(SECRET, "pending", version=first.id)
        second = await backend.write(SECRET, document(turn="2"))
        assert "pending" in (await backend.read(SECRET, version=first.id)).info.stages
        assert "pending" not in (await backend.read(SECRET, version=second.id)).info.stages

    @reaches("reads_tell_all")
    @needs("write", "stages", "versions")
    async def test_current_and_previous_follow_the_writes(self, backend: Backend) -> None:
        """The newest is current, the one before it previous, and no other is either."""
        written = [await backend.write(SECRET, document(turn=str(turn))) for turn in range(3)]
        found = [(await backend.read(SECRET, version=info.id)).info.stages for info in written]
        told = [stages & {CURRENT, PREVIOUS} for stages in found]
        assert [set(), {PREVIOUS}, {CURRENT}] == told
        assert CURRENT in (await backend.read(SECRET)).info.stages

    @needs("write", "stages", "versions")
    async def test_a_stage_is_not_put_on_what_is_not_there(self, backend: Backend) -> None:
        """Neither on a version that never was, nor on a secret."""
        written = await backend.write(SECRET, document(a="b"))
        with pytest.raises(VersionNotFound):
            await backend.move_stage(SECRET, "pending", version="no-such-id")
        with pytest.raises(SecretNotFound):
            await backend.move_stage(MISSING, "pending", version=written.id)
        assert "pending" not in (await backend.read(SECRET)).info.stages

    @needs("write", "move_current", "versions")
    async def test_moving_current_moves_previous(self, backend: Backend) -> None:
        """It is put where current was, and nowhere else: rolling back is one step, and so is undoing it."""
        first, second = [await backend.write(SECRET, document(turn=str(turn))) for turn in range(2)]
        for current, previous in ((first.id, second.id), (second.id, first.id)):
            await backend.move_stage(SECRET, CURRENT, version=current)
            assert current == (await backend.read(SECRET)).info.id
            assert {CURRENT: [current], PREVIOUS: [previous]} == await holders(backend, first.id, second.id)

    @needs("write", "move_current", "versions")
    async def test_a_write_after_a_rollback_is_current(self, backend: Backend) -> None:
        """And previous is what was current until then, though it is not the version before."""
        first, second = [await backend.write(SECRET, document(turn=str(turn))) for turn in range(2)]
        await backend.move_stage(SECRET, CURRENT, version=first.id)
        third = await backend.write(SECRET, document(turn="3"))
        found = await holders(backend, first.id, second.id, third.id)
        assert {CURRENT: [third.id], PREVIOUS: [first.id]} == found

    @needs("write", "move_current", "versions")
    async def test_previous_is_moved_alone_or_not_at_all(self, backend: Backend) -> None:
        """Current stays where it is."""
        written = [(await backend.write(SECRET, document(turn=str(turn)))).id for turn in range(3)]
        holder = written[0]
        try:
            await backend.move_stage(SECRET, PREVIOUS, version=holder)
        except InvalidValue:
            holder = written[1]
        assert {CURRENT: [written[2]], PREVIOUS: [holder]} == await holders(backend, *written)

    @needs("write", "stages", "versions")
    @lacks("move_current")
    async def test_previous_follows_where_current_does(self, backend: Backend) -> None:
        """A store in which current cannot be moved moves the other neither."""
        first, second = [await backend.write(SECRET, document(turn=str(turn))) for turn in range(2)]
        for version in (second.id, None):
            with pytest.raises(Unsupported):
                await backend.move_stage(SECRET, PREVIOUS, version=version)
        assert second.id == (await backend.read(SECRET)).info.id
        assert (await backend.read(SECRET, version=first.id)).value.fields() == {"turn": "0"}

    @needs("write", "stages")
    async def test_current_is_never_taken_away(self, backend: Backend) -> None:
        """A secret that has versions has a current one."""
        written = await backend.write(SECRET, document(a="b"))
        with pytest.raises((InvalidValue, Unsupported)):
            await backend.move_stage(SECRET, CURRENT, version=None)
        assert written.id == (await backend.read(SECRET)).info.id

    @needs("write", "stages", "versions", "delete_versions")
    async def test_a_stage_on_a_version_that_is_not_live_serves_nothing(self, backend: Backend) -> None:
        """It may be refused as Gone; either way the version stays what it is, and so does the current one."""
        first, second = [await backend.write(SECRET, document(turn=str(turn))) for turn in range(2)]
        await backend.delete(SECRET, versions=[first.id])
        with contextlib.suppress(Gone):
            await backend.move_stage(SECRET, "pending", version=first.id)
        with pytest.raises(Gone):
            await backend.read(SECRET, version=first.id)
        assert second.id == (await backend.read(SECRET)).info.id

    @needs("write", "move_current", "versions", "delete_versions")
    async def test_current_is_not_moved_to_a_version_that_is_not_live(self, backend: Backend) -> None:
        """A rollback to what cannot be read is refused, and readers keep what they had."""
        first, second = [await backend.write(SECRET, document(turn=str(turn))) for turn in range(2)]
        await backend.delete(SECRET, versions=[first.id])
        with pytest.raises(Gone):
            await backend.move_stage(SECRET, CURRENT, version=first.id)
        assert second.id == (await backend.read(SECRET)).info.id
