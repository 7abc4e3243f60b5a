"""Mounts never nest, and one that cannot be opened touches no other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from wardgate.mounts import Mount, MountRow, Mounts, OpenMounts
from wardgate.spi.backend import Backend
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import Unavailable
from wardgate.spi.path import Path
from wardgate.spi.values import SecretVersion


class Silent(Backend):
    """Answers nothing; remembers whether it was closed."""

    capabilities = Capabilities()

    def __init__(self) -> None:
        self.closed = False

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        raise NotImplementedError

    async def close(self) -> None:
        self.closed = True


@dataclass(frozen=True)
class Row:
    """A remembered mount."""

    id: str
    prefix: Path
    options: Mapping[str, object] = field(default_factory=dict)
    type: str = "silent"
    presentation: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""
    cache_ttl: int | None = None


def table(*prefixes: str) -> Mounts:
    return Mounts(Mount(prefix, "root", Path.parse(prefix), "t", {}, Silent()) for prefix in prefixes)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("secret/a/b", "secret"),
        ("secret", "secret"),
        ("secretive/a", None),
        ("team/kv/a", "team/kv"),
        ("team/a", None),
        ("SECRET/a", None),
    ],
)
def test_a_path_belongs_to_the_mount_whose_whole_segments_it_begins_with(path: str, found: str | None) -> None:
    """No part of a segment and no other case will do."""
    mount = table("secret", "team/kv").locate(Path.parse(path))
    assert found == (mount and str(mount.prefix))


def test_a_mount_is_reopened_only_when_it_changed_and_the_old_one_closed() -> None:
    """Adding one mount leaves the others open; changing one closes what it was."""
    rows: tuple[MountRow, ...] = (Row("1", Path.parse("a")), Row("2", Path.parse("b")))
    opened: list[str] = []

    def open_backend(namespace: str, row: MountRow) -> Backend:
        opened.append(row.id)
        return Silent()

    async def scenario() -> None:
        nonlocal rows
        mounts = OpenMounts(lambda _: rows, open_backend)
        before = {mount.id: mount.backend for mount in mounts.of("root")}
        rows = (rows[0], Row("2", Path.parse("b"), {"x": 1}), Row("3", Path.parse("c")))
        after = {mount.id: mount.backend for mount in mounts.of("root")}
        await asyncio.sleep(0)
        assert ["1", "2", "2", "3"] == opened
        assert before["1"] is after["1"]
        assert isinstance(before["2"], Silent)
        assert before["2"].closed
        assert mounts.of("root") is mounts.of("root")
        await mounts.close()
        assert all(isinstance(backend, Silent) and backend.closed for backend in after.values())

    asyncio.run(scenario())


def test_a_mount_that_cannot_be_opened_says_why_and_the_others_work() -> None:
    """Its fault is kept for whoever asks for it; the table stands."""

    def open_backend(namespace: str, row: MountRow) -> Backend:
        if row.id == "bad":
            raise Unavailable("the CA file is missing")
        return Silent()

    async def scenario() -> None:
        rows = (Row("bad", Path.parse("a")), Row("good", Path.parse("b")))
        mounts = {mount.id: mount for mount in OpenMounts(lambda _: rows, open_backend).of("root")}
        assert "the CA file is missing" == mounts["bad"].fault
        assert mounts["good"].backend is not None

    asyncio.run(scenario())


def test_a_tuned_mount_goes_on_with_its_open_backend() -> None:
    """What requests see of it changes at once; its store is not closed under those on their way."""
    rows: tuple[MountRow, ...] = (Row("1", Path.parse("a")),)

    async def scenario() -> None:
        nonlocal rows
        mounts = OpenMounts(lambda _: rows, lambda _namespace, _row: Silent())
        (before,) = mounts.of("root")
        rows = (Row("1", Path.parse("a"), presentation={"vault.kv": "1"}, cache_ttl=0),)
        (after,) = mounts.of("root")
        await asyncio.sleep(0)
        assert before.backend is after.backend
        assert isinstance(after.backend, Silent)
        assert not after.backend.closed
        assert ({"vault.kv": "1"}, 0) == (after.presentation, after.cache_ttl)
        assert [{"vault.kv": "1"}] == [view.presentation for view in mounts.of("root").views()]

    asyncio.run(scenario())
