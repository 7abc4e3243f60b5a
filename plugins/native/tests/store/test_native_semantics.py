"""What the native store does with versions, stages, deletion, labels and settings."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from wardgate.spi.backend import Backend
from wardgate.spi.errors import (
    Conflict,
    Gone,
    InvalidValue,
    Malformed,
    PreconditionRequired,
    SecretNotFound,
    TooLarge,
    VersionNotFound,
)
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import BYTES, JSON, TEXT, Expect, SecretSettings, SecretVersion, Value, VersionState
from wardgate_native.options import Options

if TYPE_CHECKING:
    from tests.store.conftest import Bench, StoppedClock

T = TypeVar("T")
PATH = Path.parse("prod/db/password")
SECOND = 1_000_000_000


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)


def put(store: Backend, *texts: str, path: Path = PATH) -> None:
    for text in texts:
        run(store.write(path, Value(text.encode(), TEXT)))


def texts(store: Backend, *ids: str) -> list[str]:
    return [run(store.read(PATH, version=version)).value.data.decode() for version in ids]


def states(store: Backend) -> dict[str, VersionState]:
    return {info.id: info.state for info in run(store.describe(PATH)).versions}


def stages(store: Backend) -> dict[str, str]:
    return {stage: info.id for info in run(store.describe(PATH)).versions for stage in info.stages}


@pytest.mark.parametrize(
    "value",
    [
        Value(b"", TEXT),
        Value(b'{"a": 1,\n "b":2}', JSON),
        Value(bytes(range(256)), BYTES),
        Value("größe \0 鍵".encode(), "text/plain; charset=utf-8"),
        Value(b"x" * 1_048_576, "application/x-huge"),
    ],
    ids=["empty", "json", "bytes", "text", "a mebibyte"],
)
def test_bytes_in_are_bytes_out(store: Backend, value: Value) -> None:
    """Bytes and media type come back as they were given, with a decimal id that is the ordinal."""
    written = run(store.write(PATH, value))
    found = run(store.read(PATH))
    assert (value, written) == (found.value, found.info)
    assert ("1", 1, frozenset({"current"})) == (written.id, written.ordinal, written.stages)


def test_versions_are_numbered_and_readable(store: Backend, clock: StoppedClock) -> None:
    """Each write is a version of its own; the last is current, the one before previous."""
    started = clock.now()
    for text in "abc":
        put(store, text)
        clock.pass_seconds(1)
    assert ["a", "b", "c"] == texts(store, "1", "2", "3")
    assert "c" == run(store.read(PATH)).value.data.decode()
    assert {"current": "3", "previous": "2"} == stages(store)
    described = run(store.describe(PATH))
    assert [started, started + SECOND, started + 2 * SECOND] == [info.created_at for info in described.versions]
    assert (started, started + 2 * SECOND) == (described.created_at, described.updated_at)


def test_unknown_secrets_and_versions(store: Backend) -> None:
    """What never was is not found, whatever text names it."""
    with pytest.raises(SecretNotFound):
        run(store.read(PATH))
    with pytest.raises(SecretNotFound):
        run(store.describe(PATH))
    put(store, "a")
    for version in ("2", "0", "01", "-1", "1 ", "१", "x", "", "9" * 5_000):
        with pytest.raises(VersionNotFound):
            run(store.read(PATH, version=version))


def test_the_oldest_versions_are_dropped(store: Backend) -> None:
    """Ten are kept by default, a secret's own number goes first, and numbers are never used again."""
    put(store, *(str(number) for number in range(1, 13)))
    assert [str(number) for number in range(3, 13)] == [info.id for info in run(store.describe(PATH)).versions]
    with pytest.raises(VersionNotFound):
        run(store.read(PATH, version="2"))

    run(store.annotate(PATH, settings=SecretSettings(max_versions=2)))
    assert 10 == len(run(store.describe(PATH)).versions)
    put(store, "13")
    assert ["12", "13"] == [info.id for info in run(store.describe(PATH)).versions]


def test_the_mounts_default_of_versions(bench: Bench) -> None:
    """The mount's option holds where a secret has no number of its own; a stage goes with its version."""
    store = bench.store(options=Options(max_versions=1))
    put(store, "a", "b")
    assert {"current": "2"} == stages(store)


class TestCompareAndSet:
    """A write that says what it replaces."""

    def test_none_expects_no_version(self, store: Backend) -> None:
        """It succeeds once; a deleted version is still a version."""
        run(store.write(PATH, Value(b"a"), expect=Expect(None)))
        for spoil in (None, store.delete):
            if spoil:
                run(spoil(PATH))
            with pytest.raises(Conflict):
                run(store.write(PATH, Value(b"b"), expect=Expect(None)))

    def test_a_secret_without_versions_satisfies_none(self, store: Backend) -> None:
        """Labels alone make no version."""
        run(store.annotate(PATH, labels={"owner": "me"}))
        assert "1" == run(store.write(PATH, Value(b"a"), expect=Expect(None))).id

    @pytest.mark.parametrize("wrong", ["1", "3", "0", "", "x", "02"])
    def test_another_version_conflicts(self, store: Backend, wrong: str) -> None:
        """Nothing is written."""
        put(store, "a", "b")
        with pytest.raises(Conflict):
            run(store.write(PATH, Value(b"c"), expect=Expect(wrong)))
        assert "3" == run(store.write(PATH, Value(b"c"), expect=Expect("2"))).id

    def test_nothing_to_annotate_makes_no_secret(self, store: Backend) -> None:
        """Neither labels nor settings were given."""
        run(store.annotate(PATH))
        with pytest.raises(SecretNotFound):
            run(store.describe(PATH))

    def test_a_version_of_no_secret_conflicts(self, store: Backend) -> None:
        """There is nothing to replace."""
        with pytest.raises(Conflict):
            run(store.write(PATH, Value(b"c"), expect=Expect("1")))

    def test_exactly_one_of_many_wins(self, store: Backend) -> None:
        """Of 64 that expect the same version one succeeds, and the others hear of it."""
        put(store, "a")

        async def race() -> list[object]:
            attempts = [store.write(PATH, Value(str(n).encode()), expect=Expect("1")) for n in range(64)]
            return list(await asyncio.gather(*attempts, return_exceptions=True))

        results = run(race())
        assert 63 == sum(isinstance(result, Conflict) for result in results)
        assert ["1", "2"] == [info.id for info in run(store.describe(PATH)).versions]

    def test_none_of_many_that_expect_nothing_is_lost(self, store: Backend) -> None:
        """64 plain writes at once are 64 versions."""
        run(store.annotate(PATH, settings=SecretSettings(max_versions=100)))

        async def race() -> list[str]:
            attempts = [store.write(PATH, Value(str(n).encode())) for n in range(64)]
            return [info.id for info in await asyncio.gather(*attempts)]

        ids = run(race())
        assert {str(number) for number in range(1, 65)} == set(ids)
        assert [str(n) for n in range(64)] == texts(store, *ids)

    def test_exactly_one_of_two_workers_wins(self, bench: Bench, store: Backend) -> None:
        """Two writers of one file, as two processes have, exclude one another."""
        put(store, "a")
        worker = type(bench)(bench.file.parent)
        rival = worker.store()

        async def race() -> list[object]:
            attempts = [who.write(PATH, Value(b"b"), expect=Expect("1")) for _ in range(16) for who in (store, rival)]
            return list(await asyncio.gather(*attempts, return_exceptions=True))

        results = run(race())
        worker.close()
        assert 31 == sum(isinstance(result, Conflict) for result in results)
        assert ["1", "2"] == [info.id for info in run(store.describe(PATH)).versions]

    def test_required_by_the_secret_or_the_mount(self, bench: Bench) -> None:
        """Then a write that says nothing is refused."""
        store = bench.store()
        run(store.annotate(PATH, settings=SecretSettings(compare_and_set_required=True)))
        with pytest.raises(PreconditionRequired):
            put(store, "a")
        run(store.write(PATH, Value(b"a"), expect=Expect(None)))
        strict = bench.store("mount-2", Options(compare_and_set_required=True))
        with pytest.raises(PreconditionRequired):
            put(strict, "a")


class TestDeletion:
    """Delete, undelete, destroy."""

    def test_delete_and_undelete(self, store: Backend, clock: StoppedClock) -> None:
        """A deleted version is Gone and says when; undeleted it is back. The stages do not move."""
        put(store, "a", "b")
        run(store.delete(PATH))
        for version in (None, "2"):
            with pytest.raises(Gone) as gone:
                run(store.read(PATH, version=version))
            assert gone.value.info is not None
            assert (VersionState.DELETED, clock.now()) == (gone.value.info.state, gone.value.info.deleted_at)
        assert ["a"] == texts(store, "1")
        assert {"current": "2", "previous": "1"} == stages(store)

        run(store.undelete(PATH, versions=["2"]))
        assert ["b"] == texts(store, "2")

    def test_chosen_versions(self, store: Backend) -> None:
        """Those named and no others; what never was is passed over."""
        put(store, "a", "b", "c")
        run(store.delete(PATH, versions=["1", "2", "7"]))
        run(store.undelete(PATH, versions=["2", "3", "9"]))
        assert {"1": VersionState.DELETED, "2": VersionState.LIVE, "3": VersionState.LIVE} == states(store)

    def test_what_names_no_version(self, store: Backend) -> None:
        """Text that could be no version of this store is a mistake, and nothing is done."""
        put(store, "a")
        for attempt in (store.delete, store.undelete, store.destroy):
            with pytest.raises(VersionNotFound):
                run(attempt(PATH, versions=["1", "x"]))
        assert {"1": VersionState.LIVE} == states(store)

    def test_deleting_twice_keeps_the_first_time(self, store: Backend, clock: StoppedClock) -> None:
        """A second deletion changes nothing."""
        put(store, "a")
        run(store.delete(PATH))
        first = run(store.describe(PATH))
        clock.pass_seconds(5)
        run(store.delete(PATH))
        assert first == run(store.describe(PATH))

    def test_destroyed_versions_stay_known(self, store: Backend) -> None:
        """They cannot be read or recovered, and the secret goes on counting."""
        put(store, "a", "b")
        run(store.destroy(PATH, versions=["2"]))
        run(store.undelete(PATH, versions=["2"]))
        with pytest.raises(Gone, match="destroyed"):
            run(store.read(PATH))
        assert {"1": VersionState.LIVE, "2": VersionState.DESTROYED} == states(store)
        put(store, "c")
        assert ["a", "c"] == texts(store, "1", "3")

    def test_destroying_all_forgets_the_secret(self, store: Backend) -> None:
        """Nothing of it is left, and a new one of that name begins at 1."""
        put(store, "a", "b")
        run(store.destroy(PATH))
        with pytest.raises(SecretNotFound):
            run(store.read(PATH))
        assert () == run(store.list(ROOT)).entries
        put(store, "c")
        assert {"1": VersionState.LIVE} == states(store)

    def test_nothing_to_delete_is_no_error(self, store: Backend) -> None:
        """Whoever deletes twice has what was wanted."""
        run(store.delete(PATH))
        run(store.delete(PATH, versions=["1"]))
        run(store.undelete(PATH, versions=["1"]))
        run(store.destroy(PATH, versions=["1"]))
        run(store.destroy(PATH))
        with pytest.raises(SecretNotFound):
            run(store.describe(PATH))

    def test_versions_expire_by_themselves(self, store: Backend, clock: StoppedClock) -> None:
        """From its time on a version is Gone as expired; undeleting lifts the expiry."""
        run(store.annotate(PATH, settings=SecretSettings(delete_after=10 * SECOND)))
        put(store, "a")
        clock.pass_seconds(9.999)
        assert clock.now() < (run(store.read(PATH)).info.expires_at or 0)
        clock.pass_seconds(0.001)
        with pytest.raises(Gone, match="expired"):
            run(store.read(PATH))
        run(store.undelete(PATH, versions=["1"]))
        assert ["a"] == texts(store, "1")
        run(store.annotate(PATH, settings=SecretSettings(delete_after=0)))
        put(store, "b")
        clock.pass_seconds(1_000)
        assert ["b"] == texts(store, "2")


def test_what_cannot_be_written(store: Backend) -> None:
    """Too large a value, a media type that is none, a secret without a name."""
    with pytest.raises(TooLarge):
        run(store.write(PATH, Value(b"x" * 1_048_577)))
    for media_type in ("", "x" * 256):
        with pytest.raises(InvalidValue):
            run(store.write(PATH, Value(b"x", media_type)))
    with pytest.raises(InvalidValue):
        run(store.write(ROOT, Value(b"x")))


def test_stores_on_one_file_are_apart(bench: Bench) -> None:
    """Two mounts of a namespace share the file and nothing else."""
    one, two = bench.store("mount-1"), bench.store("mount-2")
    put(one, "mine")
    with pytest.raises(SecretNotFound):
        run(two.read(PATH))
    assert () == run(two.list(ROOT)).entries
    put(two, "theirs")
    run(two.destroy(PATH))
    assert ["mine"] == texts(one, "1")


def test_it_is_there_after_reopening(bench: Bench) -> None:
    """A second opening finds the schema and every secret as it was."""
    put(bench.store(), "a", "b")
    assert ["a", "b"] == texts(bench.store(), "1", "2")


def test_bad_options_stop_the_mount(bench: Bench) -> None:
    """One sentence says what may be set."""
    with pytest.raises(InvalidValue, match="max_versions must be 1 to 1000"):
        bench.store(options=Options(max_versions=0))


def test_health(store: Backend, bench: Bench) -> None:
    """A file that answers is healthy; a closed one is not, and ``health`` does not raise."""
    assert run(store.health()).ok
    run(store.close())
    bench.close()
    assert not run(store.health()).ok


def test_no_value_shows(store: Backend) -> None:
    """Neither the answer nor an error shows a value."""
    put(store, "hunter2")
    found: SecretVersion = run(store.read(PATH))
    assert "hunter2" not in repr(found)
    with pytest.raises(Conflict) as refused:
        run(store.write(PATH, Value(b"hunter3"), expect=Expect(None)))
    assert "hunter" not in repr(refused.value)


def test_pages_have_bounds(store: Backend) -> None:
    """A limit below 1 is refused, one above the page size is cut to it."""
    for limit in (0, -1):
        with pytest.raises(Malformed):
            run(store.list(ROOT, limit=limit))

    async def fill() -> None:
        await asyncio.gather(*(store.write(Path.parse(f"n{number}"), Value(b"")) for number in range(1_001)))

    run(fill())
    assert 1_000 == len(run(store.list(ROOT, limit=10**12)).entries)
