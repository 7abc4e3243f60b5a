"""Folders of flat names, page by page, and what is asked of the store for them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from wardgate.spi.listing import KEPT_FOLDERS, KEPT_SECONDS, FolderListing, Listing, one_walk
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import Entry


class Clock:
    seconds = 0.0

    def now(self) -> int:
        return 0

    def monotonic(self) -> float:
        return self.seconds


class Store:
    """Counts how often it is asked."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.asked = 0

    async def paths(self) -> list[Path]:
        self.asked += 1
        return [Path.parse(name) for name in self.names]


def test_a_folder_is_what_names_have_in_common() -> None:
    """A secret and the folder of its name both stand there."""
    listing = Listing(Store("b/c/d", "a", "b", "b/c").paths, Clock())
    root = asyncio.run(listing.page(ROOT, cursor=None, limit=9)).entries
    assert (Entry("a"), Entry("b"), Entry("b", folder=True)) == root
    assert (Entry("c"), Entry("c", folder=True)) == asyncio.run(
        listing.page(Path.parse("b"), cursor=None, limit=9)
    ).entries


def test_the_store_is_asked_once_for_all_pages_and_again_for_a_new_list() -> None:
    """What was written meanwhile is in the next list."""
    store = Store("a", "b", "c")
    listing = Listing(store.paths, Clock())
    first = asyncio.run(listing.page(ROOT, cursor=None, limit=2))
    asyncio.run(listing.page(ROOT, cursor=first.cursor, limit=2))
    assert store.asked == 1
    store.names = ("a", "z")
    assert [Entry("a"), Entry("z")] == [*asyncio.run(listing.page(ROOT, cursor=None, limit=9)).entries]


def test_what_was_listed_is_not_kept_for_long() -> None:
    """A page that is asked for later lists again, from where it stands."""
    store, clock = Store("a", "b", "c"), Clock()
    listing = Listing(store.paths, clock)
    first = asyncio.run(listing.page(ROOT, cursor=None, limit=1))
    clock.seconds = KEPT_SECONDS + 1
    assert (Entry("b"), Entry("c")) == asyncio.run(listing.page(ROOT, cursor=first.cursor, limit=9)).entries
    assert store.asked == 2


def test_two_who_go_through_the_same_folder_at_once_ask_the_store_once_each() -> None:
    """The end of one list is not the end of the other."""
    store = Store("a", "b", "c")
    listing = Listing(store.paths, Clock())

    async def scene() -> None:
        first, second = [await listing.page(ROOT, cursor=None, limit=2) for _ in range(2)]
        for page in (first, second):
            assert (Entry("c"),) == (await listing.page(ROOT, cursor=page.cursor, limit=2)).entries

    asyncio.run(scene())
    assert store.asked == 2


def test_a_store_of_folders_is_asked_once_for_all_pages_of_one() -> None:
    """And another folder's list in between changes nothing."""
    asked = list[Path]()

    async def fetch(folder: Path) -> Iterator[Entry]:
        asked.append(folder)
        return (Entry(name) for name in ("c", "a", "b"))

    async def scene() -> None:
        listing = FolderListing(fetch, Clock())
        first = await listing.page(ROOT, cursor=None, limit=2)
        await listing.page(Path.parse("x"), cursor=None, limit=2)
        last = await listing.page(ROOT, cursor=first.cursor, limit=2)
        assert [entry.name for entry in (*first.entries, *last.entries)] == ["a", "b", "c"]
        assert last.cursor is None

    asyncio.run(scene())
    assert asked == [ROOT, Path.parse("x")]


def test_of_many_folders_the_latest_are_kept() -> None:
    """So that a walk through a large store does not keep all of it."""
    asked = list[Path]()

    async def fetch(folder: Path) -> Iterator[Entry]:
        asked.append(folder)
        return (Entry(name) for name in ("a", "b"))

    async def scene() -> None:
        listing = FolderListing(fetch, Clock())
        folders = [Path.parse(f"folder-{number}") for number in range(KEPT_FOLDERS + 1)]
        cursors = [(await listing.page(folder, cursor=None, limit=1)).cursor for folder in folders]
        asked.clear()
        for folder, cursor in zip(folders[::-1], cursors[::-1], strict=True):
            assert (Entry("b"),) == (await listing.page(folder, cursor=cursor, limit=1)).entries
        assert asked == folders[:1]

    asyncio.run(scene())


def test_a_walk_asks_the_store_once_for_all_its_folders() -> None:
    """And so do its later pages, while what was fetched is new; a walk that begins asks anew."""
    store, clock = Store(*(f"f{number}/a" for number in range(50))), Clock()
    listing = Listing(store.paths, clock)

    async def walked(*, resumed: bool) -> int:
        with one_walk(resumed=resumed):
            for entry in (await listing.page(ROOT, cursor=None, limit=99)).entries:
                below = await listing.page(Path.parse(entry.name), cursor=None, limit=9)
                assert below.entries == (Entry("a"),)
        return store.asked

    assert asyncio.run(walked(resumed=False)) == 1
    assert asyncio.run(walked(resumed=True)) == 1
    assert asyncio.run(walked(resumed=False)) == 2
    clock.seconds = KEPT_SECONDS + 1
    assert asyncio.run(walked(resumed=True)) == 3


class HeldStore(Store):
    """Answers when it is let; what it answers is from when it was asked."""

    def __init__(self, *names: str) -> None:
        super().__init__(*names)
        self.begun = asyncio.Event()
        self.gate = asyncio.Event()

    async def paths(self) -> list[Path]:
        found = await super().paths()
        self.begun.set()
        await self.gate.wait()
        return found


def test_callers_at_once_share_a_fetch_that_began_after_they_asked() -> None:
    """What was written before they asked is in what they are told, whatever ran then."""

    async def scene() -> None:
        store = HeldStore("old")
        listing = Listing(store.paths, Clock())
        first = asyncio.create_task(listing.page(ROOT, cursor=None, limit=9))
        await store.begun.wait()
        store.names = ("new",)
        others = [asyncio.create_task(listing.page(ROOT, cursor=None, limit=9)) for _ in range(16)]
        await asyncio.sleep(0)
        others.pop().cancel()
        store.gate.set()
        assert (await first).entries == (Entry("old"),)
        assert {(await other).entries for other in others} == {(Entry("new"),)}
        assert store.asked == 2

    asyncio.run(scene())


def test_a_fetch_that_fails_fails_for_those_who_shared_it_alone() -> None:
    """The next list asks again."""

    async def scene() -> None:
        answers = [OSError("down"), None]

        async def fetch() -> list[Path]:
            answer = answers.pop(0)
            if answer is not None:
                raise answer
            return [Path.parse("a")]

        listing = Listing(fetch, Clock())
        asked = [listing.page(ROOT, cursor=None, limit=9) for _ in range(3)]
        failed = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(one) for one in failed] == [OSError] * 3
        assert (await listing.page(ROOT, cursor=None, limit=9)).entries == (Entry("a"),)

    asyncio.run(scene())


def test_the_last_caller_that_goes_away_ends_the_fetch() -> None:
    """One that goes away takes it from nobody; when all have gone the store is asked for nothing any more."""

    async def scenario() -> None:
        began, ended = list[int](), list[int]()
        gate = asyncio.Event()

        async def paths() -> list[Path]:
            began.append(1)
            try:
                await gate.wait()
            finally:
                ended.append(1)
            return [Path.parse("a")]

        listing = Listing(paths, Clock())
        callers = [asyncio.create_task(listing.page(ROOT, cursor=None, limit=9)) for _ in range(2)]
        await asyncio.sleep(0.01)
        callers[0].cancel()
        await asyncio.sleep(0.01)
        assert ([1], []) == (began, ended)
        callers[1].cancel()
        await asyncio.gather(*callers, return_exceptions=True)
        gate.set()
        assert [Entry("a")] == [*(await listing.page(ROOT, cursor=None, limit=9)).entries]
        assert ([1, 1], [1, 1]) == (began, ended)

    asyncio.run(scenario())
