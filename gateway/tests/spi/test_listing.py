"""Folders of flat names, page by page, and what is asked of the store for them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from wardgate.spi.listing import KEPT_FOLDERS, KEPT_SECONDS, FolderListing, Listing
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
