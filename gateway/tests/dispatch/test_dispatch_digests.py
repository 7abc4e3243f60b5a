"""What an entity tag needs beside an id that can come again: a keyed digest of the value."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from wardgate.crypto import NamespaceKeyring, RootKey
from wardgate.mounts import Mount
from wardgate.pipeline.dispatch.secrets import secret_handlers
from wardgate.pipeline.dispatch.versions import Versions
from wardgate.spi.backend import Backend
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import Conflict, Gone, SecretNotFound, WardgateError
from wardgate.spi.operations.base import Operation
from wardgate.spi.operations.secrets import DeleteSecret, PatchSecret, ReadSecret, VersionId, WriteSecret
from wardgate.spi.path import Path
from wardgate.spi.values import JSON, Expect, SecretInfo, SecretVersion, Value, VersionInfo

from tests.support.clock import SetClock

RING = NamespaceKeyring("root", {1: RootKey.new_kek()}, 1)
PATH = Path.parse("odd/app")
ABLE = Capabilities(
    write=True, compare_and_set=True, describe=True, versions=True, ordinals=True, delete=True, delete_versions=True
)


class Counting(Backend):
    """Holds one secret whose versions count from 1; a writer is told when, a reader is not."""

    capabilities = ABLE

    def __init__(self) -> None:
        self.number = 0
        self.value: Value | None = None
        self.failure: WardgateError | None = None
        self.reads = 0

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        self.reads += 1
        if self.failure is not None:
            raise self.failure
        if self.value is None:
            raise SecretNotFound
        return SecretVersion(VersionInfo(str(self.number), self.number), self.value)

    async def write(self, path: Path, value: Value, *, expect: Expect | None = None) -> VersionInfo:
        if expect is not None and expect.version != str(self.number):
            raise Conflict
        self.number, self.value = self.number + 1, value
        return VersionInfo(str(self.number), self.number, created_at=5)

    async def describe(self, path: Path) -> SecretInfo:
        return SecretInfo(VersionInfo(str(self.number), self.number), (), 0, 0)

    async def delete(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        self.value, self.number = None, 0


class Maps(Counting):
    """Gives an object back in other words."""

    async def write(self, path: Path, value: Value, *, expect: Expect | None = None) -> VersionInfo:
        written = await super().write(path, value, expect=expect)
        self.value = Value(b'{ "b": [1.50, null], "a": "\\u00e9" }', JSON)
        return written


def ask(backend: Backend, operation: Operation[Any], path: str = "app", mount: str = "m") -> Any:
    """Ask that store."""
    kept = Mount(mount, "root", Path(("odd",)), "odd", {}, backend)
    versions = Versions(kept, Path((path,)), None, lambda _: RING)  # type: ignore[arg-type]  # the store numbers them
    return asyncio.run(secret_handlers(SetClock())[type(operation)](operation, backend, versions))


def write(backend: Backend, data: bytes, **more: Any) -> VersionInfo:
    """Write those bytes."""
    info: VersionInfo = ask(backend, WriteSecret(path=PATH, value=Value(data), **more))
    return info


def tag(info: VersionInfo) -> VersionId:
    """What its entity tag names."""
    return VersionId(info.id, info.mark())


@pytest.mark.parametrize("store", [Counting, Maps])
def test_a_writer_and_a_reader_are_told_the_same(store: type[Counting]) -> None:
    """Though the store tells the one more than the other, and gives a JSON object back in other words."""
    backend = store()
    written = write(backend, b'{"a": "\xc3\xa9", "b": [1.50, null]}')
    assert tag(written) == tag(ask(backend, ReadSecret(path=PATH)).info)


def test_another_value_under_the_same_number_is_told_apart() -> None:
    """A secret that was destroyed and is written again counts from 1 again."""
    backend = Counting()
    old = write(backend, b"old")
    ask(backend, DeleteSecret(path=PATH))
    new = write(backend, b"new")
    assert old.id == new.id
    assert old.mark() != new.mark()


def test_equal_values_elsewhere_do_not_show() -> None:
    """Nor does the value itself: without the key nobody can try values."""
    told = {ask(Filled(), ReadSecret(path=PATH), *where).info.mark() for where in (("a", "m"), ("b", "m"), ("a", "n"))}
    assert 3 == len(told)


class Filled(Counting):
    """Holds a value from the start."""

    def __init__(self) -> None:
        super().__init__()
        self.number, self.value = 1, Value(b"same")


@pytest.mark.parametrize(
    "change",
    [
        lambda expect: WriteSecret(path=PATH, value=Value(b"mine"), expect=expect),
        lambda expect: PatchSecret(path=PATH, patch=Value(b"{}", JSON), expect=expect),
        lambda expect: DeleteSecret(path=PATH, expect=expect),
    ],
)
def test_a_change_meant_for_an_older_value_of_the_same_number_is_a_conflict(change: Any) -> None:
    """Nothing is changed; meant for the one that is there, it is made."""
    backend = Counting()
    old = tag(write(backend, b'{"turn": "old"}'))
    ask(backend, DeleteSecret(path=PATH))
    new = tag(write(backend, b'{"turn": "new"}'))
    with pytest.raises(Conflict):
        ask(backend, change(old))
    assert backend.value == Value(b'{"turn": "new"}')
    ask(backend, change(new))
    assert (backend.number, backend.value) != (1, Value(b'{"turn": "new"}'))


@pytest.mark.parametrize("failure", [SecretNotFound(), Gone()])
def test_a_value_that_is_not_there_is_not_the_one_expected(failure: WardgateError) -> None:
    """Deleted or destroyed, there is nothing that a tag could name."""
    backend = Filled()
    backend.failure = failure
    with pytest.raises(Conflict):
        write(backend, b"mine", expect=VersionId("1", "0f"))


def test_a_mere_id_names_it_whatever_the_value_is() -> None:
    """As the store compares it, which is not asked for the value before."""
    backend = Filled()
    assert "2" == write(backend, b"mine", expect=VersionId("1")).id
    assert 0 == backend.reads


def test_an_id_that_never_comes_again_needs_no_digest() -> None:
    """And no look at the value before a change."""
    backend = Filled()
    backend.capabilities = replace(ABLE, ordinals=False)
    kept = Mount("m", "root", Path(("odd",)), "odd", {}, backend)

    class Ledger:
        async def ordinal(self, mount_id: str, path: str, store_version: str) -> int:
            return 7

        def version(self, mount_id: str, path: str, ordinal: int) -> str | None:
            raise NotImplementedError

    versions = Versions(kept, Path(("app",)), Ledger(), lambda _: RING)
    operation = WriteSecret(path=PATH, value=Value(b"x"), expect=VersionId("1"))
    written = asyncio.run(secret_handlers(SetClock())[WriteSecret](operation, backend, versions))
    assert ("", 7, 0) == (written.mark(), written.ordinal, backend.reads)


def test_the_gateway_s_own_storage_needs_no_digest() -> None:
    """It tells writers and readers the time alike, and that is told in the tag; nothing is computed of the value."""

    class Timed(Counting):
        async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
            found = await super().read(path, version=version)
            return replace(found, info=replace(found.info, created_at=31))

    backend = Timed()
    backend.number, backend.value = 1, Value(b"x")
    unused: Any = None
    kept = Mount("m", "root", Path(("odd",)), "odd", {}, backend, embedded=True)
    versions = Versions(kept, Path(("app",)), unused, unused)
    found = asyncio.run(secret_handlers(SetClock())[ReadSecret](ReadSecret(path=PATH), backend, versions))
    assert "1f" == found.info.mark()
    for mark, fails in (("1e", True), ("1f", False)):
        operation = WriteSecret(path=PATH, value=Value(b"y"), expect=VersionId("1", mark))
        with pytest.raises(Conflict) if fails else contextlib.nullcontext():
            asyncio.run(secret_handlers(SetClock())[WriteSecret](operation, backend, versions))
    assert 2 == backend.number
