"""Lists: order, pages, cursors, and how much of the index a page reads."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wardgate.spi.backend import Backend
from wardgate.spi.errors import Malformed
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import Entry, Value
from wardgate_native.store import statements

if TYPE_CHECKING:
    from tests.store.conftest import Bench

segments = st.text(st.sampled_from("aab!-.~0é鍵\U0001f511"), min_size=1, max_size=3)
paths = st.builds(Path, st.lists(segments, min_size=1, max_size=3).map(tuple))


def fill(store: Backend, wanted: list[Path]) -> None:
    async def write_all() -> None:
        await asyncio.gather(*(store.write(path, Value(b"")) for path in wanted))

    asyncio.run(write_all())


def listed(store: Backend, folder: Path, limit: int) -> list[Entry]:
    async def pages() -> list[Entry]:
        page = await store.list(folder, limit=limit)
        found = list(page.entries)
        while page.cursor is not None:
            page = await store.list(folder, cursor=page.cursor, limit=limit)
            assert page.entries
            found += page.entries
        return found

    return asyncio.run(pages())


def expected(held: list[Path], folder: Path) -> list[Entry]:
    below = [path.below(folder).segments for path in held if path.starts_with(folder) and path != folder]
    entries = {Entry(segments[0], folder=len(segments) > 1) for segments in below}
    return sorted(entries, key=lambda entry: (entry.name.encode(), entry.folder))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(held=st.lists(paths, unique=True, max_size=12), limit=st.integers(1, 5))
def test_a_list_is_the_set_of_names(bench: Bench, held: list[Path], limit: int) -> None:
    """Whatever is held and however small the pages: each name once, in the order of its UTF-8 bytes."""
    store = bench.store(f"mount-{uuid4()}")
    fill(store, held)
    for folder in {ROOT, *(Path(path.segments[:-1]) for path in held), *held}:
        assert expected(held, folder) == listed(store, folder, limit)


def test_a_page_skips_through_folders(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page reads about as many rows as it has names, however many secrets lie below them."""
    store = bench.store()
    fill(store, [Path.parse(f"folder-{folder}/{name}") for folder in range(20) for name in range(50)])
    fetched = 0
    plain = statements.LIST.run

    def counting(*arguments: object) -> Counted:
        return Counted(plain(*arguments))  # type: ignore[arg-type]

    class Counted:
        def __init__(self, cursor: object) -> None:
            self._cursor = cursor

        def __iter__(self) -> object:
            nonlocal fetched
            for row in self._cursor:  # type: ignore[attr-defined]
                fetched += 1
                yield row

        def close(self) -> None:
            self._cursor.close()  # type: ignore[attr-defined]

    monkeypatch.setattr(statements.LIST, "run", counting)
    assert 20 == len(listed(store, ROOT, 1_000))
    assert 20 == fetched


def test_the_index_answers(bench: Bench) -> None:
    """SQLite walks the index by its range; it neither scans the table nor sorts."""
    bench.store()
    with bench.database.reading() as connection:
        statements.LIST.run(connection, "mount-1", b"", b"\xff")
    (plan,) = bench.sql(f"EXPLAIN QUERY PLAN {statements.LIST._text}", "mount-1", b"", b"\xff")
    assert "SEARCH native_secrets USING COVERING INDEX" in str(plan[3])


class TestCursors:
    """What a caller gives back between two pages."""

    @pytest.fixture
    def cursor(self, store: Backend) -> str:
        fill(store, [Path.parse(f"team/name-{number}") for number in range(3)])
        cursor = asyncio.run(store.list(Path.parse("team"), limit=1)).cursor
        assert cursor is not None
        return cursor

    def test_it_shows_no_name(self, cursor: str) -> None:
        """A cursor may stand on a name its reader must not see."""
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        assert b"name" not in raw
        assert b"team" not in raw

    @pytest.mark.parametrize("bad", ["", "x", "é", "!!!!", "A" * 300, "A" * 100_000])
    def test_what_is_no_cursor(self, store: Backend, cursor: str, bad: str) -> None:
        """Garbage is Malformed."""
        with pytest.raises(Malformed):
            asyncio.run(store.list(Path.parse("team"), cursor=bad))

    def test_a_changed_cursor(self, store: Backend, cursor: str) -> None:
        """Each character counts."""
        for at in range(0, len(cursor), 7):
            changed = cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :]
            with pytest.raises(Malformed):
                asyncio.run(store.list(Path.parse("team"), cursor=changed))

    def test_another_folders_cursor(self, store: Backend, bench: Bench, cursor: str) -> None:
        """Nor does it open another folder, or another mount's folder of that name."""
        with pytest.raises(Malformed):
            asyncio.run(store.list(ROOT, cursor=cursor))
        with pytest.raises(Malformed):
            asyncio.run(bench.store("mount-2").list(Path.parse("team"), cursor=cursor))
