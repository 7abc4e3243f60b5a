"""Settings of a mount: they hold for each of its secrets, beside the secret's own."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardgate.spi.backend import Backend
from wardgate.spi.errors import Gone, InvalidValue, PreconditionRequired, SecretNotFound, Unavailable
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import TEXT, Entry, Expect, SecretSettings, Value, VersionState
from wardgate_native.options import Options
from wardgate_native.store.changes import Rules
from wardgate_native.store.head import Head

T = TypeVar("T")
PATH = Path.parse("app/db")
VALUE = Value(b"x", TEXT)
SECOND = 1_000_000_000
NONE = SecretSettings(0, compare_and_set_required=False, delete_after=0)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)


def set_mount(store: Backend, **settings: Any) -> None:
    run(store.annotate(ROOT, settings=SecretSettings(**settings)))


def versions(store: Backend) -> list[str]:
    return [info.id for info in run(store.describe(PATH)).versions]


def test_a_mount_has_no_settings_until_somebody_sets_some(store: Backend, bench: Any) -> None:
    """Then they are there for whoever opens the store next; what is not given stays."""
    assert NONE == run(store.describe(ROOT)).settings
    set_mount(store, max_versions=3)
    set_mount(store, delete_after=SECOND)
    assert SecretSettings(3, compare_and_set_required=False, delete_after=SECOND) == run(store.describe(ROOT)).settings
    again = bench.store()
    assert run(store.describe(ROOT)) == run(again.describe(ROOT))
    assert NONE == run(bench.store("another-mount").describe(ROOT)).settings


def test_the_mount_s_option_shows_as_its_setting(bench: Any) -> None:
    """Whoever asks whether writes must say what they replace is told the truth."""
    strict = bench.store(options=Options(compare_and_set_required=True))
    assert run(strict.describe(ROOT)).settings.compare_and_set_required


def test_the_larger_number_of_versions_is_kept(store: Backend) -> None:
    """The mount's or the secret's own."""
    set_mount(store, max_versions=2)
    for _ in range(4):
        run(store.write(PATH, VALUE))
    assert ["3", "4"] == versions(store)
    run(store.annotate(PATH, settings=SecretSettings(max_versions=3)))
    run(store.write(PATH, VALUE))
    run(store.write(PATH, VALUE))
    assert ["4", "5", "6"] == versions(store)
    run(store.annotate(PATH, settings=SecretSettings(max_versions=1)))
    run(store.write(PATH, VALUE))
    assert ["6", "7"] == versions(store)


def test_either_can_demand_a_compare_and_set(store: Backend) -> None:
    """A secret cannot be laxer than its mount."""
    set_mount(store, compare_and_set_required=True)
    run(store.annotate(PATH, settings=SecretSettings(compare_and_set_required=False)))
    with pytest.raises(PreconditionRequired):
        run(store.write(PATH, VALUE))
    assert "1" == run(store.write(PATH, VALUE, expect=Expect(None))).id
    set_mount(store, compare_and_set_required=False)
    assert "2" == run(store.write(PATH, VALUE)).id


def test_the_shorter_life_ends_a_version(store: Backend, clock: Any) -> None:
    """The mount's or the secret's own; a negative one of the mount ends nothing, whatever the secret says."""
    set_mount(store, delete_after=60 * SECOND)
    first = run(store.write(PATH, VALUE))
    assert first.expires_at == clock.now() + 60 * SECOND
    run(store.annotate(PATH, settings=SecretSettings(delete_after=10 * SECOND)))
    assert run(store.write(PATH, VALUE)).expires_at == clock.now() + 10 * SECOND
    clock.pass_seconds(11)
    with pytest.raises(Gone) as raised:
        run(store.read(PATH))
    assert raised.value.info is not None
    assert VersionState.EXPIRED is raised.value.info.state
    set_mount(store, delete_after=-SECOND)
    assert run(store.write(PATH, VALUE)).expires_at is None


def test_what_is_undeleted_has_a_whole_life_again(store: Backend, clock: Any) -> None:
    """By the settings as they are then."""
    run(store.annotate(PATH, settings=SecretSettings(delete_after=10 * SECOND)))
    run(store.write(PATH, VALUE))
    clock.pass_seconds(11)
    run(store.undelete(PATH, versions=["1"]))
    assert run(store.read(PATH)).info.expires_at == clock.now() + 10 * SECOND
    run(store.annotate(PATH, settings=SecretSettings(delete_after=0)))
    clock.pass_seconds(11)
    run(store.undelete(PATH, versions=["1"]))
    assert run(store.read(PATH)).info.expires_at is None


KEPT = st.integers(0, 5)
LIFE = st.integers(-1, 5)


@given(KEPT, KEPT, LIFE, st.integers(0, 5))
def test_the_rules_are_vault_s(of_mount: int, of_secret: int, mount_life: int, secret_life: int) -> None:
    """The larger number of versions, or ten; the shorter life of those that are set."""
    mount = Head("m", 1, 1, max_versions=of_mount, delete_after=mount_life)
    secret = Head("s", 1, 1, max_versions=of_secret, delete_after=secret_life)
    rules = Rules.of(Options(), mount)
    assert (max(of_mount, of_secret) or 10) == rules.kept(secret)
    lives = [life for life in (mount_life, secret_life) if life > 0]
    assert (100 + min(lives) if lives and mount_life >= 0 else 0) == rules.end(secret, 100)


@pytest.mark.parametrize(
    "settings",
    [SecretSettings(max_versions=-1), SecretSettings(max_versions=1_001), SecretSettings(delete_after=2**62)],
)
def test_settings_of_a_mount_are_bounded(store: Backend, settings: SecretSettings) -> None:
    """As a secret's are."""
    with pytest.raises(InvalidValue):
        run(store.annotate(ROOT, settings=settings))


def test_the_mount_is_no_secret(store: Backend) -> None:
    """Its settings show in no list, and nothing else can be done to it."""
    set_mount(store, max_versions=2)
    run(store.write(Path.parse("a"), VALUE))
    assert (Entry("a"),) == run(store.list(ROOT)).entries
    with pytest.raises(SecretNotFound):
        run(store.read(ROOT))
    for refused in (
        store.write(ROOT, VALUE),
        store.annotate(ROOT, labels={"a": "b"}),
        store.delete(ROOT),
        store.destroy(ROOT),
        store.move_stage(ROOT, "pending", version=None),
    ):
        with pytest.raises(InvalidValue):
            run(refused)
    assert 2 == run(store.describe(ROOT)).settings.max_versions


def test_settings_that_were_changed_outside_are_not_believed(
    store: Backend, bench: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """They carry a MAC as every head does; a write does not go on without them, and what is there can be read."""
    set_mount(store, compare_and_set_required=True)
    run(store.write(PATH, VALUE, expect=Expect(None)))
    (head,) = bench.sql("SELECT head FROM native_secrets WHERE place = x''")[0]
    bench.sql("UPDATE native_secrets SET head = ? WHERE place = x''", head[:-1] + bytes([head[-1] ^ 1]))
    for refused in (store.describe(ROOT), store.write(PATH, VALUE), store.write(PATH, VALUE, expect=Expect("1"))):
        with pytest.raises(Unavailable, match="the settings of this mount were changed outside") as caught:
            run(refused)
        assert caught.value.answered
    assert 3 == caplog.text.count("the settings of the mount mount-1: changed outside the gateway")
    assert VALUE == run(store.read(PATH)).value


class TestLabels:
    """Labels can be merged into those there are."""

    def test_a_merge_adds_changes_and_takes_away(self, store: Backend) -> None:
        """And leaves the rest."""
        run(store.annotate(PATH, labels={"a": "1", "b": "2", "c": "3"}))
        run(store.annotate(PATH, labels={"a": None, "b": "4", "d": "5", "none": None}, merge=True))
        assert {"b": "4", "c": "3", "d": "5"} == run(store.describe(PATH)).labels

    def test_a_merge_makes_no_secret(self, store: Backend) -> None:
        """There must be something to merge into."""
        with pytest.raises(SecretNotFound):
            run(store.annotate(PATH, labels={"a": "1"}, merge=True))
        assert () == run(store.list(ROOT)).entries

    def test_merged_labels_are_bounded_together(self, store: Backend) -> None:
        """64 at most, however they came; nothing is changed by one too many."""
        run(store.annotate(PATH, labels={str(number): "x" for number in range(64)}))
        with pytest.raises(InvalidValue):
            run(store.annotate(PATH, labels={"one more": "x"}, merge=True))
        assert len(run(store.describe(PATH)).labels) == 64

    def test_answers_about_versions_show_them(self, store: Backend) -> None:
        """A write's, and that of a version that is gone."""
        run(store.annotate(PATH, labels={"owner": "ada"}))
        assert {"owner": "ada"} == run(store.write(PATH, VALUE)).labels
        run(store.delete(PATH))
        with pytest.raises(Gone) as raised:
            run(store.read(PATH))
        assert raised.value.info is not None
        assert {"owner": "ada"} == raised.value.info.labels
