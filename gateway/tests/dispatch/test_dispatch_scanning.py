"""A walk through all folders: complete, in pages of any size, and bounded whatever the store answers."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wardgate.crypto import NamespaceKeyring, RootKey
from wardgate.mounts import Mount
from wardgate.pipeline.dispatch import scanning
from wardgate.pipeline.dispatch.cursors import Cursors
from wardgate.pipeline.dispatch.scanning import MAX_CALLS, MAX_SECONDS, scan
from wardgate.pipeline.dispatch.secrets import secret_handlers
from wardgate.pipeline.dispatch.versions import Versions
from wardgate.spi import pages
from wardgate.spi.backend import Backend
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import Malformed, Unsupported
from wardgate.spi.operations.secrets import ListSecrets, ScanSecrets
from wardgate.spi.path import MAX_SEGMENTS, ROOT, Path
from wardgate.spi.values import Entry, Page, SecretVersion

from tests.support.clock import SetClock

PREFIX = Path.parse("store")
RING = NamespaceKeyring("root", {1: RootKey.new_kek()}, 1)


class Listing(Backend):
    """Lists; counts how often."""

    capabilities = Capabilities(list=True, page_size=3)

    def __init__(self) -> None:
        self.calls = 0
        self.seconds = 0.0

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        raise NotImplementedError

    async def list(self, folder: Path, *, cursor: str | None = None, limit: int = 1_000) -> Page:
        self.calls += 1
        return self.page(folder, cursor, limit)

    def page(self, folder: Path, cursor: str | None, limit: int) -> Page:
        raise NotImplementedError


class Tree(Listing):
    """These secrets."""

    def __init__(self, *paths: str) -> None:
        super().__init__()
        self.paths = [tuple(path.split("/")) for path in paths]

    def page(self, folder: Path, cursor: str | None, limit: int) -> Page:
        depth = len(folder.segments)
        below = [path[depth:] for path in self.paths if path[:depth] == folder.segments and len(path) > depth]
        entries = {Entry(rest[0], folder=len(rest) > 1) for rest in below}
        return pages.cut(entries, pages.position(cursor), limit)


def one_page(store: Listing, path: str = "store", cursor: str | None = None, limit: int = 1_000) -> Page:
    operation = ScanSecrets(path=Path.parse(path), cursor=cursor, limit=limit)
    versions = Versions(Mount("m", "root", PREFIX, "t", {}, store), operation.path.below(PREFIX), None, None)  # type: ignore[arg-type]  # numbers nothing
    return asyncio.run(scan(operation, store, versions, clock=lambda: store.seconds))


def all_pages(store: Listing, path: str = "store", limit: int = 1_000) -> list[Page]:
    found = [one_page(store, path, limit=limit)]
    while found[-1].cursor is not None:
        assert len(found) < 1_000
        found.append(one_page(store, path, found[-1].cursor, limit))
    return found


def names(found: list[Page]) -> list[str]:
    return [entry.name for page in found for entry in page.entries]


def test_all_secrets_are_found_folder_by_folder() -> None:
    """By their paths from the folder that was asked about; a name that is both is gone down into."""
    store = Tree("a", "a/x", "a/y/z", "a-b", "b", "c/d/e/f")
    assert ["a", "a/x", "a/y/z", "a-b", "b", "c/d/e/f"] == names(all_pages(store))
    assert ["x", "y/z"] == names(all_pages(store, "store/a"))
    assert [] == names(all_pages(store, "store/none"))
    assert not any(entry.folder for page in all_pages(store) for entry in page.entries)


SEGMENT = st.sampled_from(["a", "b", "c", "a-", "ä", "z"])
PATHS = st.sets(st.lists(SEGMENT, min_size=1, max_size=4).map("/".join), max_size=30)


@given(PATHS, st.integers(1, 7))
def test_pages_of_any_size_hold_each_secret_once(paths: set[str], limit: int) -> None:
    """However the walk is cut, nothing is missed and nothing comes twice."""
    found = all_pages(Tree(*paths), limit=limit)
    assert sorted(paths) == sorted(names(found))
    assert all(len(page.entries) <= limit for page in found)


@given(PATHS, PATHS, st.integers(1, 4))
def test_what_stays_is_found_while_others_write(before: set[str], added: set[str], limit: int) -> None:
    """A secret that is there all along is found once, whatever comes and goes between two pages."""
    store = Tree(*before)
    found = [one_page(store, limit=limit)]
    store.paths = [tuple(path.split("/")) for path in before | added]
    while found[-1].cursor is not None:
        found.append(one_page(store, cursor=found[-1].cursor, limit=limit))
    listed = names(found)
    assert before <= set(listed)
    assert len(listed) == len(set(listed))


class Cyclic(Listing):
    """Every folder holds two more, and no secret anywhere."""

    def page(self, folder: Path, cursor: str | None, limit: int) -> Page:
        return Page((Entry("down", folder=True), Entry("up", folder=True)))


class Endless(Listing):
    """There is always another page, with nothing on it."""

    def page(self, folder: Path, cursor: str | None, limit: int) -> Page:
        return Page((), str(int(cursor or 0) + 1))


class Repeating(Listing):
    """The same page again and again."""

    def page(self, folder: Path, cursor: str | None, limit: int) -> Page:
        return Page((Entry("a"), Entry("b")), "again")


class Misnaming(Listing):
    """Names that are no names."""

    def page(self, folder: Path, cursor: str | None, limit: int) -> Page:
        bad = ("", "..", ".", "a/b", "x\x00", "\ud800", " a", "n" * 300)
        return Page((*(Entry(name, folder) for name in bad for folder in (False, True)), Entry("ok")))


@pytest.mark.parametrize("kind", [Cyclic, Endless])
def test_a_store_without_end_is_asked_a_bounded_number_of_times_a_page(kind: type[Listing]) -> None:
    """And the caller may go on or not."""
    store = kind()
    cursor = None
    for _ in range(3):
        store.calls = 0
        page = one_page(store, cursor=cursor)
        assert (MAX_CALLS, ()) == (store.calls, page.entries)
        cursor = page.cursor
        assert cursor is not None


def test_no_path_grows_longer_than_a_path_can_be() -> None:
    """A cycle ends where nobody could ask any further."""
    store = Cyclic()
    asked: list[int] = []
    page = store.page

    def counted(folder: Path, cursor: str | None, limit: int) -> Page:
        asked.append(len(folder.segments))
        return page(folder, cursor, limit)

    store.page = counted  # type: ignore[method-assign]  # one more look
    one_page(store)
    assert MAX_SEGMENTS - len(PREFIX.segments) == max(asked)


def test_a_store_that_repeats_itself_is_believed_once() -> None:
    """A page that leads to itself is the last."""
    store = Repeating()
    assert ["a", "b"] == names(all_pages(store))
    assert 2 == store.calls


def test_a_name_that_is_none_is_left_out() -> None:
    """Nobody could ask for it; the rest is shown."""
    found = names(all_pages(Misnaming()))
    assert "ok" in found
    assert not [name for name in found if name.split("/")[-1] != "ok"]


def test_a_slow_store_is_not_asked_for_long() -> None:
    """What was found in the time there is, is the page."""
    store = Tree(*(f"{letter}/x" for letter in "abcdefgh"))
    page = store.page

    def slow(folder: Path, cursor: str | None, limit: int) -> Page:
        store.seconds += MAX_SECONDS / 2
        return page(folder, cursor, limit)

    store.page = slow  # type: ignore[method-assign]  # it takes its time
    assert 2 >= len(one_page(store).entries)
    assert 2 == store.calls
    assert [f"{letter}/x" for letter in "abcdefgh"] == names(all_pages(store))


def test_a_slow_store_s_time_is_the_gateway_s_clock() -> None:
    """As of everything else that dispatch bounds in time."""
    store, clock = Tree(*(f"{letter}/x" for letter in "abcdefgh")), SetClock()
    page = store.page

    def slow(folder: Path, cursor: str | None, limit: int) -> Page:
        clock.pass_seconds(MAX_SECONDS / 2)
        return page(folder, cursor, limit)

    store.page = slow  # type: ignore[method-assign]  # it takes its time
    versions: Any = Versions(Mount("m", "root", PREFIX, "t", {}, store), ROOT, None, None)  # type: ignore[arg-type]  # numbers nothing
    asyncio.run(secret_handlers(clock)[ScanSecrets](ScanSecrets(path=PREFIX), store, versions))
    assert 2 == store.calls


def test_others_have_their_turn_between_two_calls() -> None:
    """A store that answers at once does not hold the loop."""
    store = Tree(*(f"{letter}/x" for letter in "abcdefgh"))
    turns = itertools.count()

    async def both() -> None:
        versions = Versions(Mount("m", "root", PREFIX, "t", {}, store), ROOT, None, None)  # type: ignore[arg-type]  # numbers nothing
        walk = asyncio.create_task(scan(ScanSecrets(path=PREFIX), store, versions, clock=SetClock().monotonic))
        while not walk.done():
            next(turns)
            await asyncio.sleep(0)

    asyncio.run(both())
    assert next(turns) >= store.calls


def test_a_long_cursor_forgets_pages_before_it_grows_out_of_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The walk then asks for some pages again, and still finds everything once."""
    monkeypatch.setattr(scanning, "MAX_CURSOR", 60)
    paths = [f"{outer}/{inner}/{number}" for outer in "abcdef" for inner in "uvwxyz" for number in range(4)]
    assert sorted(paths) == sorted(names(all_pages(Tree(*paths), limit=5)))


@pytest.mark.parametrize("cursor", ["", "[]", "{}", "[[]]x", "null", '[["a"],1]', "[[1]]"])
def test_a_cursor_that_is_none_is_refused(cursor: str) -> None:
    """It was sealed by us, yet it could be of an older release."""
    with pytest.raises(Malformed):
        one_page(Tree("a"), cursor=cursor)


def test_the_limit_and_the_store_are_checked_first() -> None:
    """Nothing is asked of a store that cannot list."""
    with pytest.raises(Malformed):
        one_page(Tree("a"), limit=0)
    store = Tree("a")
    store.capabilities = dataclasses.replace(store.capabilities, list=False)
    versions: Any = Versions(Mount("m", "root", PREFIX, "t", {}, store), ROOT, None, None)  # type: ignore[arg-type]  # numbers nothing
    with pytest.raises(Unsupported):
        asyncio.run(secret_handlers(SetClock())[ScanSecrets](ScanSecrets(path=PREFIX), store, versions))
    assert 0 == store.calls


def test_a_scan_s_cursor_is_of_no_use_to_a_list() -> None:
    """Nor to another folder's scan."""
    mount = Mount("m", "root", PREFIX, "t", {}, Tree("a"))
    cursors = Cursors(lambda mount: RING.scoped(mount.id))
    sealed = cursors.sealed(Page((), "secret-name"), ScanSecrets(path=PREFIX), mount)
    assert sealed.cursor is not None
    assert "secret-name" not in sealed.cursor
    assert "secret-name" == cursors.opened(ScanSecrets(path=PREFIX, cursor=sealed.cursor), mount).cursor
    for other in (
        ListSecrets(path=PREFIX, cursor=sealed.cursor),
        ScanSecrets(path=PREFIX.child("a"), cursor=sealed.cursor),
    ):
        with pytest.raises(Malformed):
            cursors.opened(other, mount)
