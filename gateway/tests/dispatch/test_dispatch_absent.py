"""Deleting, recovering and destroying what is not there is done already, whatever a store says of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from wardgate.crypto import NamespaceKeyring, RootKey
from wardgate.mounts import Mount
from wardgate.pipeline.dispatch.secrets import secret_handlers
from wardgate.pipeline.dispatch.versions import Versions
from wardgate.spi.backend import Backend
from wardgate.spi.capabilities import Capabilities
from wardgate.spi.errors import Conflict, Gone, PermissionDenied, SecretNotFound, VersionNotFound, WardgateError
from wardgate.spi.operations.base import Operation
from wardgate.spi.operations.secrets import DeleteSecret, DestroySecret, Ordinal, UndeleteSecret, VersionId
from wardgate.spi.path import Path
from wardgate.spi.values import SecretInfo, SecretVersion

from tests.support.clock import SetClock

RING = NamespaceKeyring("root", {1: RootKey.new_kek()}, 1)
PATH = Path.parse("odd/app")
ABLE = Capabilities(
    describe=True, ordinals=True, delete=True, delete_versions=True, undelete=True, destroy=True, destroy_versions=True
)


class Refusing(Backend):
    """Has one answer for every change."""

    capabilities = ABLE

    def __init__(self, error: WardgateError) -> None:
        self.error = error

    async def read(self, path: Path, *, version: str | None = None) -> SecretVersion:
        raise self.error

    async def describe(self, path: Path) -> SecretInfo:
        raise self.error

    async def delete(self, path: Path, *, versions: Any = None) -> None:
        raise self.error

    undelete = destroy = delete


class NoLedger:
    """For a store that numbers its versions: not asked."""

    async def ordinal(self, mount_id: str, path: str, store_version: str) -> int:
        raise NotImplementedError

    def version(self, mount_id: str, path: str, ordinal: int) -> str | None:
        raise NotImplementedError


def ask(operation: Operation[None], error: WardgateError) -> None:
    """Ask a store that answers with this error."""
    backend = Refusing(error)
    mount = Mount("m", "root", Path(("odd",)), "odd", {}, backend)
    versions = Versions(mount, Path(("app",)), NoLedger(), lambda _: RING)
    asyncio.run(secret_handlers(SetClock())[type(operation)](operation, backend, versions))


ONE = (Ordinal(1),)
WHOLE: tuple[Operation[None], ...] = (
    DeleteSecret(path=PATH),
    DeleteSecret(path=PATH, versions=ONE),
    UndeleteSecret(path=PATH, versions=ONE),
    DestroySecret(path=PATH),
    DestroySecret(path=PATH, versions=ONE),
)


@pytest.mark.parametrize("operation", WHOLE)
@pytest.mark.parametrize("error", [SecretNotFound(), VersionNotFound()])
def test_what_is_absent_is_deleted_already(operation: Operation[None], error: WardgateError) -> None:
    """No error comes of it."""
    ask(operation, error)


@pytest.mark.parametrize("operation", WHOLE[:3])
def test_what_is_gone_is_deleted_already(operation: Operation[None]) -> None:
    """A second delete is as good as the first."""
    ask(operation, Gone())


def test_what_is_gone_is_not_destroyed_already() -> None:
    """A store that keeps it recoverable and says so has not destroyed it."""
    with pytest.raises(Gone):
        ask(DestroySecret(path=PATH), Gone())


@pytest.mark.parametrize("operation", WHOLE)
def test_a_refusal_is_told(operation: Operation[None]) -> None:
    """It says nothing of what is there."""
    with pytest.raises(PermissionDenied):
        ask(operation, PermissionDenied())


@pytest.mark.parametrize("kind", [DeleteSecret, UndeleteSecret, DestroySecret])
def test_one_of_several_that_never_was_is_told(kind: Any) -> None:
    """It may have kept the store from the others."""
    with pytest.raises(VersionNotFound):
        ask(kind(path=PATH, versions=(Ordinal(1), Ordinal(9))), VersionNotFound())


def test_a_delete_that_expects_a_version_finds_none() -> None:
    """That is a conflict, not a success."""
    with pytest.raises(Conflict):
        ask(DeleteSecret(path=PATH, expect=VersionId("1")), SecretNotFound())
