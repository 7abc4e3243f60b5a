"""What reaches a store of labels and settings: a secret's, and those of the mount itself."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest
from wardgate.mounts import Mount
from wardgate.pipeline.dispatch.secrets import secret_handlers
from wardgate.pipeline.dispatch.versions import Versions
from wardgate.spi.backend import Backend
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import InvalidValue, Malformed, Unsupported, WardgateError
from wardgate.spi.operations.base import Operation
from wardgate.spi.operations.secrets import AnnotateSecret, DescribeSecret, WriteSecret
from wardgate.spi.path import ROOT, Path
from wardgate.spi.values import SecretInfo, SecretSettings, SecretVersion, Value

from tests.support.clock import SetClock

PREFIX = Path.parse("team/kv")
SECRET = PREFIX.child("app")
TWO = SecretSettings(max_versions=2)
ALL = Capabilities(write=True, describe=True, labels=True, settings=True, mount_settings=True, ordinals=True)


class Noting(Backend):
    """Remembers what it was asked."""

    def __init__(self, capabilities: Capabilities) -> None:
        self.capabilities = capabilities
        self.asked: list[Any] = []

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        raise NotImplementedError

    async def describe(self, path: Path) -> SecretInfo:
        self.asked.append(path)
        return SecretInfo(None, (), 0, 0, settings=TWO)

    async def annotate(
        self,
        path: Path,
        *,
        labels: Mapping[str, str | None] | None = None,
        settings: SecretSettings | None = None,
        merge: bool = False,
    ) -> None:
        self.asked.append((path, labels, settings, merge))


def asked(operation: Operation[Any], **capabilities: bool) -> list[Any]:
    store = Noting(dataclasses.replace(ALL, **capabilities))
    versions = Versions(Mount("m", "root", PREFIX, "t", {}, store), operation.path.below(PREFIX), None, None)  # type: ignore[arg-type]  # the store numbers them
    try:
        asyncio.run(secret_handlers(SetClock())[type(operation)](operation, store, versions))
    except WardgateError:
        assert store.asked == []
        raise
    return store.asked


def test_the_mount_s_own_prefix_names_its_settings() -> None:
    """Both ways, and at the root of what the store knows."""
    assert [ROOT] == asked(DescribeSecret(path=PREFIX))
    assert [(ROOT, None, TWO, False)] == asked(AnnotateSecret(path=PREFIX, settings=TWO))


@pytest.mark.parametrize("operation", [DescribeSecret(path=PREFIX), AnnotateSecret(path=PREFIX, settings=TWO)])
def test_a_store_without_settings_for_all_is_not_asked(operation: Operation[Any]) -> None:
    """It is told so, rather than shown a secret without a name."""
    with pytest.raises(Unsupported, match="for all of its secrets"):
        asked(operation, mount_settings=False)


@pytest.mark.parametrize(
    "operation",
    [
        AnnotateSecret(path=PREFIX, labels={"a": "b"}),
        AnnotateSecret(path=PREFIX, settings=TWO, merge=True),
        WriteSecret(path=PREFIX, value=Value(b"")),
    ],
)
def test_a_mount_is_no_secret(operation: Operation[Any]) -> None:
    """It has no labels, and no value."""
    with pytest.raises(Malformed):
        asked(operation)


def test_labels_are_replaced_or_merged() -> None:
    """Only a merge can take one away."""
    assert [(Path(("app",)), {"a": None}, None, True)] == asked(
        AnnotateSecret(path=SECRET, labels={"a": None}, merge=True)
    )
    assert [(Path(("app",)), {"a": "b"}, TWO, False)] == asked(
        AnnotateSecret(path=SECRET, labels={"a": "b"}, settings=TWO)
    )
    with pytest.raises(InvalidValue):
        asked(AnnotateSecret(path=SECRET, labels={"a": None}))


@pytest.mark.parametrize("path", [PREFIX, SECRET])
def test_a_change_of_nothing_asks_nothing(path: Path) -> None:
    """No secret comes to be by it."""
    assert [] == asked(AnnotateSecret(path=path))
