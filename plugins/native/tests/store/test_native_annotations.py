"""What the native store does with stages, labels and settings."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from wardgate.spi.backend import Backend
from wardgate.spi.errors import Gone, InvalidValue, SecretNotFound, VersionNotFound
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import TEXT, Expect, SecretSettings, Value

T = TypeVar("T")
PATH = Path.parse("prod/db/password")
SECOND = 1_000_000_000


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)


def put(store: Backend, *texts: str) -> None:
    for text in texts:
        run(store.write(PATH, Value(text.encode(), TEXT)))


def stages(store: Backend) -> dict[str, str]:
    return {stage: info.id for info in run(store.describe(PATH)).versions for stage in info.stages}


class TestStages:
    """A stage is on one version at a time."""

    def test_custom_stages_move(self, store: Backend) -> None:
        """Put on, moved, taken away; taking away what is nowhere is no error."""
        put(store, "a", "b")
        run(store.move_stage(PATH, "pending", version="2"))
        run(store.move_stage(PATH, "pending", version="1"))
        assert {"current": "2", "previous": "1", "pending": "1"} == stages(store)
        run(store.move_stage(PATH, "pending", version=None))
        run(store.move_stage(PATH, "pending", version=None))
        assert {"current": "2", "previous": "1"} == stages(store)

    def test_moving_current_moves_previous(self, store: Backend) -> None:
        """Rolled back, the store reads the older version, and a write expects that one."""
        put(store, "a", "b", "c")
        run(store.move_stage(PATH, "current", version="1"))
        assert {"current": "1", "previous": "3"} == stages(store)
        assert "a" == run(store.read(PATH)).value.data.decode()
        run(store.move_stage(PATH, "current", version="1"))
        assert "4" == run(store.write(PATH, Value(b"d"), expect=Expect("1"))).id
        assert {"current": "4", "previous": "1"} == stages(store)

    def test_a_stage_needs_a_live_version(self, store: Backend) -> None:
        """Not one that never was, is deleted or destroyed."""
        put(store, "a", "b", "c")
        run(store.delete(PATH, versions=["1"]))
        run(store.destroy(PATH, versions=["2"]))
        for version, error in (("1", Gone), ("2", Gone), ("9", VersionNotFound), ("x", VersionNotFound)):
            with pytest.raises(error):
                run(store.move_stage(PATH, "current", version=version))
        with pytest.raises(SecretNotFound):
            run(store.move_stage(Path.parse("none"), "pending", version="1"))

    @pytest.mark.parametrize("stage", ["", "x" * 257, "a\nb"])
    def test_bad_names(self, store: Backend, stage: str) -> None:
        """A stage's name is short and printable."""
        put(store, "a")
        with pytest.raises(InvalidValue):
            run(store.move_stage(PATH, stage, version="1"))

    def test_current_cannot_be_taken_away(self, store: Backend) -> None:
        """A secret with versions has a current one."""
        put(store, "a")
        with pytest.raises(InvalidValue):
            run(store.move_stage(PATH, "current", version=None))

    def test_stages_are_bounded(self, store: Backend) -> None:
        """64 at most, current and previous among them."""
        put(store, "a")
        for number in range(63):
            run(store.move_stage(PATH, f"stage-{number}", version="1"))
        with pytest.raises(InvalidValue):
            run(store.move_stage(PATH, "one-more", version="1"))


class TestAnnotations:
    """Labels and settings."""

    def test_a_secret_without_versions(self, store: Backend) -> None:
        """It is described and listed, and has nothing to read."""
        run(store.annotate(PATH, labels={"owner": "payments"}))
        described = run(store.describe(PATH))
        assert (None, (), {"owner": "payments"}) == (described.current, described.versions, described.labels)
        with pytest.raises(SecretNotFound):
            run(store.read(PATH))
        with pytest.raises(VersionNotFound):
            run(store.read(PATH, version="1"))
        assert 1 == len(run(store.list(ROOT)).entries)

    def test_labels_are_replaced_settings_changed(self, store: Backend) -> None:
        """None leaves things; labels are replaced as a whole, and read with the value."""
        put(store, "a")
        run(store.annotate(PATH, labels={"a": "1", "b": "2"}, settings=SecretSettings(max_versions=3)))
        run(store.annotate(PATH, labels={"c": "3"}))
        run(store.annotate(PATH, settings=SecretSettings(delete_after=SECOND)))
        assert SecretSettings(3, False, SECOND) == run(store.describe(PATH)).settings  # noqa: FBT003  # its second field
        assert {"c": "3"} == run(store.read(PATH)).labels
        run(store.annotate(PATH, labels={}, settings=SecretSettings(max_versions=0)))
        assert SecretSettings(0, False, SECOND) == run(store.describe(PATH)).settings  # noqa: FBT003  # its second field
        assert {} == run(store.read(PATH)).labels

    @pytest.mark.parametrize(
        "labels",
        [{"": "x"}, {"a" * 129: "x"}, {"a": "x" * 513}, {str(number): "x" for number in range(65)}],
        ids=["no name", "long name", "long value", "too many"],
    )
    def test_labels_are_bounded(self, store: Backend, labels: dict[str, str]) -> None:
        """Beyond the bounds nothing changes."""
        with pytest.raises(InvalidValue):
            run(store.annotate(PATH, labels=labels))
        with pytest.raises(SecretNotFound):
            run(store.describe(PATH))

    @pytest.mark.parametrize(
        "settings",
        [
            SecretSettings(max_versions=-1),
            SecretSettings(max_versions=1_001),
            SecretSettings(delete_after=-1),
            SecretSettings(delete_after=2**63),
        ],
    )
    def test_settings_are_bounded(self, store: Backend, settings: SecretSettings) -> None:
        """Beyond the bounds nothing changes."""
        with pytest.raises(InvalidValue):
            run(store.annotate(PATH, settings=settings))
