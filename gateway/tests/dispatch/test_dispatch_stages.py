"""``current`` and ``previous`` where a store keeps no stages and numbers its versions."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from wardgate.mounts import Mount
from wardgate.pipeline.dispatch.versions import Versions
from wardgate.spi.backend import Backend
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import Unsupported, VersionNotFound
from wardgate.spi.operations.secrets import Stage
from wardgate.spi.path import Path
from wardgate.spi.values import CURRENT, PREVIOUS, SecretInfo, SecretVersion, VersionInfo


class Described(Backend):
    """Tells of these versions, of which that one is current."""

    def __init__(self, capabilities: Capabilities, current: int, *numbers: int) -> None:
        self.capabilities = capabilities
        self.known = {number: VersionInfo(str(number), number) for number in numbers}
        self.current = current

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        raise NotImplementedError

    async def describe(self, path: Path) -> SecretInfo:
        return SecretInfo(self.known.get(self.current), tuple(self.known.values()), 0, 0)


NUMBERED = Capabilities(describe=True, ordinals=True, versions=True)


def found(backend: Backend, stage: str) -> str:
    """The id of the version in that stage."""
    ledger: Any = None
    mount = Mount("m", "root", Path(("odd",)), "odd", {}, backend)
    return asyncio.run(Versions(mount, Path(("app",)), ledger, ledger).id_of(Stage(stage)))


def test_current_and_previous_follow_from_the_numbers() -> None:
    """What is current the store says; previous is the one before it that is still there."""
    backend = Described(NUMBERED, 4, 1, 2, 4)
    assert ["4", "2"] == [found(backend, stage) for stage in (CURRENT, PREVIOUS)]
    rolled_back = Described(NUMBERED, 2, 1, 2, 4)
    assert ["2", "1"] == [found(rolled_back, stage) for stage in (CURRENT, PREVIOUS)]


@pytest.mark.parametrize(("current", "numbers", "stage"), [(1, [1], PREVIOUS), (0, [], CURRENT), (0, [], PREVIOUS)])
def test_a_stage_without_a_version_is_said(current: int, numbers: list[int], stage: str) -> None:
    """A first version has none before it, and a secret without versions has neither."""
    with pytest.raises(VersionNotFound):
        found(Described(NUMBERED, current, *numbers), stage)


@pytest.mark.parametrize(
    ("capabilities", "stage"),
    [(NUMBERED, "pending"), (Capabilities(describe=True), CURRENT), (Capabilities(ordinals=True), PREVIOUS)],
)
def test_a_stage_that_cannot_follow_is_unsupported(capabilities: Capabilities, stage: str) -> None:
    """One of another name, or in a store that does not number, or does not tell of its versions."""
    with pytest.raises(Unsupported):
        found(Described(capabilities, 2, 1, 2), stage)
