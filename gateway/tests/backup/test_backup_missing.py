"""A store's file that is gone: no backup goes past it in silence."""

from __future__ import annotations

import asyncio
from pathlib import Path as FilePath

import pytest
from wardgate.backup import cut
from wardgate.spi.errors import Unavailable
from wardgate.spi.path import Path
from wardgate.state.namespaces import ROOT_NAMESPACE

from tests.support.backup_world import World

ROOT_STORE = "namespaces/root.db"


def lose(world: World) -> None:
    for file in (world.data / "namespaces").glob("root.db*"):
        file.unlink()


def test_a_missing_store_is_told_and_no_backup_made(world: World) -> None:
    """With what to do; nothing half-made is left, and the missing file is not made either."""
    lose(world)
    with pytest.raises(
        Unavailable, match=rf"^{ROOT_STORE} is missing; restore it from a backup, and no backup is made"
    ):
        world.create()
    assert (False, []) == (world.file.exists(), world.left_over())
    assert not (world.data / ROOT_STORE).exists()


def test_a_missing_store_of_an_unknown_type_is_told(world: World) -> None:
    """Where no plugin says that the secrets are elsewhere, they may have been in the file."""
    lose(world)
    with pytest.raises(Unavailable, match=f"^{ROOT_STORE} is missing"):
        world.create(plugins=("vault",))


def test_mounts_of_other_systems_need_no_file(world: World) -> None:
    """As in a namespace that never had another one; and so once the mount is removed whose secrets are lost."""
    state = world.open()
    row = state.mounts.draft(
        ROOT_NAMESPACE, Path.parse("far"), "vault", options={"address": "http://127.0.0.1:1", "token": "t"},
        presentation={}, description="",
    )  # fmt: skip
    asyncio.run(state.mounts.add(row))
    asyncio.run(state.mounts.remove(ROOT_NAMESPACE, Path.parse("secret")))
    asyncio.run(state.close())
    lose(world)
    assert ROOT_STORE not in {member.name for member in world.create().files}
    assert (True, 1) == ((found := world.verify()).ok, found.foreign)


@pytest.mark.parametrize("values", [True, False])
def test_a_backup_that_lacks_a_store_does_not_hold(world: World, monkeypatch: pytest.MonkeyPatch, values: bool) -> None:  # noqa: FBT001
    """As one that was made before: the mount is named, however quickly it is looked at."""
    real = cut._stores

    def lacking(data: FilePath, *rest: object) -> list[str]:
        return [name for name in real(data, *rest) if name != ROOT_STORE]  # type: ignore[arg-type]

    monkeypatch.setattr(cut, "_stores", lacking)
    world.create()
    told = f"mount secret/ of namespace root: {ROOT_STORE} is missing; restore it from a backup"
    assert [told] == world.verify(values=values).problems
