"""Whoever can write the file: every change shows, none gives wrong data, and other secrets stay readable."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

import msgspec
import pytest
from wardgate.spi.backend import Backend
from wardgate.spi.errors import Gone, SecretNotFound, Unavailable
from wardgate.spi.path import Path
from wardgate.spi.values import TEXT, SecretSettings, Value
from wardgate_native.store import head as heads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.store.conftest import Bench

MINE, THEIRS = Path.parse("team/mine"), Path.parse("team/theirs")


def _write(store: Backend, path: Path, text: str) -> None:
    asyncio.run(store.write(path, Value(text.encode(), TEXT)))


@pytest.fixture
def filled(store: Backend) -> Backend:
    """Two secrets with two versions each."""
    for text in ("one", "two"):
        _write(store, MINE, f"mine {text}")
        _write(store, THEIRS, f"theirs {text}")
    return store


def read(store: Backend, path: Path, version: str | None = None) -> bytes:
    return asyncio.run(store.read(path, version=version)).value.data


@contextlib.contextmanager
def told() -> Iterator[None]:
    """The gateway's trouble and not the caller's, and of that secret alone: the mount's breaker must not open."""
    with pytest.raises(
        Unavailable, match="this secret was changed outside the gateway, or is damaged; restore"
    ) as caught:
        yield
    assert caught.value.answered


def refused(store: Backend, path: Path) -> None:
    """Neither read, described nor changed."""
    attempts: list[Callable[[], object]] = [
        lambda: asyncio.run(store.read(path)),
        lambda: asyncio.run(store.describe(path)),
        lambda: asyncio.run(store.write(path, Value(b"new"))),
        lambda: asyncio.run(store.delete(path)),
        lambda: asyncio.run(store.annotate(path, settings=SecretSettings(max_versions=5))),
        lambda: asyncio.run(store.move_stage(path, "pending", version="1")),
    ]
    for attempt in attempts:
        with told():
            attempt()


SECRET_COLUMNS = ["current", "head", "mac"]
VERSION_COLUMNS = ["media_type", "wrapped_key", "ciphertext"]


@pytest.mark.parametrize("column", SECRET_COLUMNS)
@pytest.mark.parametrize("junk", [None, 0, 7, "text", b"", b"\x00" * 40], ids=repr)
def test_junk_in_a_head(bench: Bench, filled: Backend, column: str, junk: object) -> None:
    """Any other content of any type makes that secret unreadable, and that one alone."""
    if junk is None:
        bench.sql("PRAGMA ignore_check_constraints = ON")
        junk = ""
    bench.sql(f"UPDATE native_secrets SET {column} = ? WHERE place = ?", junk, b"team\0mine")
    refused(filled, MINE)
    assert b"theirs two" == read(filled, THEIRS)


@pytest.mark.parametrize("column", ["head", "mac"])
def test_each_byte_of_a_head_counts(bench: Bench, filled: Backend, column: str) -> None:
    """Flipped one after another, each is refused."""
    ((whole,),) = bench.sql(f"SELECT {column} FROM native_secrets WHERE place = ?", b"team\0mine")
    assert isinstance(whole, bytes)
    for at in range(len(whole)):
        changed = bytearray(whole)
        changed[at] ^= 0x80
        bench.sql(f"UPDATE native_secrets SET {column} = ? WHERE place = ?", bytes(changed), b"team\0mine")
        with told():
            read(filled, MINE)
    bench.sql(f"UPDATE native_secrets SET {column} = ? WHERE place = ?", whole, b"team\0mine")
    assert b"mine two" == read(filled, MINE)


@pytest.mark.parametrize("column", VERSION_COLUMNS)
def test_each_byte_of_a_version_counts(bench: Bench, filled: Backend, column: str) -> None:
    """Flipped one after another, each is refused; the other version stays readable."""
    where = "WHERE ordinal = 2 AND secret = (SELECT number FROM native_secrets WHERE place = ?)"
    ((whole,),) = bench.sql(f"SELECT CAST({column} AS BLOB) FROM native_versions {where}", b"team\0mine")
    assert isinstance(whole, bytes)
    for at in range(len(whole)):
        changed = bytearray(whole)
        changed[at] ^= 1
        value: object = changed.decode() if column == "media_type" else bytes(changed)
        bench.sql(f"UPDATE native_versions SET {column} = ? {where}", value, b"team\0mine")
        with told():
            read(filled, MINE)
    assert b"mine one" == read(filled, MINE, "1")


@pytest.mark.parametrize("column", VERSION_COLUMNS)
@pytest.mark.parametrize("junk", [7, 1.5, "text", b"", b"\x01\x01"], ids=repr)
def test_junk_in_a_version(bench: Bench, filled: Backend, column: str, junk: object) -> None:
    """Any other content of any type is refused with an error of the closed list."""
    bench.sql(f"UPDATE native_versions SET {column} = ? WHERE ordinal = 2", junk)
    with told():
        read(filled, MINE)


@pytest.mark.parametrize(
    ("table", "column"), [("versions", "media_type"), ("versions", "ciphertext"), ("secrets", "head")]
)
def test_a_text_that_is_none(bench: Bench, filled: Backend, table: str, column: str) -> None:
    """The driver itself cannot decode it, and says so in its own way."""
    where = "ordinal = 2" if table == "versions" else "number = 1"
    bench.sql(f"UPDATE native_{table} SET {column} = CAST(x'fe' AS TEXT) WHERE {where}")
    with told():
        read(filled, MINE)
    if table == "secrets":
        refused(filled, MINE)
        assert b"theirs two" == read(filled, THEIRS)


def _swap(table: str, columns: list[str]) -> list[str]:
    """Exchange what stands under MINE and under THEIRS, in some columns."""
    number = "(SELECT number FROM native_secrets WHERE place = x'{place}')"
    mine, theirs = (number.format(place=f"7465616d00{name.encode().hex()}") for name in ("mine", "theirs"))
    key = "number" if table == "native_secrets" else "ordinal = 2 AND secret"
    sets = ", ".join(
        f"{column} = (SELECT t.{column} FROM before t WHERE t.{key.replace('secret', 't.secret')} ="
        f" CASE {table}.{key.rpartition(' ')[2]} WHEN {mine} THEN {theirs} ELSE {mine} END)"
        for column in columns
    )
    where = "" if table == "native_secrets" else " WHERE ordinal = 2"
    return [f"CREATE TABLE before AS SELECT * FROM {table}", f"UPDATE {table} SET {sets}{where}"]


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("native_secrets", ["head"]),
        ("native_secrets", ["mac"]),
        ("native_secrets", ["head", "mac"]),
        ("native_secrets", ["head", "mac", "current"]),
        ("native_versions", ["wrapped_key"]),
        ("native_versions", ["ciphertext"]),
        ("native_versions", ["wrapped_key", "ciphertext"]),
        ("native_versions", ["media_type", "wrapped_key", "ciphertext"]),
    ],
)
def test_swapped_rows(bench: Bench, filled: Backend, table: str, columns: list[str]) -> None:
    """What belongs to one secret is refused in another's place, both ways."""
    for statement in _swap(table, columns):
        bench.sql(statement)
    for path in (MINE, THEIRS):
        with told():
            read(filled, path)


def test_exchanged_names(bench: Bench, filled: Backend) -> None:
    """A whole secret under another's name is refused: its path is under the MAC."""
    for old, new in ((b"team\0mine", b"x"), (b"team\0theirs", b"team\0mine"), (b"x", b"team\0theirs")):
        bench.sql("UPDATE native_secrets SET place = ? WHERE place = ?", new, old)
    refused(filled, MINE)
    refused(filled, THEIRS)


def test_exchanged_versions(bench: Bench, filled: Backend) -> None:
    """An older version in the place of the current is refused."""
    for old, new in ((1, 3), (2, 1), (3, 2)):
        bench.sql("UPDATE native_versions SET ordinal = ? WHERE ordinal = ?", new, old)
    for version in ("1", "2"):
        with told():
            read(filled, MINE, version)


def test_another_current_version(bench: Bench, filled: Backend) -> None:
    """The column the query joins by is checked against the head."""
    bench.sql("UPDATE native_secrets SET current = 1 WHERE place = ?", b"team\0mine")
    refused(filled, MINE)


def test_a_removed_version(bench: Bench, filled: Backend) -> None:
    """A live version whose row is gone is damage, not a version that never was."""
    bench.sql("DELETE FROM native_versions WHERE ordinal = 2")
    with told():
        read(filled, MINE)


@pytest.mark.parametrize("change", ["undelete", "labels", "setting", "another id"])
def test_a_forged_head(bench: Bench, filled: Backend, change: str) -> None:
    """A head that says something else, well-formed but without the key, is refused."""
    asyncio.run(filled.delete(MINE))
    ((encoded,),) = bench.sql("SELECT head FROM native_secrets WHERE place = ?", b"team\0mine")
    assert isinstance(encoded, bytes)
    head = heads.decode(encoded)
    if change == "undelete":
        head.versions[2].deleted_at = 0
    elif change == "labels":
        head.labels = {"owner": "somebody else"}
    elif change == "setting":
        head.compare_and_set_required = True
    else:
        head.id = "0" * 32
    assert encoded != heads.encode(head)
    bench.sql("UPDATE native_secrets SET head = ? WHERE place = ?", heads.encode(head), b"team\0mine")
    refused(filled, MINE)


def test_a_secret_of_another_mount_or_namespace(bench: Bench, filled: Backend) -> None:
    """Rows moved to another store are refused there, and so is the whole file under another namespace's id."""
    other = bench.store("mount-2")
    bench.sql("UPDATE native_secrets SET store = 'mount-2'")
    refused(other, MINE)
    with pytest.raises(SecretNotFound):
        read(filled, MINE)
    bench.sql("UPDATE native_secrets SET store = 'mount-1'")
    refused(bench.store(namespace="another"), MINE)
    assert b"mine two" == read(filled, MINE)


def test_a_made_up_secret(bench: Bench, filled: Backend) -> None:
    """A row that was copied under a new name is listed, but never read."""
    bench.sql(
        "INSERT INTO native_secrets (store, place, current, head, mac)"
        " SELECT store, ?, current, head, mac FROM native_secrets WHERE place = ?",
        b"team\0new",
        b"team\0mine",
    )
    refused(filled, Path.parse("team/new"))


def test_a_revived_version(bench: Bench, filled: Backend) -> None:
    """The rows of a destroyed secret fit no later secret of its name."""
    bench.sql("CREATE TABLE kept AS SELECT * FROM native_versions")
    asyncio.run(filled.destroy(MINE))
    _write(filled, MINE, "new one")
    _write(filled, MINE, "new two")
    bench.sql(
        "UPDATE native_versions SET wrapped_key = k.wrapped_key, ciphertext = k.ciphertext FROM kept k"
        " WHERE k.secret = 1 AND native_versions.secret = 3 AND k.ordinal = native_versions.ordinal"
    )
    with told():
        read(filled, MINE)


def test_a_revived_destroyed_version(bench: Bench, filled: Backend) -> None:
    """Its row put back, a destroyed version stays destroyed: the head says so."""
    bench.sql("CREATE TABLE kept AS SELECT * FROM native_versions")
    asyncio.run(filled.destroy(MINE, versions=["2"]))
    bench.sql("INSERT OR IGNORE INTO native_versions SELECT * FROM kept")
    with pytest.raises(Gone, match="destroyed"):
        read(filled, MINE)


def test_a_name_that_is_no_text(bench: Bench, filled: Backend) -> None:
    """A forged name that cannot be decoded refuses the list, plainly."""
    bench.sql("UPDATE native_secrets SET place = ? WHERE place = ?", b"team\0\xfe", b"team\0mine")
    with told():
        asyncio.run(filled.list(Path.parse("team")))


def _head(bench: Bench) -> None:
    bench.sql("UPDATE native_secrets SET head = zeroblob(length(head)) WHERE place = ?", b"team\0mine")


def _version(bench: Bench) -> None:
    bench.sql("UPDATE native_versions SET ciphertext = zeroblob(length(ciphertext))")


def _wrapped_key(bench: Bench) -> None:
    bench.sql("UPDATE native_versions SET wrapped_key = zeroblob(length(wrapped_key))")


def _row(bench: Bench) -> None:
    for statement in _swap("native_secrets", ["head", "mac", "current"]):
        bench.sql(statement)


def _missing(bench: Bench) -> None:
    bench.sql("DELETE FROM native_versions")


@pytest.mark.parametrize("change", [_head, _version, _wrapped_key, _row, _missing])
def test_what_was_changed_is_logged(
    bench: Bench, filled: Backend, caplog: pytest.LogCaptureFixture, change: Callable[[Bench], None]
) -> None:
    """As what was changed in the state is: with the mount and the path, and with nothing that stands there."""
    change(bench)
    with told():
        read(filled, MINE)
    (record,) = caplog.records
    message = "the secret 'team/mine' of the mount mount-1: changed outside the gateway, or damaged, and refused"
    assert ("state_tampered", logging.ERROR, message) == (
        vars(record)["event"], record.levelno, record.getMessage(),
    )  # fmt: skip


def test_a_damaged_secret_can_be_destroyed(bench: Bench, filled: Backend) -> None:
    """So that an operator can be rid of it and write it anew."""
    bench.sql("UPDATE native_secrets SET mac = x'00' WHERE place = ?", b"team\0mine")
    asyncio.run(filled.destroy(MINE))
    _write(filled, MINE, "fresh")
    assert b"fresh" == read(filled, MINE)


def test_a_head_is_only_ever_a_head() -> None:
    """Bytes that are no head raise msgspec's error, which the store turns into its own."""
    for data in (b"", b"\x00", b"\x90", b"\xff" * 40):
        with pytest.raises(msgspec.MsgspecError):
            heads.decode(data)
