"""Folders of flat names, page by page, and what is asked of the store for them."""

from __future__ import annotations

import asyncio

from wardgate.spi.listing import KEPT_SECONDS, Listing
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
