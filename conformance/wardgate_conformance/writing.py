"""Cases: writing, compare-and-set, and the versions that writing makes."""

from __future__ import annotations

import contextlib
from typing import ClassVar

import pytest
from wardgate.spi.backend import Backend
from wardgate.spi.errors import Conflict, PreconditionRequired, SecretNotFound, TooLarge, VersionNotFound
from wardgate.spi.path import MAX_SEGMENT_BYTES, ROOT, Path
from wardgate.spi.values import BYTES, TEXT, Expect, SecretSettings, Value, VersionState

from wardgate_conformance.harness import Harness
from wardgate_conformance.selection import needs, reaches
from wardgate_conformance.values import OTHER, SECRET, document, names, same


def _longer(limit: int, end: str) -> Path:
    """A path of more bytes than ``limit``, of which only the last one tells it from others."""
    room = limit + (1 if (limit + 1) % (MAX_SEGMENT_BYTES + 1) else 2)
    whole = "n" * (room - 1) + end
    return Path(tuple(whole[start : start + MAX_SEGMENT_BYTES] for start in range(0, room, MAX_SEGMENT_BYTES + 1)))


class Writing:
    """A write makes a version, and says which."""

    @needs("write")
    async def test_the_store_holds_what_was_written(self, backend: Backend, harness: Harness) -> None:
        """Asked behind the backend's back: the vendor's own tools see the fields."""
        await backend.write(SECRET, document(user="ada", note="grüße"))
        assert await harness.get(SECRET) == {"user": "ada", "note": "grüße"}

    @needs("write")
    async def test_a_write_names_the_version_it_made(self, backend: Backend) -> None:
        """The id in the answer is the id a reader sees."""
        written = await backend.write(SECRET, document(a="b"))
        assert VersionState.LIVE is written.state
        assert written.id == (await backend.read(SECRET)).info.id

    @reaches("reads_tell_all")
    @needs("write")
    async def test_a_reader_is_told_of_a_version_what_its_writer_was(self, backend: Backend) -> None:
        """Its times, its state and its stages."""
        written = await backend.write(SECRET, document(a="b"))
        assert written == (await backend.read(SECRET)).info

    @needs("write")
    async def test_a_second_write_replaces_the_first(self, backend: Backend) -> None:
        """The last write is the current version, under an id of its own."""
        first = await backend.write(SECRET, document(turn="1"))
        second = await backend.write(SECRET, document(turn="2"))
        found = await backend.read(SECRET)
        assert (second.id, {"turn": "2"}) == (found.info.id, found.value.fields())
        assert first.id != second.id

    @needs("write", "versions")
    async def test_the_same_value_twice_is_two_versions(self, backend: Backend) -> None:
        """A write is an event. Only a store that keeps one version may know it by what it holds."""
        value = document(a="b")
        assert (await backend.write(SECRET, value)).id != (await backend.write(SECRET, value)).id

    @needs("write")
    async def test_secrets_do_not_touch_each_other(self, backend: Backend) -> None:
        """Not a neighbour, and not a secret whose path is the beginning of another's."""
        below = SECRET.child("replica")
        for path in (SECRET, OTHER, below):
            await backend.write(path, document(path=str(path)))
        for path in (SECRET, OTHER, below):
            assert {"path": str(path)} == (await backend.read(path)).value.fields()

    @needs("write")
    async def test_the_largest_value_declared_fits(self, backend: Backend) -> None:
        """The limit is the truth also for bytes that take most room when written as text."""
        for byte in (b"\x01", b"\xff", b'"'):
            value = Value(byte * backend.capabilities.max_value_bytes)
            await backend.write(SECRET, value)
            assert value.data == (await backend.read(SECRET)).value.data

    @needs("write", "max_text_bytes")
    async def test_the_longest_text_declared_fits(self, backend: Backend) -> None:
        """Where that is more than any value may have."""
        for text in (b"x", b'"', "ü".encode()):
            value = Value(text * (backend.capabilities.max_text_bytes // len(text)))
            await backend.write(SECRET, value)
            assert value.data == (await backend.read(SECRET)).value.data

    @needs("write")
    async def test_what_is_larger_than_declared_is_refused_or_whole(self, backend: Backend) -> None:
        """By a byte, of a value or a path: TooLarge and not there, or whole. The gateway asks no store for either."""
        able = backend.capabilities
        tried = {SECRET: Value(b"x" * max(able.max_value_bytes, able.max_text_bytes) + b"y")}
        tried |= {_longer(able.max_path_bytes, end): document(end=end) for end in "ab"}
        if able.max_text_bytes:
            tried[OTHER] = Value(b"\xff" * (able.max_value_bytes + 1))  # what is no text has no more room than others
        held = {}
        for path, value in tried.items():
            with contextlib.suppress(TooLarge):
                await backend.write(path, value)
                held[path] = value
        for path, value in tried.items():
            if path in held:
                assert same(value, (await backend.read(path)).value)
            else:
                with pytest.raises((SecretNotFound, TooLarge)):
                    await backend.read(path)
        if able.list:
            assert bool(held) == bool(await names(backend, ROOT))

    @needs("write", "media_types")
    @pytest.mark.parametrize("media_type", [TEXT, BYTES, "application/x-pem-file"])
    async def test_the_media_type_is_kept(self, backend: Backend, media_type: str) -> None:
        """Declared, so held to."""
        await backend.write(SECRET, Value(b"-----BEGIN", media_type))
        assert media_type == (await backend.read(SECRET)).value.media_type


class CompareAndSet:
    """A writer says what it believes; where it is wrong, nothing happens."""

    @needs("compare_and_set")
    async def test_expecting_nothing_creates_once(self, backend: Backend) -> None:
        """The second creator learns that it was second."""
        await backend.write(SECRET, document(by="first"), expect=Expect(None))
        with pytest.raises(Conflict):
            await backend.write(SECRET, document(by="second"), expect=Expect(None))
        assert (await backend.read(SECRET)).value.fields() == {"by": "first"}

    @needs("compare_and_set")
    async def test_expecting_the_current_version_writes(self, backend: Backend) -> None:
        """The read-change-write of every careful client."""
        first = await backend.write(SECRET, document(turn="1"))
        second = await backend.write(SECRET, document(turn="2"), expect=Expect(first.id))
        assert second == (await backend.read(SECRET)).info

    @needs("compare_and_set")
    async def test_expecting_another_version_writes_nothing(self, backend: Backend, harness: Harness) -> None:
        """A lost race leaves the store as it is: asked behind the backend's back."""
        first = await backend.write(SECRET, document(turn="1"))
        await harness.put(SECRET, {"turn": "2"})
        with pytest.raises(Conflict):
            await backend.write(SECRET, document(turn="3"), expect=Expect(first.id))
        assert await harness.get(SECRET) == {"turn": "2"}

    @needs("compare_and_set")
    @pytest.mark.parametrize("version", ["0", "-1", "999999", "1" * 40, "latest", ""])
    async def test_expecting_a_version_that_never_was_is_a_conflict(self, backend: Backend, version: str) -> None:
        """Whether there are versions or none: an odd id never means "anything goes"."""
        with pytest.raises(Conflict):
            await backend.write(SECRET, document(a="b"), expect=Expect(version))
        await backend.write(SECRET, document(turn="1"))
        with pytest.raises(Conflict):
            await backend.write(SECRET, document(turn="2"), expect=Expect(version))
        assert (await backend.read(SECRET)).value.fields() == {"turn": "1"}

    @needs("compare_and_set", "undelete", "delete_versions")
    async def test_a_deleted_version_is_still_a_version(self, backend: Backend) -> None:
        """Expecting none fails where one waits to be recovered; expecting that one succeeds."""
        first = await backend.write(SECRET, document(turn="1"))
        await backend.delete(SECRET)
        with pytest.raises(Conflict):
            await backend.write(SECRET, document(turn="2"), expect=Expect(None))
        second = await backend.write(SECRET, document(turn="2"), expect=Expect(first.id))
        assert second == (await backend.read(SECRET)).info

    @needs("compare_and_set", "settings")
    async def test_a_secret_can_demand_it(self, backend: Backend) -> None:
        """A plain write is then refused, and a compare-and-set is not."""
        written = await backend.write(SECRET, document(turn="1"))
        await backend.annotate(SECRET, settings=SecretSettings(compare_and_set_required=True))
        with pytest.raises(PreconditionRequired):
            await backend.write(SECRET, document(turn="2"))
        await backend.write(SECRET, document(turn="2"), expect=Expect(written.id))


class Versions:
    """What was written stays readable under its id."""

    keeps: ClassVar[int]

    @needs("write", "versions")
    async def test_older_versions_keep_their_values(self, backend: Backend) -> None:
        """Each id opens the value that was written under it; of a dozen of them, or as many as the store keeps."""
        values = [document(turn=str(turn)) for turn in range(self.keeps)]
        written = [await backend.write(SECRET, values[0])]
        if backend.capabilities.settings:
            await backend.annotate(SECRET, settings=SecretSettings(max_versions=self.keeps))
        written += [await backend.write(SECRET, value) for value in values[1:]]
        for info, value in zip(written, values, strict=True):
            found = await backend.read(SECRET, version=info.id)
            assert info.id == found.info.id
            assert same(value, found.value)

    @needs("write", "versions", "settings")
    async def test_the_oldest_are_dropped_first(self, backend: Backend) -> None:
        """``max_versions`` keeps that many of the newest."""
        written = [await backend.write(SECRET, document(turn="0"))]
        await backend.annotate(SECRET, settings=SecretSettings(max_versions=2))
        written += [await backend.write(SECRET, document(turn=str(turn))) for turn in range(1, 4)]
        with pytest.raises(VersionNotFound):
            await backend.read(SECRET, version=written[0].id)
        for info in written[2:]:
            assert info.id == (await backend.read(SECRET, version=info.id)).info.id

    @needs("write", "describe")
    async def test_a_description_names_the_current_version(self, backend: Backend) -> None:
        """With the same facts that the write answered, and every version where versions are kept."""
        written = [await backend.write(SECRET, document(turn=str(turn))) for turn in range(3)]
        described = await backend.describe(SECRET)
        assert described.current is not None
        assert written[-1].id == described.current.id
        if backend.capabilities.versions:
            assert [info.id for info in written] == [info.id for info in described.versions]
        assert 0 < described.created_at <= described.updated_at
