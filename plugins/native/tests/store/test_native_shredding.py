"""Destroying: the wrapped key and the ciphertext are gone from the file and its log; values never stand in either."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from wardgate.spi.backend import Backend
from wardgate.spi.path import Path
from wardgate.spi.values import JSON, SecretSettings, Value

if TYPE_CHECKING:
    from tests.store.conftest import Bench

PATH = Path.parse("a/b")


def on_disk(bench: Bench) -> bytes:
    """Everything the database keeps, its log included."""
    return b"".join(file.read_bytes() for file in sorted(bench.file.parent.iterdir()))


def sealed(bench: Bench) -> list[tuple[bytes, bytes]]:
    rows = bench.sql("SELECT wrapped_key, ciphertext FROM native_versions ORDER BY secret, ordinal")
    return [(bytes(wrapped), bytes(ciphertext)) for wrapped, ciphertext in rows]


@pytest.mark.parametrize("how", ["one version", "the whole secret", "pushed out"])
def test_what_is_destroyed_is_gone_from_the_file(bench: Bench, store: Backend, how: str) -> None:
    """Control: both stood there before; what was not destroyed still does."""
    for size in (100, 20_000):
        asyncio.run(store.write(PATH, Value(b"v" * size)))
    asyncio.run(store.write(Path.parse("other"), Value(b"stays")))
    first, second, other = sealed(bench)
    assert all(part in on_disk(bench) for part in (first[0], first[1], second[0], other[0]))

    if how == "one version":
        asyncio.run(store.destroy(PATH, versions=["1"]))
    elif how == "the whole secret":
        asyncio.run(store.destroy(PATH))
    else:
        asyncio.run(store.annotate(PATH, settings=SecretSettings(max_versions=1)))
        asyncio.run(store.write(PATH, Value(b"third")))
    asyncio.run(bench.database.shred())

    left = on_disk(bench)
    assert first[0] not in left
    assert first[1] not in left
    assert (how == "one version") == (second[0] in left)
    assert other[0] in left


def test_no_value_stands_in_the_files(bench: Bench, store: Backend) -> None:
    """Values, the names of their fields and media types of their own are sealed or absent; paths are in plain."""
    value = Value(b'{"canary-field": "canary-value"}', JSON)
    asyncio.run(store.write(Path.parse("plain/path"), value))
    asyncio.run(store.list(Path.parse("plain"), limit=1))
    text = on_disk(bench)
    assert b"canary" not in text
    assert b"path" in text
