"""Cases: listing and paging."""

from __future__ import annotations

import pytest
from wardgate.spi.backend import Backend
from wardgate.spi.errors import Malformed
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import Entry

from wardgate_conformance.harness import Harness
from wardgate_conformance.selection import needs
from wardgate_conformance.values import MISSING, SECRET, names

MANY = 130


class Listing:
    """The names directly below a folder, in one order, each once."""

    @needs("list")
    async def test_a_list_holds_the_direct_children(self, backend: Backend, harness: Harness) -> None:
        """Secrets as secrets, folders as folders, nothing from further down."""
        for text in ("a", "b/c", "b/d/e", "f/g"):
            await harness.put(Path.parse(text), {"a": "b"})
        assert [Entry("a"), Entry("b", folder=True), Entry("f", folder=True)] == await names(backend, ROOT)
        assert [Entry("c"), Entry("d", folder=True)] == await names(backend, Path.parse("b"))
        assert [Entry("e")] == await names(backend, Path.parse("b/d"))

    @needs("list")
    async def test_a_name_can_be_a_secret_and_a_folder(self, backend: Backend, harness: Harness) -> None:
        """Then it stands twice, the secret first."""
        await harness.put(Path.parse("a"), {"a": "b"})
        await harness.put(Path.parse("a/b"), {"a": "b"})
        assert [Entry("a"), Entry("a", folder=True)] == await names(backend, ROOT)

    @needs("list")
    async def test_names_are_in_the_order_of_their_bytes(self, backend: Backend, harness: Harness) -> None:
        """Whatever the store's own order: ``a`` and its folder stay together though ``a-b`` sorts before ``a/``."""
        for text in ("é", "a/b", "b", "Z", "a-b", "a", "10", "9", "😀", "\uff5e"):
            await harness.put(Path.parse(text), {"a": "b"})
        found = [entry.name for entry in await names(backend, ROOT)]
        assert found == ["10", "9", "Z", "a", "a", "a-b", "b", "é", "\uff5e", "😀"]

    @needs("list")
    async def test_an_unknown_folder_is_empty(self, backend: Backend, harness: Harness) -> None:
        """So is a secret, and so is the root of an empty store: not an error."""
        assert await names(backend, ROOT) == []
        await harness.put(SECRET, {"a": "b"})
        assert await names(backend, MISSING) == []
        assert await names(backend, SECRET) == []

    @needs("list")
    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
    async def test_pages_hold_everything_once(self, backend: Backend, harness: Harness, limit: int) -> None:
        """However small the page, and where it ends between a secret and the folder of its name."""
        held = ("a", "a/x", "b", "c", "d/x", "e", "f")
        for text in held:
            await harness.put(Path.parse(text), {"a": "b"})
        whole = await names(backend, ROOT)
        assert len(held) == len(whole)
        assert whole == await names(backend, ROOT, limit=limit)

    @needs("list")
    async def test_a_long_list_is_whole(self, backend: Backend, harness: Harness) -> None:
        """Longer than the pages that stores themselves give: at once, in the largest page declared, and in smaller."""
        await harness.fill(ROOT.child(f"n{number:03}") for number in range(MANY))
        whole = [Entry(f"n{number:03}") for number in range(MANY)]
        for limit in (backend.capabilities.page_size, MANY // 2 + 1):
            assert whole == await names(backend, ROOT, limit=limit)

    @needs("list")
    @pytest.mark.parametrize("cursor", ["", "no-cursor", "%%%", "🗝", "e30=", "W10="])
    async def test_a_foreign_cursor_is_malformed(self, backend: Backend, harness: Harness, cursor: str) -> None:
        """It is never taken for a name or a number of something else."""
        await harness.put(SECRET, {"a": "b"})
        with pytest.raises(Malformed):
            await backend.list(ROOT, cursor=cursor)

    @needs("list")
    async def test_a_cursor_outlives_the_name_it_stands_on(self, backend: Backend, harness: Harness) -> None:
        """What is written between two pages neither repeats nor hides what was there before."""
        for name in ("b", "d", "f"):
            await harness.put(Path.parse(name), {"a": "b"})
        page = await backend.list(ROOT, limit=2)
        for name in ("a", "c", "e"):
            await harness.put(Path.parse(name), {"a": "b"})
        assert page.cursor is not None
        rest = await backend.list(ROOT, cursor=page.cursor)
        assert {"f"} <= {entry.name for entry in rest.entries}
        assert {"b", "d"}.isdisjoint(entry.name for entry in rest.entries)
