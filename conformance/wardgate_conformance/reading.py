"""Cases: reading, and what is missing."""

from __future__ import annotations

import json

import pytest
from wardgate.spi.backend import Backend
from wardgate.spi.errors import SecretNotFound, VersionNotFound
from wardgate.spi.path import Path
from wardgate.spi.values import VersionState

from wardgate_conformance.harness import Harness
from wardgate_conformance.selection import needs
from wardgate_conformance.values import MISSING, SECRET


class Reading:
    """A value is what its store holds, now."""

    async def test_what_the_vendor_s_tool_wrote_reads_naturally(self, backend: Backend, harness: Harness) -> None:
        """Nothing has to be migrated: the fields are the fields."""
        await harness.put(SECRET, {"user": "ada", "note": "grüße"})
        found = await backend.read(SECRET)
        assert json.loads(found.value.data) == {"user": "ada", "note": "grüße"}
        assert VersionState.LIVE is found.info.state
        assert found.info.id

    async def test_a_change_behind_the_backend_is_seen_at_once(self, backend: Backend, harness: Harness) -> None:
        """A backend keeps no copies: caching is the gateway's, which knows whom it may serve."""
        await harness.put(SECRET, {"turn": "1"})
        before = await backend.read(SECRET)
        await harness.put(SECRET, {"turn": "2"})
        after = await backend.read(SECRET)
        assert [before.value.fields(), after.value.fields()] == [{"turn": "1"}, {"turn": "2"}]
        assert before.info.id != after.info.id

    async def test_the_same_version_has_the_same_id_each_time(self, backend: Backend, harness: Harness) -> None:
        """An id is the version's name, not the answer's."""
        await harness.put(SECRET, {"a": "b"})
        assert (await backend.read(SECRET)).info == (await backend.read(SECRET)).info

    @needs("ordinals")
    async def test_ids_are_ordinals_where_that_is_declared(self, backend: Backend, harness: Harness) -> None:
        """Decimal, from 1, growing: then the gateway keeps no ledger for this store."""
        seen = []
        for turn in range(3):
            await harness.put(SECRET, {"turn": str(turn)})
            seen.append((await backend.read(SECRET)).info)
        assert [str(info.ordinal) for info in seen] == [info.id for info in seen]
        assert 1 == seen[0].ordinal < seen[1].ordinal < seen[2].ordinal


class Missing:
    """What is not there is said to be not there: never an empty value, never None."""

    async def test_a_missing_secret_is_not_found(self, backend: Backend) -> None:
        """The first question an author forgets."""
        with pytest.raises(SecretNotFound):
            await backend.read(MISSING)

    async def test_a_folder_is_no_secret(self, backend: Backend, harness: Harness) -> None:
        """What lies below a path does not make it one."""
        await harness.put(SECRET, {"a": "b"})
        with pytest.raises(SecretNotFound):
            await backend.read(Path(SECRET.segments[:-1]))

    async def test_a_path_below_a_secret_is_not_found(self, backend: Backend, harness: Harness) -> None:
        """A secret is not a folder of its fields."""
        await harness.put(SECRET, {"field": "b"})
        with pytest.raises(SecretNotFound):
            await backend.read(SECRET.child("field"))

    @needs("versions")
    @pytest.mark.parametrize("version", ["0", "-1", "999999", "1" * 40, "latest", "", "'", "🗝"])
    async def test_a_version_that_never_was_is_not_found(
        self, backend: Backend, harness: Harness, version: str
    ) -> None:
        """Whatever the id looks like: it is opaque to callers, and so anything at all may come."""
        await harness.put(SECRET, {"a": "b"})
        with pytest.raises(VersionNotFound):
            await backend.read(SECRET, version=version)

    @needs("versions")
    @pytest.mark.parametrize("version", ["1", "no-such-id"])
    async def test_a_version_of_a_missing_secret_is_a_missing_secret(self, backend: Backend, version: str) -> None:
        """The larger absence is the one to name."""
        with pytest.raises(SecretNotFound):
            await backend.read(MISSING, version=version)

    @needs("versions")
    async def test_a_version_belongs_to_its_secret(self, backend: Backend, harness: Harness) -> None:
        """Another secret's version id opens nothing here."""
        await harness.put(SECRET, {"whose": "mine"})
        await harness.put(SECRET, {"whose": "mine"})
        await harness.put(MISSING, {"whose": "theirs"})
        mine = (await backend.read(SECRET)).info.id
        with pytest.raises(VersionNotFound):
            await backend.read(MISSING, version=mine)

    @needs("describe")
    async def test_a_missing_secret_cannot_be_described(self, backend: Backend) -> None:
        """There is nothing to know of it."""
        with pytest.raises(SecretNotFound):
            await backend.describe(MISSING)
