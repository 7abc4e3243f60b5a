"""A delete that expects a version: that one alone, and only while it is the current one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from wardgate.pipeline.dispatch.secrets import _delete_expected
from wardgate.spi.backend import Backend
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import Conflict, Unsupported
from wardgate.spi.path import Path
from wardgate.spi.values import SecretInfo, SecretVersion, VersionInfo, VersionState

PATH = Path(("a",))


class Store(Backend):
    """Holds one secret with this current version, and remembers what it was told to delete."""

    def __init__(self, current: VersionInfo | None, capabilities: Capabilities) -> None:
        self.capabilities = capabilities
        self.current = current
        self.deleted: list[tuple[str, ...] | None] = []

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        raise NotImplementedError

    async def describe(self, path: Path) -> SecretInfo:
        return SecretInfo(self.current, (), 0, 0)

    async def delete(self, path: Path, *, versions: Sequence[str] | None = None) -> None:
        self.deleted.append(None if versions is None else tuple(versions))


ABLE = Capabilities(describe=True, delete=True, delete_versions=True)


def test_the_expected_version_is_deleted_by_its_name() -> None:
    """So that what is written in between stays."""
    store = Store(VersionInfo("2"), ABLE)
    asyncio.run(_delete_expected("2", store, PATH))
    assert [("2",)] == store.deleted


@pytest.mark.parametrize("current", [None, VersionInfo("3"), VersionInfo("2", state=VersionState.DELETED)])
def test_any_other_current_version_is_a_conflict(current: VersionInfo | None) -> None:
    """None at all and a deleted one too; nothing is deleted."""
    store = Store(current, ABLE)
    with pytest.raises(Conflict):
        asyncio.run(_delete_expected("2", store, PATH))
    assert [] == store.deleted


def test_a_store_that_cannot_tell_or_name_versions_is_not_asked() -> None:
    """A check that could be overtaken is none."""
    store = Store(VersionInfo("2"), Capabilities(delete=True, describe=True))
    with pytest.raises(Unsupported):
        asyncio.run(_delete_expected("2", store, PATH))
    assert [] == store.deleted
