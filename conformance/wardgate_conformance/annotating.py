"""Cases: labels and settings."""

from __future__ import annotations

import pytest
from wardgate.spi.backend import Backend
from wardgate.spi.errors import Gone, PreconditionRequired, SecretNotFound, Unsupported
from wardgate.spi.path import ROOT
from wardgate.spi.values import SecretSettings, VersionState

from wardgate_conformance.harness import Harness
from wardgate_conformance.selection import lacks, needs, reaches
from wardgate_conformance.values import OTHER, SECRET, document

LABELS: tuple[dict[str, str], ...] = ({"owner": "ada", "größe": "klein"}, {"owner": "grace"}, {})
HOUR = 3_600 * 1_000_000_000


class Annotating:
    """What is said about a secret is kept beside it, and changed without touching its value."""

    @needs("write", "labels", "describe")
    async def test_labels_are_replaced_as_a_whole(self, backend: Backend) -> None:
        """A description tells them; the value is untouched."""
        written = await backend.write(SECRET, document(a="b"))
        for labels in LABELS:
            await backend.annotate(SECRET, labels=labels)
            assert labels == (await backend.describe(SECRET)).labels
            assert written.id == (await backend.read(SECRET)).info.id

    @needs("write", "labels", "describe")
    async def test_labels_are_their_secret_s_own(self, backend: Backend) -> None:
        """They are on no other, and a later write leaves them where they are."""
        for path in (SECRET, OTHER):
            await backend.write(path, document(turn="1"))
        await backend.annotate(SECRET, labels=LABELS[0])
        await backend.write(SECRET, document(turn="2"))
        assert [LABELS[0], {}] == [(await backend.describe(path)).labels for path in (SECRET, OTHER)]

    @reaches("reads_tell_all")
    @needs("labels")
    async def test_a_reader_is_told_the_labels(self, backend: Backend, harness: Harness) -> None:
        """As they are now."""
        await harness.put(SECRET, {"a": "b"})
        for labels in LABELS:
            await backend.annotate(SECRET, labels=labels)
            assert labels == (await backend.read(SECRET)).labels

    @needs("labels", "describe")
    async def test_labels_can_be_merged(self, backend: Backend, harness: Harness) -> None:
        """A merge adds, changes and takes away, and leaves what it does not name."""
        await harness.put(SECRET, {"a": "b"})
        await backend.annotate(SECRET, labels={"owner": "ada", "team": "a", "stays": "x"})
        await backend.annotate(SECRET, labels={"owner": "grace", "team": None, "new": "y", "none": None}, merge=True)
        assert (await backend.describe(SECRET)).labels == {"owner": "grace", "stays": "x", "new": "y"}

    @needs("labels", "describe")
    async def test_a_merge_makes_no_secret(self, backend: Backend) -> None:
        """There must be one to merge into."""
        with pytest.raises(SecretNotFound):
            await backend.annotate(SECRET, labels={"owner": "ada"}, merge=True)
        with pytest.raises(SecretNotFound):
            await backend.describe(SECRET)

    @needs("labels", "settings", "describe")
    async def test_what_is_not_given_stays(self, backend: Backend, harness: Harness) -> None:
        """Labels outlive a change of settings, each setting the change of another, and both a change of labels."""
        await harness.put(SECRET, {"a": "b"})
        await backend.annotate(SECRET, labels={"owner": "ada"})
        await backend.annotate(SECRET, settings=SecretSettings(max_versions=5))
        await backend.annotate(SECRET, settings=SecretSettings(compare_and_set_required=True))
        await backend.annotate(SECRET, settings=SecretSettings(delete_after=HOUR))
        known = await backend.describe(SECRET)
        assert known.labels == {"owner": "ada"}
        assert SecretSettings(5, compare_and_set_required=True, delete_after=HOUR) == known.settings
        await backend.annotate(SECRET, labels={"owner": "grace"})
        assert known.settings == (await backend.describe(SECRET)).settings

    @needs("labels", "describe")
    @lacks("empty_secrets")
    async def test_labels_of_no_secret_make_none(self, backend: Backend) -> None:
        """A secret that was never written has none, and stays missing."""
        with pytest.raises(SecretNotFound):
            await backend.annotate(SECRET, labels={"owner": "ada"})
        with pytest.raises(SecretNotFound):
            await backend.describe(SECRET)

    @needs("labels", "describe", "empty_secrets")
    async def test_a_secret_can_be_described_before_it_is_written(self, backend: Backend) -> None:
        """It has no version then, and reading finds none."""
        await backend.annotate(SECRET, labels={"owner": "ada"})
        known = await backend.describe(SECRET)
        assert (known.current, known.versions, known.labels) == (None, (), {"owner": "ada"})
        with pytest.raises(SecretNotFound):
            await backend.read(SECRET)

    @needs("write", "settings", "describe")
    async def test_versions_can_be_given_an_end(self, backend: Backend, harness: Harness) -> None:
        """``delete_after`` counts from each write; until then the version is live."""
        await harness.put(SECRET, {"turn": "1"})
        await backend.annotate(SECRET, settings=SecretSettings(delete_after=HOUR))
        written = await backend.write(SECRET, document(a="b"))
        assert written.expires_at is not None
        assert pytest.approx(written.expires_at - written.created_at, rel=0.01) == HOUR

    @reaches("passes_time")
    @needs("write", "settings", "describe", "expiry")
    async def test_a_version_past_its_end_is_told_as_expired(self, backend: Backend, harness: Harness) -> None:
        """It is served to nobody; that it ended by itself is what tells it from one that somebody deleted."""
        await harness.put(SECRET, {"turn": "1"})
        await backend.annotate(SECRET, settings=SecretSettings(delete_after=HOUR))
        written = await backend.write(SECRET, document(a="b"))
        harness.pass_time(HOUR)
        for version in (None, written.id) if backend.capabilities.versions else (None,):
            with pytest.raises(Gone) as refused:
                await backend.read(SECRET, version=version)
            assert refused.value.info is not None
            assert (written.id, VersionState.EXPIRED) == (refused.value.info.id, refused.value.info.state)
        current = (await backend.describe(SECRET)).current
        assert current is not None
        assert (written.id, VersionState.EXPIRED) == (current.id, current.state)

    @needs("write", "mount_settings", "describe")
    async def test_a_mount_s_settings_hold_for_its_secrets(self, backend: Backend) -> None:
        """Beside their own: the shorter life ends a version, and a secret's own settings stay what they were."""
        await backend.annotate(ROOT, settings=SecretSettings(delete_after=HOUR))
        assert (await backend.describe(ROOT)).settings.delete_after == HOUR
        written = await backend.write(SECRET, document(a="b"))
        assert written.expires_at is not None
        assert pytest.approx(written.expires_at - written.created_at, rel=0.01) == HOUR
        assert not (await backend.describe(SECRET)).settings.delete_after

    @needs("write", "mount_settings")
    async def test_a_mount_can_demand_a_compare_and_set(self, backend: Backend) -> None:
        """Of every secret; and no longer when it is taken back."""
        await backend.annotate(ROOT, settings=SecretSettings(compare_and_set_required=True))
        with pytest.raises(PreconditionRequired):
            await backend.write(SECRET, document(a="b"))
        await backend.annotate(ROOT, settings=SecretSettings(compare_and_set_required=False))
        await backend.write(SECRET, document(a="b"))

    @needs("mount_settings", "list")
    async def test_a_mount_s_settings_are_no_secret(self, backend: Backend) -> None:
        """They show in no list."""
        await backend.annotate(ROOT, settings=SecretSettings(max_versions=3))
        assert (await backend.list(ROOT)).entries == ()

    @needs("describe")
    @lacks("mount_settings")
    async def test_a_mount_that_has_no_settings_tells_none(self, backend: Backend, harness: Harness) -> None:
        """Its root is no secret, whatever lies below it."""
        await harness.put(SECRET, {"a": "b"})
        with pytest.raises((SecretNotFound, Unsupported)):
            await backend.describe(ROOT)
